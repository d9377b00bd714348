"""The one server protocol: a connection, a session, and strict order between them.

The session is a coroutine that reads, thinks and writes. While it thinks, nothing else on this
connection happens, so answers leave in the order of the commands, whatever each had to wait for.
What keeps a hostile peer from costing more than its share is here, once for all protocols:

* input: the transport is paused while more than ``READ_AHEAD`` octets wait to be read;
* output: a session that writes much waits in ``drain`` until the peer has taken it, and a peer that
  takes nothing for ``STALL_SECONDS`` is cut off;
* work: ``yield_to_others`` gives way after ``turns.SLICE_SECONDS``, and sooner where many work;
* silence: every ``read`` has a time limit, and so has a TLS handshake, whatever the session does;
* STARTTLS: bytes that came in clear can be seen (``has_unread``) and are never read as encrypted ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IReactorTime,
    ISSLTransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import ConversationEnded, Journal, Peer, Session, TlsInfo, Wire
from twisted_mail.net.server.fair_share import FairShare
from twisted_mail.net.server.outlet import STALL_SECONDS, TransportOutlet
from twisted_mail.net.server.timelimit import TimeLimit
from twisted_mail.net.server.tls import Certificates, drop_tls, tls_info

READ_AHEAD = 64 * 1024  # octets that may wait before the transport is paused
SMALL_READ = 64 * 1024  # what the transport reads at a time, as long as no peer sends more
MAX_READ = 256 * 1024  # octets that are read at a time from a peer that sends much
HANDSHAKE_SECONDS = 30.0  # how long a TLS handshake may take

MakeSession = Callable[[Wire], Session]
_SHUTDOWN, _LOST, _TIMEOUT = (
    ConversationEnded.Reason.SHUTDOWN,
    ConversationEnded.Reason.LOST,
    ConversationEnded.Reason.TIMEOUT,
)


@dataclass(frozen=True, slots=True)
class ListenerSecurity:
    """What one listener allows: certificates (None: no TLS), TLS first, passwords in clear."""

    certificates: Certificates | None = None
    is_implicit: bool = False
    takes_cleartext_passwords: bool = False


@implementer(IProtocol, IHalfCloseableProtocol, IHandshakeListener)
class Conversation:
    """One connection; fulfils ``interfaces.Wire`` for its session.

    Not a subclass of ``twisted.internet.protocol.Protocol``, which would give every idle connection a
    dictionary of its own.
    """

    __slots__ = (
        "_began",
        "_closed",
        "_ending",
        "_handshake",
        "_is_nudged",
        "_is_stopped",
        "_journal",
        "_limit",
        "_make_session",
        "_outlet",
        "_peer",
        "_privacy",
        "_reactor",
        "_reads_much",
        "_terms",
        "_tls",
        "_turns",
        "_unread",
        "_waiting",
        "ended",
        "transport",
    )

    def __init__(
        self,
        reactor: IReactorTime,
        make_session: MakeSession,
        terms: ListenerSecurity,
        journal: Journal,
        fair_share: FairShare | None = None,
        peer: Peer | None = None,
    ) -> None:
        self.transport: Any = None
        self.ended: Callable[[Conversation], None] | None = None
        self._make_session = make_session
        self._reactor = reactor
        self._terms = terms
        self._journal = journal
        self._peer = peer  # whom a proxy brings, if this is not who the transport knows
        self._turns = fair_share or FairShare(reactor)
        self._unread = b""
        # A read that has nothing to return yet. What ends it is handed over, and the read itself raises
        # it: a failure would stay in frames that its own traceback keeps, and the connection with them.
        self._waiting: Deferred[bytes | ConversationEnded.Reason] | None = None
        self._limit = TimeLimit(reactor, self._time_passed)
        self._handshake: IDelayedCall | None = None  # cuts off a peer that does not finish it
        self._began = 0.0
        self._ending: ConversationEnded.Reason | None = None
        self._is_nudged = False
        self._reads_much = False
        self._is_stopped = False  # we asked the transport to read no more for now
        self._tls = False
        self._privacy: TlsInfo | None = None  # of the TLS there was, once the connection is lost
        self._closed = False

    # ------------------------------------------------------------ what Twisted calls

    def makeConnection(self, transport: Any) -> None:
        """Take the transport and begin the session."""
        self.transport = transport
        self._outlet = TransportOutlet(transport, self._reactor)
        self.connectionMade()

    def connectionMade(self) -> None:
        """Begin the session."""
        self.transport.registerProducer(self._outlet, True)
        self._tls = ISSLTransport.providedBy(self.transport)
        if self._terms.is_implicit:
            self._start_tls()
        self._began = self._reactor.seconds()
        running = Deferred.fromCoroutine(self._make_session(self).run())
        running.addErrback(self._session_failed)
        running.addBoth(lambda _: self.close())

    def dataReceived(self, data: bytes) -> None:
        """Hand the bytes to the session, or keep them until it reads."""
        if len(data) >= SMALL_READ or self._reads_much:
            self._read_at_a_time(len(data))
        if self._waiting is not None:
            self._wake(data)
            return
        self._unread += data
        if len(self._unread) >= READ_AHEAD and not self._is_stopped:
            self._is_stopped = True
            self.transport.pauseProducing()

    def _read_at_a_time(self, size: int) -> None:
        """Have the transport read more at a time while much is on its way, and else as it did."""
        transport = self.transport
        if size == getattr(transport, "bufferSize", 0):
            transport.bufferSize = min(size * 2, MAX_READ)
            self._reads_much = True
        elif self._reads_much and size < SMALL_READ:
            transport.bufferSize = SMALL_READ
            self._reads_much = False

    def handshakeCompleted(self) -> None:
        """Note that TLS is on."""
        handshake, self._handshake = self._handshake, None
        if handshake is not None:
            handshake.cancel()

    def readConnectionLost(self) -> None:
        """Note that the peer will send no more; it may still want the answers."""
        self._end(_LOST)

    def writeConnectionLost(self) -> None:
        """Note that the peer will take no more."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """End the session at its next word."""
        self._closed = True
        self._limit.end()
        self.handshakeCompleted()  # or never will be
        self._end(_LOST)
        self._outlet.close()
        if self._tls:
            self._privacy = tls_info(self.transport.getHandle())
            drop_tls(self.transport)
        if self.ended is not None:
            self.ended(self)

    # ------------------------------------------------------------ what the service calls

    def shut_down(self) -> None:
        """Let the session say farewell at its next read."""
        self._end(_SHUTDOWN)

    def abort(self) -> None:
        """Cut the connection off now."""
        self.transport.abortConnection()

    # ------------------------------------------------------------ the wire, reading

    @property
    def peer(self) -> Peer:
        """Say who is at the other end."""
        if self._peer is not None:
            return self._peer
        address = self.transport.getPeer()
        return Peer(getattr(address, "host", ""), getattr(address, "port", 0))

    @property
    def has_unread(self) -> bool:
        """Say whether bytes have arrived that no ``read`` has returned yet."""
        return bool(self._unread)

    async def read(self, timeout: float) -> bytes:
        """Send what was written, then return the bytes that came."""
        self._outlet.flush()
        if self._outlet.is_held:
            await self._peer_takes_more()
        if self._unread and not self._closed:
            return self._take_unread()
        if self._ending is not None:
            raise ConversationEnded(self._ending)
        if self._is_nudged:
            self._is_nudged = False
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
        if not self._is_nudged:
            self._is_nudged = True
            self._reactor.callLater(0, self._nudge_now)

    def _nudge_now(self) -> None:
        if self._is_nudged and self._waiting is not None:
            self._is_nudged = False
            self._wake(b"")

    def _take_unread(self) -> bytes:
        data, self._unread = self._unread, b""
        if self._is_stopped and not self._closed:
            self._is_stopped = False
            self.transport.resumeProducing()
        return data

    def _wake(self, data: bytes) -> None:
        waiting, self._waiting = self._waiting, None
        self._began = self._reactor.seconds()
        if waiting is not None:
            waiting.callback(data)

    def _end(self, reason: ConversationEnded.Reason) -> None:
        if self._ending in (None, _SHUTDOWN):
            self._ending = reason
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(reason)

    # ------------------------------------------------------------ the wire, writing

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        if not self._closed:
            self._outlet.write(data)

    async def drain(self) -> None:
        """Send what was written, and wait until the peer has taken most of it."""
        if self._closed:
            raise ConversationEnded(self._ending or _LOST)
        self._outlet.flush()
        if self._outlet.is_held:
            await self._peer_takes_more()
        await self.yield_to_others()

    async def yield_to_others(self) -> None:
        """Let others go first if this connection has worked for long."""
        if self._closed:
            raise ConversationEnded(self._ending or _LOST)
        if self._reactor.seconds() - self._began < self._turns.slice_seconds:
            return
        self._outlet.flush()
        await self._turns.wait()
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
        self._ending = self._ending or _LOST
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        # A peer that never takes the rest, or never ends its half, does not keep the socket.
        self._limit.set(STALL_SECONDS)

    # ------------------------------------------------------------ TLS

    @property
    def tls_info(self) -> TlsInfo | None:
        """Return the TLS of the connection, or None while it is in clear."""
        if not self._tls:
            return None
        return self._privacy or tls_info(self.transport.getHandle())

    @property
    def may_start_tls(self) -> bool:
        """Say whether ``start_tls`` can succeed."""
        return self._terms.certificates is not None and not self._tls

    @property
    def takes_passwords(self) -> bool:
        """Say whether a password may cross."""
        return self._tls or self._terms.takes_cleartext_passwords

    async def start_tls(self) -> None:
        """Speak TLS from the next byte on."""
        if self._closed:
            raise ConversationEnded(self._ending or _LOST)
        self._outlet.flush()
        self._start_tls()

    def _start_tls(self) -> None:
        self._unread = b""  # the session has refused what came in clear; nothing of it may remain
        self._tls = True
        self._handshake = self._reactor.callLater(HANDSHAKE_SECONDS, self._handshake_failed)
        self.transport.startTLS(self._terms.certificates)

    def _handshake_failed(self) -> None:
        self._handshake = None
        self.transport.abortConnection()

    # ------------------------------------------------------------ time and failure

    def _time_passed(self) -> None:
        if self._closed:
            self.transport.abortConnection()
        elif self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._began = self._reactor.seconds()
            waiting.callback(_TIMEOUT)

    def _session_failed(self, failure: Failure) -> None:
        if not isinstance(failure.value, ConversationEnded):
            try:
                failure.raiseException()
            except BaseException:
                self._journal.failed("conversation")
