"""Connections that we open to other programs, such as milters and scanners."""

from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.mail.outcome import Outcome, Unavailable

MAX_UNREAD = 256 * 1024  # octets; then the other side has to wait
STALL_SECONDS = 60.0  # after ``close``, for what was written to be taken

T = TypeVar("T")

NOT_REACHED = Outcome(451, "4.3.0", "A program that is needed cannot be reached now")
NOT_ANSWERING = Outcome(451, "4.3.0", "A program that is needed does not answer now")
CONNECTION_LOST = Outcome(451, "4.3.0", "A program that is needed broke off")


class ReactorConnector:
    """Fulfils ``interfaces.Connector``."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    async def connect(self, endpoint: str, timeout: float) -> "ReactorConnection":
        """Connect."""
        target: Any = clientFromString(self._reactor, endpoint)  # type: ignore[no-untyped-call]
        factory = Factory.forProtocol(lambda: ReactorConnection(self._reactor))
        factory.noisy = False  # in the log
        try:
            connection: ReactorConnection = await within(
                self._reactor, timeout, target.connect(factory), NOT_REACHED
            )
        except (ConnectError, OSError) as error:
            raise Unavailable(NOT_REACHED) from error
        return connection


async def within(reactor: Any, seconds: float, waiting: Deferred[T], late: Outcome) -> T:
    """Return the result if it comes in time, else raise Unavailable with ``late``."""
    call = reactor.callLater(seconds, waiting.cancel)
    try:
        return await waiting
    except Exception as error:
        if call.active() or isinstance(error, Unavailable):
            raise
        raise Unavailable(late) from None
    finally:
        if call.active():
            call.cancel()


@implementer(IPushProducer)
class ReactorConnection(Protocol):
    """Fulfils ``interfaces.ClientConnection``."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._unread = bytearray()
        self._is_paused = False
        self._is_held = False  # the transport has enough to send
        self._reader: Deferred[None] | None = None
        self._drainer: Deferred[None] | None = None
        self._end: Any = None  # the call that ends a close which takes too long
        self.is_open = False

    # ------------------------------------------------------------ what Twisted calls

    def connectionMade(self) -> None:
        """Begin."""
        self.is_open = True
        transport: Any = self.transport
        self._transport = transport
        self._transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """Keep what came until it is read."""
        if not self.is_open:
            return
        self._unread += data
        if len(self._unread) > MAX_UNREAD and not self._is_paused:
            self._is_paused = True
            self._transport.pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End; what came before can still be read."""
        self.is_open = False
        self._wake()
        self.resumeProducing()
        if self._end is not None and self._end.active():
            self._end.cancel()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.callback(None)

    def pauseProducing(self) -> None:
        """Stop writing: the other side does not take what was written."""
        self._is_held = True

    def resumeProducing(self) -> None:
        """Go on writing."""
        self._is_held = False
        drainer, self._drainer = self._drainer, None
        if drainer is not None:
            drainer.callback(None)

    def stopProducing(self) -> None:
        """Write no more: the connection is lost."""

    # ------------------------------------------------------------ the door

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        if not self.is_open:
            raise Unavailable(CONNECTION_LOST)
        self._transport.write(data)

    async def drain(self, timeout: float) -> None:
        """Wait until most is sent."""
        if self._is_held and self.is_open:
            self._drainer = Deferred()
            await within(self._reactor, timeout, self._drainer, NOT_ANSWERING)
        if not self.is_open:
            raise Unavailable(CONNECTION_LOST)

    async def read(self, timeout: float) -> bytes:
        """Return what came, and wait for it if need be."""
        if not self._unread and self.is_open:
            self._reader = Deferred()
            try:
                await within(self._reactor, timeout, self._reader, NOT_ANSWERING)
            finally:
                self._reader = None
        if not self._unread:
            raise Unavailable(CONNECTION_LOST)
        data = bytes(self._unread)
        self._unread.clear()
        if self._is_paused and self.is_open:
            self._is_paused = False
            self._transport.resumeProducing()
        return data

    def close(self) -> None:
        """Send what was written and close."""
        if not self.is_open:
            return
        self.is_open = False
        self._transport.unregisterProducer()
        self._transport.loseConnection()
        self._end = self._reactor.callLater(STALL_SECONDS, self._transport.abortConnection)
