"""Requests to HTTP servers: a POST with a body that comes in pieces, and an answer of bounded size.

Connections are kept and reused, a few for each server.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from twisted_mail.interfaces import HttpResponse
from twisted_mail.mail.outcome import MailError, Outcome, Unavailable

CONNECT_SECONDS = 10.0
MAX_IDLE_CONNECTIONS = 4  # connections to a server that wait for the next request

NO_ANSWER = Outcome(451, "4.3.0", "A program that is needed does not answer now")


class AgentHttpClient:
    """Fulfils ``interfaces.HttpClient``."""

    def __init__(self, reactor: Any) -> None:
        self._pool = HTTPConnectionPool(reactor)  # type: ignore[no-untyped-call]
        self._pool.maxPersistentPerHost = MAX_IDLE_CONNECTIONS
        self._pool.retryAutomatically = False  # a body is read once
        self._agent = Agent(reactor, connectTimeout=CONNECT_SECONDS, pool=self._pool)  # type: ignore[no-untyped-call]

    async def post(
        self,
        url: str,
        fields: Sequence[tuple[str, str]],
        size: int,
        body: AsyncIterator[bytes],
        limit: int,
    ) -> HttpResponse:
        """Send a request, and read the answer."""
        headers = Headers()
        for name, value in fields:
            headers.addRawHeader(name, value)
        try:
            response: Any = await self._agent.request(
                b"POST", url.encode("ascii"), headers, _BodyProducer(size, body)
            )
            answer: Deferred[bytes] = Deferred(lambda _: reader.stop())
            reader = BodyReader(answer, limit)
            response.deliverBody(reader)
            return HttpResponse(response.code, await answer)
        except (MailError, CancelledError):
            raise
        except Exception as error:
            if _is_cancelled(error):
                raise CancelledError from None
            raise Unavailable(NO_ANSWER) from error

    async def close(self) -> None:
        """Close the connections that were kept."""
        await self._pool.closeCachedConnections()  # type: ignore[no-untyped-call]


def _is_cancelled(error: Exception) -> bool:
    """Return whether Agent reports, in its own way, that the caller has cancelled."""
    reasons = getattr(error, "reasons", None) or ()
    return any(isinstance(reason.value, CancelledError) for reason in reasons)


@implementer(IBodyProducer)
class _BodyProducer:
    """Sends the pieces of a body as fast as the server takes them."""

    def __init__(self, size: int, pieces: AsyncIterator[bytes]) -> None:
        self.length = size
        self._pieces = pieces
        self._sending: Deferred[None] | None = None
        self._resumed: Deferred[None] | None = None
        self._is_stopped = False

    def startProducing(self, consumer: Any) -> Deferred[None]:
        """Send; the Deferred fires when all is sent."""
        self._sending = Deferred.fromCoroutine(self._send(consumer))
        done: Deferred[None] = Deferred()
        self._sending.addCallbacks(done.callback, lambda failure: self._failed(done, failure))
        return done

    async def _send(self, consumer: Any) -> None:
        async for piece in self._pieces:
            if self._resumed is not None:
                await self._resumed
            consumer.write(piece)

    def _failed(self, done: Deferred[None], failure: Failure) -> None:
        if not self._is_stopped:
            done.errback(failure)

    def pauseProducing(self) -> None:
        """Wait before the next piece."""
        if self._resumed is None:
            self._resumed = Deferred()

    def resumeProducing(self) -> None:
        """Go on."""
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(None)

    def stopProducing(self) -> None:
        """Send no more; the Deferred never fires."""
        self._is_stopped = True
        if self._sending is not None:
            self._sending.cancel()


class BodyReader(Protocol):
    """Takes a body, up to a limit."""

    def __init__(self, answer: Deferred[bytes], limit: int) -> None:
        self._answer = answer
        self._left = limit
        self._data = bytearray()

    def dataReceived(self, data: bytes) -> None:
        """Keep octets, unless they are too many."""
        self._left -= len(data)
        if self._left < 0:
            self.stop()
        else:
            self._data += data

    def stop(self) -> None:
        """Take no more."""
        transport: Any = self.transport
        if transport is not None:
            transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Return what came if it is the whole body."""
        if self._answer.called:
            return
        if self._left >= 0 and isinstance(reason.value, (ResponseDone, PotentialDataLoss)):
            self._answer.callback(bytes(self._data))
        else:
            self._answer.errback(Unavailable(NO_ANSWER))
