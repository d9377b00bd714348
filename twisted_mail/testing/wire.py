"""The doors to a connection and to the bytes of a message, played from a script."""

from collections.abc import Callable, Iterable

from twisted_mail.interfaces import ConversationEnded, Peer, TlsInfo
from twisted_mail.mail.message import MemoryBlob
from twisted_mail.testing.doubles import StillClock

LOST, TIMEOUT = ConversationEnded.Reason.LOST, ConversationEnded.Reason.TIMEOUT
PEER = Peer("192.0.2.1", 54321)
TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)
UNREAD = b"(unread)"  # a step that shows before it is read
TLS_STARTED = b"(TLS)\r\n"  # stands in ``groups`` where TLS begins

Step = str | bytes | ConversationEnded.Reason | Callable[[], bytes | None]


class ScriptedWire:
    """A wire whose peer does what a script says. Fulfils ``interfaces.Wire``.

    Each read takes one step: octets; a line, to which CRLF is added; the end of the conversation, where
    a TIMEOUT moves ``clock`` on; or something that happens and may return octets. After the last
    step comes ``ending``. Reads are a second apart, by ``woke_at``. Kept is what was ``written``, also in
    the ``groups`` in which it left, and how often others could have had their turn.
    """

    def __init__(
        self,
        script: Iterable[Step] = (),
        ending: ConversationEnded.Reason = LOST,
        *,
        clock: StillClock | None = None,
        may_start_tls: bool = False,
        takes_passwords: bool = True,
        takes_accounts: bool = True,
    ) -> None:
        self.script = list(script)
        self.ending = ending
        self.may_start_tls = may_start_tls
        self.takes_passwords = takes_passwords
        self.peer = PEER
        self.tls_info: TlsInfo | None = None
        self.written = bytearray()
        self.groups: list[bytes] = []
        self.timeouts: list[float] = []
        self.held: list[int] = []
        self.most_held = 1 << 30
        self.on_read: Callable[[], None] = lambda: None
        self.largest_write = self.drains = self.turns = self.wakes = 0
        self.is_closed = False
        self.woke_at = 0.0
        self.account = ""
        self.takes_accounts = takes_accounts
        self._clock = clock
        self._pending = bytearray()

    @property
    def has_unread(self) -> bool:
        """Return whether the next step is UNREAD."""
        return bool(self.script) and self.script[0] == UNREAD

    @property
    def text(self) -> str:
        """Return what has left, as text."""
        return b"".join(self.groups).decode("latin-1")

    def write(self, data: bytes) -> None:
        """Take octets to send. Raises AssertionError when the wire is closed."""
        assert not self.is_closed
        self.written += data
        self._pending += data
        self.largest_write = max(self.largest_write, len(data))

    def _flush(self) -> None:
        if self._pending:
            self.groups.append(bytes(self._pending))
            self._pending.clear()

    async def drain(self) -> None:
        """Send what was written."""
        self.drains += 1
        self._flush()

    async def yield_to_others(self) -> None:
        """Count a turn."""
        self.turns += 1

    def belongs_to(self, account: str) -> bool:
        """Keep who has logged in; return whether that account may have the connection."""
        self.account = account
        return self.takes_accounts

    def hold(self, octets: int) -> None:
        """Note what the session keeps; raise ConversationEnded if that is more than ``most_held``."""
        self.held.append(octets)
        if octets > self.most_held:
            raise ConversationEnded(ConversationEnded.Reason.OVERLOAD)

    def has_hung_up(self) -> bool:
        """Return that the peer may send more."""
        return False

    async def read(self, timeout: float) -> bytes:
        """Take the next step."""
        self._flush()
        self.on_read()
        self.woke_at += 1.0
        self.timeouts.append(timeout)
        if self.wakes:
            self.wakes -= 1
            return b""
        step = self.script.pop(0) if self.script else self.ending
        if isinstance(step, ConversationEnded.Reason):
            if step is TIMEOUT and self._clock is not None:
                self._clock.seconds += timeout
            raise ConversationEnded(step)
        if isinstance(step, str):
            return step.encode() + b"\r\n"
        return step if isinstance(step, bytes) else step() or b""

    def wake(self) -> None:
        """Let the next read return nothing, before its step."""
        self.wakes += 1

    async def start_tls(self) -> None:
        """Turn TLS on, in name only."""
        self._flush()
        self.groups.append(TLS_STARTED)
        self.tls_info = TLS
        self.may_start_tls, self.takes_passwords = False, True

    def close(self) -> None:
        """Send what was written and close."""
        self._flush()
        self.is_closed = True


class FakeBlobWriter:
    """Keeps the octets of a message, or fails with ``error``. Fulfils ``interfaces.BlobWriter``."""

    def __init__(self, error: Exception | None = None) -> None:
        self.data = b""
        self.is_discarded = False
        self._error = error

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return len(self.data)

    async def write(self, data: bytes) -> None:
        """Take octets. Raises AssertionError when the writer was given up."""
        assert not self.is_discarded
        if self._error is not None:
            raise self._error
        self.data += data

    async def finish(self) -> MemoryBlob:
        """Return the octets as a blob."""
        if self._error is not None:
            raise self._error
        self.discard()  # as SpoolWriter does: the blob has it all
        return MemoryBlob(self.data)

    def discard(self) -> None:
        """Give the message up."""
        self.is_discarded = True
