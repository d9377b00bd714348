"""One connection, as a session sees it: the peer, input and output, and how it ends."""

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from twisted_mail.interfaces.system import Clock


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end: numeric address (empty for a UNIX socket) and port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TlsInfo:
    """The TLS of a connection: version (``TLSv1.3``), cipher suite name, key bits."""

    version: str
    cipher: str
    bits: int

    @property
    def label(self) -> str:
        """Return version and cipher suite as one word, for the log."""
        return f"{self.version}/{self.cipher}"


class ConversationEnded(Exception):
    """The conversation is over, and nobody made an error."""

    class Reason(Enum):
        """Why: the peer left, was silent too long, the server stops, or has no memory left for it."""

        LOST = "lost"
        TIMEOUT = "timeout"
        SHUTDOWN = "shutdown"
        OVERLOAD = "overload"

    def __init__(self, reason: "ConversationEnded.Reason") -> None:
        super().__init__(reason.value)
        self.reason = reason


class Outlet(Protocol):
    """Where an answer is written."""

    def write(self, data: bytes) -> None:
        """Take bytes to send. They leave together at the next ``drain`` or ``read``."""

    async def drain(self) -> None:
        """Send what was written and wait until the peer has taken most of it.

        Also gives other connections their turn when this one's was long. Loops over many messages drain
        about every 64 KiB. Raises ConversationEnded.
        """


class Wire(Outlet, Protocol):
    """Both directions of one connection, as a session sees it."""

    @property
    def peer(self) -> Peer:
        """Return the other end."""

    @property
    def tls_info(self) -> TlsInfo | None:
        """Return the TLS of the connection, or None while it is in clear."""

    @property
    def may_start_tls(self) -> bool:
        """Return whether ``start_tls`` can succeed: there is a certificate, and TLS is not on yet."""

    @property
    def takes_passwords(self) -> bool:
        """Return whether a password may be sent: under TLS, or where the listener allows it in clear."""

    @property
    def woke_at(self) -> float:
        """Return when the session's turn began, in seconds of the reactor's clock.

        A turn begins when a read returns what has come, or when others have gone first.
        """

    @property
    def has_unread(self) -> bool:
        """Return whether bytes have arrived that no ``read`` has returned yet."""

    def belongs_to(self, account: str) -> bool:
        """Count the connection as one of an account that has logged in, and no more for its address.

        Returns False, and changes nothing, where the account has too many from this address.
        """

    def hold(self, octets: int) -> None:
        """Count the octets of an unfinished command that the session keeps, just before it reads more.

        Raises ConversationEnded: OVERLOAD where clients that have not logged in hold too much together.
        """

    def has_hung_up(self) -> bool:
        """Return whether the peer will send no more; it may have gone, or only wait for answers."""

    def read(self, timeout: float) -> Awaitable[bytes]:
        """Send what was written, then return the bytes that came, at least one.

        Returns empty bytes after a ``wake``. Raises ConversationEnded: LOST when the peer has closed,
        TIMEOUT after ``timeout`` seconds of silence, SHUTDOWN when the server stops. After TIMEOUT the
        wire is as it was: a session may do something else and read again.
        """

    def wake(self) -> None:
        """Make the present ``read``, or else the next, return at once. Reactor thread only."""

    async def yield_to_others(self) -> None:
        """Let other connections go first if this one has worked for a while. Cheap otherwise."""

    async def start_tls(self) -> None:
        """Send what was written in clear, then speak TLS from the next byte on.

        The caller makes sure that nothing is unread. Raises ConversationEnded.
        """

    def close(self) -> None:
        """Send what was written and close. From now on ``read`` and ``drain`` raise ConversationEnded."""


async def read_before(deadline: float, wire: Wire, clock: Clock) -> bytes:
    """Return the bytes that came before ``deadline``, a moment of ``clock.monotonic()``.

    Bytes that come singly do not put it off. Raises ConversationEnded, as ``Wire.read`` does.
    """
    seconds = deadline - clock.monotonic()
    if seconds <= 0:
        raise ConversationEnded(ConversationEnded.Reason.TIMEOUT)
    return await wire.read(seconds)


class Session(Protocol):
    """One conversation, from greeting to farewell."""

    async def run(self) -> None:
        """Hold the conversation; return when it is over.

        Catches ConversationEnded, and writes its protocol's farewell on TIMEOUT and SHUTDOWN.
        """
