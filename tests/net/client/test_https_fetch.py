"""Fetching a text from a web server that is a stranger's: real ones, over TLS on loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.ssl import DefaultOpenSSLContextFactory
from twisted.internet.task import deferLater
from twisted.internet.tcp import Client
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.net.client.certificates import DAY, SignedCertificate
from tests.whole.live import in_reactor, the_reactor
from twisted_mail.delivery.onward.dialing_rules import DialingRules
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.client import https_fetch
from twisted_mail.net.client.https_fetch import HttpsFetcher
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.testing.resolver import FakeResolver

HOST = "mta-sts.there.example"
PATH = "/.well-known/mta-sts.txt"
LIMIT = 1000

Answer = Callable[[Any], bytes | int]


def fine(request: Any) -> bytes:
    request.setHeader("content-type", "text/plain; charset=utf-8")
    return b"version: STSv1\n"


class Pages(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.answer: Answer = fine
        self.asked: list[str] = []

    def render_GET(self, request: Any) -> bytes | int:
        self.asked.append(f"{request.getHeader('host')} {request.uri.decode()}")
        return self.answer(request)


class There:
    """A web server with a certificate, and the fetcher."""

    def __init__(self, folder: Path) -> None:
        self.pages = Pages()
        self._folder = folder
        self.root = SignedCertificate(["Root"], is_authority=True)
        self.end = SignedCertificate([HOST], self.root)
        self.dns = FakeResolver().add(HOST, "A", "127.0.0.1")
        self.rules = DialingRules(["127.0.0.0/8"])
        self._port: Any = None

    def listen(self) -> int:
        file = str(self.end.write(self._folder))
        context = DefaultOpenSSLContextFactory(file, file)  # type: ignore[no-untyped-call]
        site = Site(self.pages)  # type: ignore[no-untyped-call]
        self._port = the_reactor().listenSSL(0, site, context, interface="127.0.0.1")
        number: int = self._port.getHost().port
        return number

    def get(self, times: int = 1, seconds: float = 5.0) -> list[bytes]:
        """Fetch the text several times at once."""

        def begin() -> Deferred[list[bytes]]:
            fetcher = self.fetcher()

            async def all_of_them() -> list[bytes]:
                fetching = [
                    Deferred.fromCoroutine(fetcher.fetch(HOST, PATH, LIMIT, seconds))
                    for _ in range(times)
                ]
                return [await one for one in fetching]

            return Deferred.fromCoroutine(all_of_them())

        found: list[bytes] = in_reactor(begin)
        return found

    def fetcher(self) -> HttpsFetcher:
        authorities = self._folder / "authorities.pem"
        authorities.write_bytes(self.root.pem)
        port = self.listen() if self._port is None else self._port.getHost().port
        clock = ReactorClock(the_reactor())
        return HttpsFetcher(
            the_reactor(), self.dns, clock, self.rules.objection, str(authorities), port
        )

    def get_again(self, answer: bytes) -> list[bytes]:
        """Fetch the text, stop waiting before it comes, and fetch it twice when it has."""
        asked: Deferred[Any] = Deferred()

        def hold(request: Any) -> int:
            asked.callback(request)
            return NOT_DONE_YET

        async def again() -> list[bytes]:
            fetcher = self.fetcher()
            first = Deferred.fromCoroutine(fetcher.fetch(HOST, PATH, LIMIT, 5.0))
            first.addErrback(lambda failure: None)
            request = await asked
            first.cancel()
            self.pages.answer = fine
            request.setHeader("content-type", "text/plain")
            request.write(answer)
            request.finish()
            while self.connections():
                await deferLater(the_reactor(), 0.001)
            return [await fetcher.fetch(HOST, PATH, LIMIT, 5.0) for _ in range(2)]

        self.pages.answer = hold
        found: list[bytes] = in_reactor(lambda: Deferred.fromCoroutine(again()))
        return found

    def connections(self) -> int:
        """Return how many connections to the server we have."""
        port = self._port.getHost().port
        ours = (one for one in the_reactor().getReaders() if isinstance(one, Client))
        return sum(one.getPeer().port == port for one in ours)

    def close(self) -> None:
        if self._port is not None:
            in_reactor(self._port.stopListening)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[There]:
    there = There(tmp_path)
    yield there
    there.close()


def test_a_text_is_fetched(there: There) -> None:
    assert there.get() == [b"version: STSv1\n"]
    [asked] = there.pages.asked
    assert asked.startswith(HOST)
    assert asked.endswith(PATH)


def test_what_several_ask_for_is_fetched_once(there: There) -> None:
    assert there.get(times=3) == [b"version: STSv1\n"] * 3
    assert len(there.pages.asked) == 1


def test_what_comes_when_nobody_waits_any_more_is_kept_for_who_asks_next(there: There) -> None:
    assert there.get_again(b"late") == [b"late", b"version: STSv1\n"]
    assert len(there.pages.asked) == 2


def redirect(request: Any) -> bytes:
    request.setHeader("content-type", "text/plain")
    request.redirect(b"https://other.example/")
    return b"version: STSv1\n"


def html(request: Any) -> bytes:
    request.setHeader("content-type", "text/html")
    return b"version: STSv1\n"


def without_kind(request: Any) -> bytes:
    request.responseHeaders.removeHeader("content-type")
    request.defaultContentType = None
    return b"version: STSv1\n"


def missing(request: Any) -> bytes:
    request.setResponseCode(404)
    return fine(request)


def too_long(request: Any) -> bytes:
    fine(request)
    return b"x" * (LIMIT + 1)


def many_headers(request: Any) -> bytes:
    for number in range(200):
        request.setHeader(f"x-{number}", "x" * 1000)
    return fine(request)


def broken(request: Any) -> int:
    fine(request)
    request.setHeader("content-length", "100")
    request.write(b"version")
    request.transport.abortConnection()
    return NOT_DONE_YET


@pytest.mark.parametrize(
    "answer", [redirect, html, without_kind, missing, too_long, many_headers, broken]
)
def test_any_other_answer_is_none(there: There, answer: Answer) -> None:
    there.pages.answer = answer
    with pytest.raises(Unavailable):
        there.get()
    assert len(there.pages.asked) == 1


def only_headers(request: Any) -> int:
    missing(request)
    request.setHeader("content-length", "100")
    request.write(b"")
    return NOT_DONE_YET


def deaf(request: Any) -> int:
    only_headers(request)
    request.transport.pauseProducing()  # it never sees that we end TLS
    return NOT_DONE_YET


@pytest.mark.parametrize("answer", [only_headers, deaf])
def test_no_connection_stays_where_a_server_goes_on(there: There, answer: Answer) -> None:
    there.pages.answer = answer
    with pytest.raises(Unavailable):
        there.get()
    assert in_reactor(lambda: deferLater(the_reactor(), 0, there.connections)) == 0


def test_a_server_that_never_answers_has_its_time(there: There) -> None:
    there.pages.answer = lambda request: NOT_DONE_YET
    with pytest.raises(Unavailable):
        there.get(seconds=0.05)


def test_who_waits_for_a_turn_has_no_more_time(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = DeferredSemaphore(1)
    turns.acquire()  # for ever
    monkeypatch.setattr(https_fetch, "DeferredSemaphore", lambda most: turns)
    with pytest.raises(Unavailable):
        there.get(seconds=0.05)


@pytest.mark.parametrize(
    "certificate",
    [
        lambda root: SignedCertificate(["other.example"], root),
        lambda root: SignedCertificate([HOST], root, ends=-DAY),
        lambda root: SignedCertificate([HOST]),
    ],
)
def test_a_server_has_to_prove_its_name(there: There, certificate: Any) -> None:
    there.end = certificate(there.root)
    with pytest.raises(Unavailable):
        there.get()
    assert there.pages.asked == []


def test_an_address_that_is_not_public_is_not_dialled(there: There) -> None:
    there.rules = DialingRules()
    with pytest.raises(Unavailable):
        there.get()
    assert there.pages.asked == []


def test_an_address_that_refuses_is_followed_by_the_next(there: There) -> None:
    there.dns.records[HOST, "A"] = ["127.0.0.2", "127.0.0.1"]
    assert there.get() == [b"version: STSv1\n"]


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_server_without_addresses_is_not_reached(there: There, is_silent: bool) -> None:
    there.dns.records.clear()
    if is_silent:
        there.dns.broken.add(HOST)
    with pytest.raises(Unavailable):
        there.get()
