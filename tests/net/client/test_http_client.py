"""Requests to a real HTTP server on loopback, of Twisted's own."""

from contextlib import contextmanager

import pytest
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.protocol import Factory, Protocol
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.whole.live import in_reactor, the_reactor
from twisted_mail.interfaces import HttpResponse
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.client.http_client import AgentHttpClient


class Echo(Resource):
    isLeaf = True

    def render_POST(self, request):
        self.fields = request.requestHeaders
        how = request.uri.decode()[1:]
        if how == "never":
            return NOT_DONE_YET
        if how == "break":
            request.write(b"half")
            request.transport.abortConnection()
            return NOT_DONE_YET
        request.setResponseCode(404 if how == "missing" else 200)
        return b"x" * 10_000 if how == "long" else request.content.read()[::-1]


@contextmanager
def served():
    echo = Echo()

    def start():
        posting = AgentHttpClient(the_reactor())
        return posting, the_reactor().listenTCP(0, Site(echo), interface="127.0.0.1")

    async def stop():
        await posting.close()
        await DeferredList([Deferred.fromCoroutine(closed())])

    async def closed():
        await port.stopListening()

    posting, port = in_reactor(start)
    try:
        yield posting, f"http://127.0.0.1:{port.getHost().port}", echo
    finally:
        in_reactor(lambda: Deferred.fromCoroutine(stop()))


async def pieces(*given):
    for one in given:
        yield one


def post(posting, url, *given, limit=1000, size=None, seconds=None):
    octets = sum(map(len, given)) if size is None else size

    def begin():
        asking = Deferred.fromCoroutine(
            posting.post(url, [("X-A", "1"), ("X-B", "b\u00e4")], octets, pieces(*given), limit)
        )
        if seconds is not None:
            the_reactor().callLater(seconds, asking.cancel)
        return asking

    return in_reactor(begin)


def test_a_body_goes_in_pieces_and_the_answer_comes_back():
    with served() as (posting, url, echo):
        assert post(posting, f"{url}/", b"one", b"two") == HttpResponse(200, b"owteno")
        assert echo.fields.getRawHeaders("x-a") == ["1"]
        assert post(posting, f"{url}/missing", b"") == HttpResponse(404, b"")
        large = b"x" * 3_000_000
        assert post(posting, f"{url}/", large, large, limit=10**7).body == large * 2


def test_an_answer_too_long_or_broken_off_is_none():
    with served() as (posting, url, _):
        for how in ("long", "break"):
            with pytest.raises(Unavailable):
                post(posting, f"{url}/{how}", b"x")


def test_a_body_of_another_size_or_that_fails_is_not_sent():
    async def failing():
        yield b"x"
        raise Unavailable("gone")

    with served() as (posting, url, _):
        with pytest.raises(Unavailable):
            post(posting, f"{url}/", b"x", size=2)
        with pytest.raises(Unavailable):
            in_reactor(lambda: Deferred.fromCoroutine(posting.post(f"{url}/", [], 9, failing(), 9)))


def test_a_caller_that_gives_up_leaves_nothing_open():
    with served() as (posting, url, _):
        with pytest.raises(CancelledError):
            post(posting, f"{url}/never", b"x", seconds=0.2)
        assert post(posting, f"{url}/", b"x").status == 200


def test_a_server_that_is_not_there_is_unavailable():
    with served() as (posting, url, _):
        pass
    with pytest.raises(Unavailable):
        post(posting, f"{url}/", b"x")


def test_a_server_that_hangs_up_ends_the_sending():
    class Rude(Protocol):
        def dataReceived(self, data):
            self.transport.pauseProducing()
            the_reactor().callLater(0.1, self.transport.abortConnection)

    async def endless():
        while True:
            yield b"x" * 100_000

    def start():
        rude = Factory.forProtocol(Rude)
        return AgentHttpClient(the_reactor()), the_reactor().listenTCP(
            0, rude, interface="127.0.0.1"
        )

    posting, port = in_reactor(start)
    url = f"http://127.0.0.1:{port.getHost().port}/"
    with pytest.raises(Unavailable):
        in_reactor(lambda: Deferred.fromCoroutine(posting.post(url, [], 10**9, endless(), 1000)))
    in_reactor(port.stopListening)
