"""One connection that we have opened to a mail host: what Twisted and the dialogue call of it.

The dialogue is a coroutine that the connection itself resumes, as the sessions of the server are.
What comes is bounded: little is read at a time, and nothing more while that waits. Everything has a
limit of time.
"""

from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IReactorTime,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import ConversationEnded, TlsFailed, TlsInfo
from twisted_mail.mail.trust import NOTHING_PROVEN
from twisted_mail.net.client.host_tls import HostTlsCreator, why
from twisted_mail.net.connection.outlet import TransportOutlet
from twisted_mail.net.connection.peer_address import host_of
from twisted_mail.net.connection.read_buffer import ReadBuffer
from twisted_mail.net.connection.session_coroutine import INPUT, SessionCoroutine
from twisted_mail.net.connection.timelimit import TimeLimit
from twisted_mail.net.connection.tls import drop_tls, tls_info

CLOSE_SECONDS = 10.0  # for what was written to be taken, after ``close``

Reason = ConversationEnded.Reason
T = TypeVar("T")


@implementer(IProtocol, IHalfCloseableProtocol, IHandshakeListener)
class HostConnection:
    """One connection. Fulfils ``interfaces.HostWire``; ``run`` is for coroutines that use it as such."""

    __slots__ = (
        *("_buffer", "_creator", "_ending", "_handshake", "_is_closed", "_limit", "_outlet"),
        *("_reactor", "_session", "_tls_info", "_unsent", "is_gone", "on_gone", "on_open"),
        *("proof", "source"),
        "transport",
    )

    def __init__(self, reactor: IReactorTime, creator: HostTlsCreator) -> None:
        self._reactor = reactor
        self._creator = creator
        self._session = SessionCoroutine()
        self._limit = TimeLimit(reactor, self._time_passed)
        self._unsent: list[bytes] = []
        self._ending: Reason | None = None
        self._handshake: Deferred[str] | None = None  # fires with why it failed, or the empty text
        self._tls_info: TlsInfo | None = None
        self._is_closed = False
        self.proof = NOTHING_PROVEN
        self.is_gone = False  # nothing of it is left, at the other side either
        self.on_open: Callable[[], None] = _nothing
        self.on_gone: Callable[[], None] = _nothing
        self.source = ""  # our own address
        self.transport: Any = None

    # ------------------------------------------------------------ what Twisted calls

    def makeConnection(self, transport: Any) -> None:
        """Take the transport."""
        self.transport = transport
        self.source = host_of(transport.getHost())
        self._outlet = TransportOutlet(transport, self._reactor)
        self._buffer = ReadBuffer(transport)
        self._buffer.narrow(True)
        self.connectionMade()

    def connectionMade(self) -> None:
        """Begin."""
        self.transport.registerProducer(self._outlet, True)
        self.on_open()

    def dataReceived(self, data: bytes) -> None:
        """Hand the octets to the dialogue, or keep them until it reads."""
        if self._session.is_waiting:
            self._session.give(data)
        else:
            self._buffer.add(data)
            self._buffer.narrow(True)  # no more before this is read, if it is much

    def handshakeCompleted(self) -> None:
        """Note that TLS is on."""
        self._end_handshake("")

    def readConnectionLost(self) -> None:
        """Note that the host will send no more."""
        self._end(Reason.LOST)

    def writeConnectionLost(self) -> None:
        """Note that the host will take no more."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """End the dialogue at its next read or write."""
        self._is_closed = True
        self._unsent.clear()
        self._limit.end()
        if self._handshake is not None:
            self._end_handshake(why(reason and reason.value, self._handle()))
        self._end(Reason.LOST)
        self._outlet.close()
        drop_tls(self.transport)
        self.is_gone = True
        self.on_gone()

    def _handle(self) -> Any:
        get_handle = getattr(self.transport, "getHandle", None)
        return get_handle() if get_handle is not None else None

    def _end(self, reason: Reason) -> None:
        if self._ending is None:
            self._ending = reason
        self._session.give(self._ending)

    def _time_passed(self) -> None:
        if self._is_closed:
            self.transport.abortConnection()
        elif self._session.is_waiting:
            self._session.give(Reason.TIMEOUT)

    # ------------------------------------------------------------ the dialogue

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine that reads from this connection; return or raise what it does.

        One at a time. Cancelled, it ends the connection, which raises SHUTDOWN there.
        """
        done: Deferred[T] = Deferred(lambda _: self.shut_down())
        kept: list[T] = []

        def ended(error: BaseException | None) -> None:
            if done.called:  # cancelled, while it waited for something else than the host
                return
            if error is None:
                done.callback(kept[0])
            else:
                done.errback(error)

        self._session.begin(_keep(work, kept), ended)
        return await done

    @property
    def is_open(self) -> bool:
        """Return whether neither side has ended it, as far as is known."""
        return self._ending is None and not self._is_closed

    @property
    def tls_info(self) -> TlsInfo | None:
        """Return the TLS of the connection, or None while it is in clear."""
        return self._tls_info

    @property
    def is_proven(self) -> bool:
        """Return whether TLS is on, and the host has proven its name."""
        return bool(self.proof.names or self.proof.records)

    @property
    def has_unread(self) -> bool:
        """Return whether bytes have arrived that no ``read`` has returned yet."""
        return bool(self._buffer.data)

    # A generator, and no ``async def``: between the octets that come and who awaits them is one frame.
    @coroutine
    def read(self, timeout: float) -> Generator[object, Any, bytes]:
        """Send what was written, then return the bytes that came."""
        if self._unsent:
            self._send()
        if self._outlet.is_held:
            yield from self._wait_writable(timeout).__await__()
        if self._buffer.data:
            return self._buffer.take()
        if self._ending is not None:
            raise ConversationEnded(self._ending)
        limit = self._limit
        limit.deadline = self._reactor.seconds() + timeout
        if limit.deadline < limit.looks_at:  # hardly ever
            limit.look_in(timeout)
        came = yield INPUT
        if not isinstance(came, bytes):
            raise ConversationEnded(came)
        return came

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        if not self._is_closed:
            self._unsent.append(data)

    async def drain(self, timeout: float) -> None:
        """Send what was written, and wait until the host has taken most of it."""
        if self._ending is not None:
            raise ConversationEnded(self._ending)
        self._send()
        if self._outlet.is_held:
            await self._wait_writable(timeout)

    async def _wait_writable(self, timeout: float) -> None:
        late = self._reactor.callLater(timeout, self._cut_off, Reason.TIMEOUT)
        try:
            await self._outlet.wait_writable()
        except ConversationEnded as ended:
            raise ConversationEnded(self._ending or ended.reason) from None
        finally:
            if late.active():
                late.cancel()

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and not self._is_closed:
            self._outlet.send(unsent[0] if len(unsent) == 1 else b"".join(unsent))

    # ------------------------------------------------------------ TLS

    async def start_tls(self, timeout: float) -> None:
        """Send what was written in clear, then speak TLS, once the handshake is done."""
        if self._ending is not None or self._buffer.data:
            raise TlsFailed("The connection was lost before TLS could begin")
        self._send()
        done: Deferred[str] = Deferred()
        self._handshake = done
        late = self._reactor.callLater(timeout, self._handshake_late, timeout)
        self.transport.startTLS(self._creator)
        try:
            failure = await done
        finally:
            if late.active():
                late.cancel()
        if failure:
            raise TlsFailed(failure)
        handle = self._handle()
        self.proof = self._creator.proof(handle)
        self._tls_info = tls_info(handle)

    def _handshake_late(self, seconds: float) -> None:
        self._end_handshake(f"The TLS handshake took longer than {seconds:.0f} seconds")
        self.abort()

    def _end_handshake(self, failure: str) -> None:
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.callback(failure)

    # ------------------------------------------------------------ the end

    def close(self) -> None:
        """Send what was written and close; harmless when repeated."""
        if self._is_closed:
            return
        self._send()
        self._is_closed = True
        self._ending = self._ending or Reason.LOST
        self.transport.unregisterProducer()
        self._outlet.end()
        self._limit.set(CLOSE_SECONDS)

    def abort(self) -> None:
        """Cut the connection off now; harmless when repeated."""
        self._cut_off(Reason.LOST)

    def shut_down(self) -> None:
        """Cut the connection off because we stop."""
        self._cut_off(Reason.SHUTDOWN)

    def _cut_off(self, reason: Reason) -> None:
        self._end(reason)
        self.transport.abortConnection()


def _nothing() -> None:
    """Do nothing."""


async def _keep(work: Coroutine[Any, Any, T], kept: list[T]) -> None:
    kept.append(await work)
