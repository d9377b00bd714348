"""The one server protocol: a connection, a session, and strict order between them.

The session is a coroutine that reads, thinks and writes. While it thinks, nothing else on this
connection happens, so answers leave in the order of the commands, whatever each had to wait for.
What keeps a hostile peer from costing more than its share is here, once for all protocols:

* input: the transport is paused while more than ``READ_AHEAD`` octets wait to be read;
* output: a session that writes much waits in ``drain`` until the peer has taken it, and a peer that
  takes nothing for ``STALL_SECONDS`` is cut off;
* work: ``yield_to_others`` gives way after ``fair_share.SLICE_SECONDS``, and sooner where many work;
* silence: every ``read`` has a time limit, and so has a TLS handshake, whatever the session does;
* STARTTLS: ``has_unread`` shows bytes that came in clear, which are never read as encrypted ones.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IReactorTime,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import ConversationEnded, Journal, Peer, Session, TlsInfo, Wire
from twisted_mail.net.server.fair_share import SHORTEST_SECONDS, FairShare
from twisted_mail.net.server.host import host_of
from twisted_mail.net.server.outlet import STALL_SECONDS, TransportOutlet
from twisted_mail.net.server.read_buffer import SMALL_READ, ReadBuffer
from twisted_mail.net.server.security import ConnectionSecurity, ListenerSecurity
from twisted_mail.net.server.timelimit import TimeLimit

MakeSession = Callable[[Wire], Session]
Reason = ConversationEnded.Reason


@implementer(IProtocol, IHalfCloseableProtocol, IHandshakeListener)
class Conversation:
    """One connection; fulfils ``interfaces.Wire`` for its session.

    Not a subclass of ``twisted.internet.protocol.Protocol``, which would give every idle connection a
    dictionary of its own.
    """

    __slots__ = (
        "_began",
        "_buffer",
        "_closed",
        "_ending",
        "_fair_share",
        "_is_woken",
        "_journal",
        "_limit",
        "_listener",
        "_make_session",
        "_outlet",
        "_peer",
        "_reactor",
        "_security",
        "_waiting",
        "belongs_to",
        "ended",
        "transport",
    )

    def __init__(
        self,
        reactor: IReactorTime,
        make_session: MakeSession,
        listener: ListenerSecurity,
        journal: Journal,
        fair_share: FairShare | None = None,
        peer: Peer | None = None,
    ) -> None:
        self.transport: Any = None
        self.ended: Callable[[Conversation], None] | None = None
        self.belongs_to: Callable[[str], bool] = lambda account: True
        self._make_session = make_session
        self._reactor = reactor
        self._listener, self._journal = listener, journal
        self._peer = peer  # the client of a proxy, which is the peer that the transport knows
        self._fair_share = fair_share or FairShare(reactor)
        # A read that has nothing to return yet. It is given what ends it, and raises that itself: a
        # failure would stay in frames that its own traceback keeps, and the connection with them.
        self._waiting: Deferred[bytes | Reason] | None = None
        self._limit = TimeLimit(reactor, self._time_passed)
        self._began = 0.0
        self._ending: Reason | None = None
        self._is_woken = self._closed = False

    # ------------------------------------------------------------ what Twisted and the service call

    def makeConnection(self, transport: Any) -> None:
        """Take the transport and begin the session."""
        self.transport = transport
        self._outlet = TransportOutlet(transport, self._reactor)
        self._buffer = ReadBuffer(transport)
        self._security = ConnectionSecurity(transport)
        self.connectionMade()

    def connectionMade(self) -> None:
        """Begin the session."""
        self.transport.registerProducer(self._outlet, True)
        if self._listener.is_implicit:
            self._start_tls()
        self._began = self._reactor.seconds()
        running = Deferred.fromCoroutine(self._make_session(self).run())
        running.addErrback(self._session_failed)
        running.addBoth(lambda _: self.close())

    def dataReceived(self, data: bytes) -> None:
        """Hand the bytes to the session, or keep them until it reads."""
        buffer = self._buffer
        if len(data) >= SMALL_READ or buffer.reads_much:
            buffer.fit_reads(len(data))
        if self._waiting is not None:
            self._hand_over(data)
        else:
            buffer.add(data)

    def handshakeCompleted(self) -> None:
        """Note that TLS is on."""
        self._security.handshake_completed()

    def readConnectionLost(self) -> None:
        """Note that the peer will send no more; it may still want the answers."""
        self._end(Reason.LOST)

    def writeConnectionLost(self) -> None:
        """Note that the peer will take no more."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """End the session at its next read or write."""
        self._closed = True
        self._limit.end()
        self._end(Reason.LOST)
        self._outlet.close()
        self._security.connection_lost()
        if self.ended is not None:
            self.ended(self)

    def shut_down(self) -> None:
        """Let the session say farewell at its next read."""
        self._end(Reason.SHUTDOWN)

    def abort(self) -> None:
        """Cut the connection off now."""
        self.transport.abortConnection()

    # ------------------------------------------------------------ the wire, reading

    @property
    def peer(self) -> Peer:
        """Return who is at the other end."""
        if self._peer is not None:
            return self._peer
        address = self.transport.getPeer()
        return Peer(host_of(address), getattr(address, "port", 0))

    @property
    def has_unread(self) -> bool:
        """Return whether bytes have arrived that no ``read`` has returned yet."""
        return bool(self._buffer.data)

    def has_hung_up(self) -> bool:
        """Return whether the peer will send no more."""
        return self._ending is Reason.LOST

    async def read(self, timeout: float) -> bytes:
        """Send what was written, then return the bytes that came."""
        self._outlet.flush()
        if self._outlet.is_held:
            await self._peer_takes_more()
        if self._buffer.data and not self._closed:
            return self._buffer.take()
        if self._ending is not None:
            raise ConversationEnded(self._ending)
        if self._is_woken:
            self._is_woken = False
            return b""
        self._waiting = Deferred()
        self._limit.set(timeout)
        came = await self._waiting
        if isinstance(came, bytes):
            return came
        raise ConversationEnded(came)

    def wake(self) -> None:
        """Make the present or next ``read`` return at once.

        Not before the reactor's next round: the caller may be in the middle of another session's
        command.
        """
        if not self._is_woken:
            self._is_woken = True
            self._reactor.callLater(0, self._wake_now)

    def _wake_now(self) -> None:
        if self._is_woken and self._waiting is not None:
            self._is_woken = False
            self._hand_over(b"")

    def _hand_over(self, came: bytes | Reason) -> None:
        waiting, self._waiting = self._waiting, None
        self._began = self._reactor.seconds()
        if waiting is not None:
            waiting.callback(came)

    def _end(self, reason: Reason) -> None:
        if self._ending in (None, Reason.SHUTDOWN):
            self._ending = reason
        self._hand_over(reason)

    # ------------------------------------------------------------ the wire, writing

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        if not self._closed:
            self._outlet.write(data)

    async def drain(self) -> None:
        """Send what was written, and wait until the peer has taken most of it."""
        if self._closed:
            raise ConversationEnded(self._ending or Reason.LOST)
        self._outlet.flush()
        if self._outlet.is_held:
            await self._peer_takes_more()
        await self.yield_to_others()

    async def yield_to_others(self) -> None:
        """Let others go first if this connection has worked for long."""
        if self._closed:
            raise ConversationEnded(self._ending or Reason.LOST)
        seconds = self._reactor.seconds() - self._began
        if seconds < SHORTEST_SECONDS or seconds < self._fair_share.slice_seconds:
            return
        self._outlet.flush()
        await self._fair_share.wait()
        self._began = self._reactor.seconds()

    async def _peer_takes_more(self) -> None:
        await self._outlet.wait_writable()
        self._began = self._reactor.seconds()

    def close(self) -> None:
        """Send what was written and close."""
        if self._closed:
            return
        self._outlet.flush()
        self._closed = True
        self._ending = self._ending or Reason.LOST
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        # A peer that never takes the rest, or never ends its half, does not keep the socket.
        self._limit.set(STALL_SECONDS)

    # ------------------------------------------------------------ TLS, time and failure

    @property
    def tls_info(self) -> TlsInfo | None:
        """Return the TLS of the connection, or None while it is in clear."""
        return self._security.info if self._security.is_on else None

    @property
    def may_start_tls(self) -> bool:
        """Return whether ``start_tls`` can succeed."""
        return self._listener.certificates is not None and not self._security.is_on

    @property
    def takes_passwords(self) -> bool:
        """Return whether a password may cross the connection."""
        return self._security.is_on or self._listener.takes_cleartext_passwords

    async def start_tls(self) -> None:
        """Speak TLS from the next byte on."""
        if self._closed:
            raise ConversationEnded(self._ending or Reason.LOST)
        self._outlet.flush()
        self._start_tls()

    def _start_tls(self) -> None:
        self._buffer.data = b""  # the session refused what came in clear: nothing of it remains
        self._security.start(self._listener.certificates, self._reactor)

    def _time_passed(self) -> None:
        if self._closed:
            self.transport.abortConnection()
        elif self._waiting is not None:
            self._hand_over(Reason.TIMEOUT)

    def _session_failed(self, failure: Failure) -> None:
        if not isinstance(failure.value, ConversationEnded):
            try:
                failure.raiseException()
            except BaseException:
                self._journal.failed("conversation")
