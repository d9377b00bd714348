"""One connection, as its session sees it: reading, writing, TLS, and the limits of time.

``conversation`` has the other side, what Twisted calls, and says what all of it is for.
"""

from collections.abc import Callable, Generator
from types import coroutine
from typing import Any

from twisted.internet.interfaces import IReactorTime

from twisted_mail.interfaces import ConversationEnded, Peer, TlsInfo
from twisted_mail.net.connection.fair_share import SHORTEST_SECONDS, FairShare
from twisted_mail.net.connection.held_input import HeldInput
from twisted_mail.net.connection.outlet import STALL_SECONDS, TransportOutlet
from twisted_mail.net.connection.peer_address import host_of
from twisted_mail.net.connection.read_buffer import ReadBuffer
from twisted_mail.net.connection.security import ConnectionSecurity, ListenerSecurity
from twisted_mail.net.connection.session_coroutine import INPUT, SessionCoroutine
from twisted_mail.net.connection.timelimit import TimeLimit
from twisted_mail.store.disk.memory_budget import Budget

Reason = ConversationEnded.Reason


class ConnectionWire:
    """One connection; fulfils ``interfaces.Wire`` for its session. ``connect`` comes before all else."""

    __slots__ = (
        "_buffer",
        "_closed",
        "_ending",
        "_fair_share",
        "_held_input",
        "_input_budget",
        "_is_woken",
        "_limit",
        "_listener",
        "_outlet",
        "_peer",
        "_reactor",
        "_security",
        "_session",
        "_unsent",
        "count_for",
        "transport",
        "woke_at",
    )

    def __init__(
        self,
        reactor: IReactorTime,
        listener: ListenerSecurity,
        fair_share: FairShare | None = None,
        peer: Peer | None = None,
        input_budget: Budget | None = None,
    ) -> None:
        self.transport: Any = None
        self.count_for: Callable[[str], bool] = lambda account: True
        self._reactor = reactor
        self._listener = listener
        self._peer = peer  # the client of a proxy, or else whom the transport knows
        self._fair_share = fair_share or FairShare(reactor)
        # A read is given octets, or what ends it, and raises that itself: a failure would stay in
        # frames that its own traceback keeps, and the connection with them.
        self._session = SessionCoroutine()
        self._input_budget = input_budget
        self._held_input: HeldInput | None = None  # until the client has logged in
        self._limit = TimeLimit(reactor, self._time_passed)
        self._unsent: list[bytes] = []  # what is to leave together
        self.woke_at = 0.0
        self._ending: Reason | None = None
        self._is_woken = self._closed = False

    def connect(self, transport: Any) -> None:
        """Take the transport."""
        self.transport = transport
        if self._peer is None:
            address = transport.getPeer()
            self._peer = Peer(host_of(address), getattr(address, "port", 0))
        self._outlet = TransportOutlet(transport, self._reactor)
        self._buffer = ReadBuffer(transport)
        self._security = ConnectionSecurity(transport)
        if self._input_budget is not None:
            self._held_input = HeldInput(self._input_budget, self._buffer)

    # ------------------------------------------------------------ reading

    @property
    def peer(self) -> Peer:
        """Return who is at the other end."""
        assert self._peer is not None  # it is known once there is a transport
        return self._peer

    @property
    def has_unread(self) -> bool:
        """Return whether bytes have arrived that no ``read`` has returned yet."""
        return bool(self._buffer.data)

    def has_hung_up(self) -> bool:
        """Return whether the peer will send no more."""
        return self._ending is Reason.LOST

    def belongs_to(self, account: str) -> bool:
        """Count the connection as one of an account, unless that has too many; return whether it is."""
        if not self.count_for(account):
            return False
        self._forget_held_input()
        return True

    def hold(self, octets: int) -> None:
        """Count what the session keeps of unfinished input. Raises ConversationEnded."""
        if self._held_input is not None and not self._held_input.keep(octets):
            raise ConversationEnded(Reason.OVERLOAD)

    def _forget_held_input(self) -> None:
        held, self._held_input = self._held_input, None
        if held is None:
            return
        if held.is_charged:
            held.close()
        if self._buffer.is_narrow:
            self._buffer.narrow(False)

    # A generator, and no ``async def``: between the octets that come and who awaits them is one frame.
    @coroutine
    def read(self, timeout: float) -> Generator[object, Any, bytes]:
        """Send what was written, then return the bytes that came."""
        if self._unsent:
            self._send()
        if self._outlet.is_held:
            yield from self._peer_takes_more()
        held = self._held_input
        if held is not None and held.is_charged:
            held.wait()
        if self._buffer.data and not self._closed:
            came: bytes | Reason = self._buffer.take()
            self.woke_at = self._reactor.seconds()  # it came while the session waited for others
        elif self._ending is not None:
            raise ConversationEnded(self._ending)
        elif self._is_woken:
            self._is_woken = False
            return b""
        else:
            limit = self._limit
            limit.deadline = self._reactor.seconds() + timeout
            if limit.deadline < limit.looks_at:  # hardly ever
                limit.look_in(timeout)
            came = yield INPUT
            self.woke_at = self._reactor.seconds()
        if not isinstance(came, bytes):
            raise ConversationEnded(came)
        if held is not None:
            held.give(len(came))
        return came

    def wake(self) -> None:
        """Make the present or next ``read`` return at once.

        Not before the reactor's next round: the caller may be in the middle of another session's
        command.
        """
        if not self._is_woken:
            self._is_woken = True
            self._reactor.callLater(0, self._wake_now)

    def _wake_now(self) -> None:
        if self._is_woken and self._session.is_waiting:
            self._is_woken = False
            self._session.give(b"")

    def _end(self, reason: Reason) -> None:
        if self._ending in (None, Reason.SHUTDOWN):
            self._ending = reason
        self._session.give(reason)

    # ------------------------------------------------------------ writing

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        if not self._closed:
            self._unsent.append(data)

    def _send(self) -> None:
        """Send what was written."""
        unsent, self._unsent = self._unsent, []
        if unsent:
            self._outlet.send(unsent[0] if len(unsent) == 1 else b"".join(unsent))

    async def drain(self) -> None:
        """Send what was written, and wait until the peer has taken most of it."""
        if self._closed:
            raise ConversationEnded(self._ending or Reason.LOST)
        self._send()
        if self._outlet.is_held:
            await self._peer_takes_more()
        await self.yield_to_others()

    async def yield_to_others(self) -> None:
        """Let others go first if this connection has worked for long."""
        if self._closed:
            raise ConversationEnded(self._ending or Reason.LOST)
        seconds = self._reactor.seconds() - self.woke_at
        if seconds < SHORTEST_SECONDS or seconds < self._fair_share.slice_seconds:
            return
        self._send()
        await self._fair_share.wait()
        self.woke_at = self._reactor.seconds()

    async def _peer_takes_more(self) -> None:
        await self._outlet.wait_writable()
        self.woke_at = self._reactor.seconds()

    def close(self) -> None:
        """Send what was written and close."""
        if self._closed:
            return
        self._send()
        self._closed = True
        self._ending = self._ending or Reason.LOST
        self.transport.unregisterProducer()
        self._outlet.end()
        # A peer that never takes the rest, or never ends its half, does not keep the socket.
        self._limit.set(STALL_SECONDS)

    # ------------------------------------------------------------ TLS and time

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
        self._send()
        self._start_tls()

    def _start_tls(self) -> None:
        self._buffer.data = b""  # the session refused what came in clear: nothing of it remains
        self._security.start(self._listener.certificates, self._reactor)

    def _time_passed(self) -> None:
        if self._closed:
            self.transport.abortConnection()
        elif self._session.is_waiting:
            self._session.give(Reason.TIMEOUT)
