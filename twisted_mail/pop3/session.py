"""What commands see of one conversation: the lines that come and the replies that go."""

import math
from dataclasses import dataclass, field
from typing import Final

from twisted_mail.interfaces import VALID_SECONDS, Wire, read_before
from twisted_mail.mail.foreign_protocol import ForeignProtocol
from twisted_mail.mail.outcome import ProtocolError, Refused
from twisted_mail.pop3 import grammar
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.framing import BadLine, Framer
from twisted_mail.pop3.limits import ClientLimits
from twisted_mail.pop3.locked_maildrop import LockedMaildrop
from twisted_mail.pop3.settings import Settings
from twisted_mail.pop3.state import State

DRAIN_AFTER: Final = 64 * 1024  # octets written before the peer is waited for


@dataclass(slots=True)
class Pop3Session:
    """One conversation. Commands see its public attributes."""

    wire: Wire
    settings: Settings
    backend: Pop3Backend
    framer: Framer = field(init=False)
    limits: ClientLimits = field(init=False)
    user: str = ""  # the name that USER gave, until PASS
    locked: LockedMaildrop | None = None  # after login
    end_reason: str = ""  # why the conversation ends, once the reply has been written
    is_amid_reply: bool = False  # a multi-line reply has begun, and no other can be written
    _unsent: int = 0
    _asked_at: float = -math.inf  # whether the login holds, by ``Wire.woke_at``

    def __post_init__(self) -> None:
        self.framer = Framer(self.settings.max_line, self.settings.max_auth_line)
        self.limits = ClientLimits(self.settings, self.backend.clock)

    # ------------------------------------------------------------ state

    @property
    def state(self) -> State:
        """Return the state of the session."""
        return State.AUTHORIZATION if self.locked is None else State.TRANSACTION

    @property
    def maildrop(self) -> LockedMaildrop:
        """Return the maildrop. Raises ProtocolError before login."""
        if self.locked is None:
            raise ProtocolError("Log in first")
        return self.locked

    def enter_transaction(self, maildrop: LockedMaildrop) -> None:
        """Go to the TRANSACTION state."""
        self.locked = maildrop
        self.limits.is_known = True

    def count_login_failure(self) -> None:
        """Count a refused login; after too many the conversation ends."""
        if self.limits.count_login_failure():
            self.end_reason = "failed logins"

    async def require_valid_login(self) -> None:
        """Raise Refused, and end the session, if the account has been removed or disabled since."""
        if self.locked is None or abs(self.wire.woke_at - self._asked_at) < VALID_SECONDS:
            return  # not ``<`` alone: the clock may be set back
        if not await self.locked.maildrop.is_valid():
            self.end_reason = "login no longer valid"
            raise Refused("The account was removed or disabled")
        self._asked_at = self.wire.woke_at

    async def release(self) -> None:
        """Give back the maildrop, if there is one. Nothing can be written any more."""
        if self.locked is not None:
            await self.locked.close(self.settings.marks_seen)

    # ------------------------------------------------------------ lines

    async def read_line(self, is_response: bool = False) -> bytes:
        """Return the next line.

        Raises ProtocolError for a malformed one, ForeignProtocol for TLS, and ConversationEnded.
        It must come whole within the time that the client may be silent: one that sends an octet now
        and then counts as silent. ``is_response`` is for a line of a SASL exchange.
        """
        if self._unsent >= DRAIN_AFTER:
            await self._drain()
        line = self.framer.next(is_response)
        if line is None:
            line = await self._awaited_line(is_response)
        if line is BadLine.TLS:
            raise ForeignProtocol("TLS")
        if isinstance(line, BadLine):
            raise ProtocolError(line.value)
        return line

    async def _awaited_line(self, is_response: bool) -> bytes | BadLine:
        """Return the next line, when its end has come."""
        clock = self.backend.clock
        deadline = clock.monotonic() + self.limits.seconds
        while (line := self.framer.next(is_response)) is None:
            if not self.framer.is_empty:
                self.wire.hold(self.framer.held)
            self.framer.feed(await read_before(deadline, self.wire, clock))
            self._unsent = 0
        return line

    @property
    def has_unread(self) -> bool:
        """Return whether anything has come that was not yet looked at."""
        return not self.framer.is_empty or self.wire.has_unread

    # ------------------------------------------------------------ replies

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
        if self._unsent >= DRAIN_AFTER:
            await self._drain()

    async def _drain(self) -> None:
        """Wait for the peer when much was written: pipelined commands pile up replies too."""
        self._unsent = 0
        await self.wire.drain()

    def open_reply(self, line: bytes) -> None:
        """Write the first line of a multi-line reply."""
        self.send(line)
        self.is_amid_reply = True

    def close_reply(self, end: bytes = b".\r\n") -> None:
        """Write the end of a multi-line reply."""
        self.send(end)
        self.is_amid_reply = False
