"""What the states of one POP3 session share: the lines that come and the replies that go."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from twisted_mail.interfaces import Wire, read_before
from twisted_mail.mail.outcome import ProtocolError
from twisted_mail.pop3 import grammar
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.framing import Framer, TooLong
from twisted_mail.pop3.settings import Settings

DRAIN_AFTER: Final = 64 * 1024  # octets written before the peer is waited for

Command = Callable[[bytes], Awaitable[None]]


class Pop3State(Protocol):
    """One of the states of a session (RFC 1939 §3): the commands that are right in it."""

    def command(self, keyword: str) -> Command | None:
        """Return the command of this name, or None. It takes its argument and writes its reply."""

    @property
    def timeout(self) -> float:
        """Return how long the next command may be waited for, in seconds."""

    async def end(self) -> None:
        """Give back what the state holds. Nothing can be written any more."""


@dataclass(slots=True)
class Pop3Session:
    """One conversation: wire, terms, lines in and replies out."""

    wire: Wire
    settings: Settings
    backend: Pop3Backend
    framer: Framer = field(init=False)
    end_reason: str = ""  # why the conversation shall end, once the reply has been written
    is_amid_reply: bool = False  # a multi-line reply has begun, and no other can be written
    _unsent: int = 0

    def __post_init__(self) -> None:
        self.framer = Framer(self.settings.max_line, self.settings.max_auth_line)

    async def read_line(self, timeout: float, is_response: bool = False) -> bytes:
        """Return the next line. Raises ProtocolError when it is too long, and ConversationEnded.

        It is to come whole within ``timeout``: a client that sends an octet now and then is silent too.
        """
        await self._apply_back_pressure()
        deadline = self.backend.clock.monotonic() + timeout
        while (line := self.framer.next(is_response)) is None:
            self.framer.feed(await read_before(deadline, self.wire, self.backend.clock))
            self._unsent = 0
        if isinstance(line, TooLong):
            raise ProtocolError("The line is too long")
        return line

    @property
    def has_unread(self) -> bool:
        """Say whether anything has come that was not yet looked at."""
        return not self.framer.is_empty or self.wire.has_unread

    def ok(self, words: str = "") -> None:
        """Write a positive reply of one line."""
        self.send(grammar.ok(words))

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self.wire.write(data)
        self._unsent += len(data)

    async def stream(self, data: bytes) -> None:
        """Write bytes of a long reply, and wait for the peer now and then."""
        self.send(data)
        await self._apply_back_pressure()

    async def _apply_back_pressure(self) -> None:
        """Wait for the peer when much was written: pipelined commands pile up replies too."""
        if self._unsent >= DRAIN_AFTER:
            self._unsent = 0
            await self.wire.drain()

    def open_reply(self, words: str = "") -> None:
        """Write the first line of a multi-line reply."""
        self.ok(words)
        self.is_amid_reply = True

    def close_reply(self, end: bytes = b".\r\n") -> None:
        """Write the end of a multi-line reply."""
        self.send(end)
        self.is_amid_reply = False
