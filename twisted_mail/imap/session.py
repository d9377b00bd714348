"""What commands see of one IMAP conversation: its state, its doors, the lines in and out (RFC 3501 §3).

    state               left by                           to
    not authenticated   LOGIN, AUTHENTICATE               authenticated
    authenticated       SELECT, EXAMINE                   selected
    selected            CLOSE, UNSELECT, a failed SELECT  authenticated
    any                 LOGOUT, silence, too many errors  the end

``loop`` runs the conversation.
"""

import math
from collections.abc import Awaitable, Callable, Sequence

from twisted_mail.imap.backend import ImapBackend
from twisted_mail.imap.capabilities import CapabilityContext
from twisted_mail.imap.framing import Framer
from twisted_mail.imap.limits import ClientLimits
from twisted_mail.imap.selected import Selected
from twisted_mail.imap.settings import Settings, limits_after_login, limits_before_login
from twisted_mail.imap.state import State
from twisted_mail.imap.tables import SessionTables
from twisted_mail.interfaces import Account, Mailboxes, Wire
from twisted_mail.mail.outcome import ProtocolError, Refused

_LINES_PER_DRAIN = 1000  # untagged answers between two drains


class ImapSession:
    """One conversation, as commands see it.

    ``enabled`` holds what ENABLE switched on; ``after_answer`` is awaited once, after the answer to the
    present command. The conversation ends when ``end_reason`` is set, with ``farewell`` as the last
    octets sent. ``asked_at`` is when it was asked last whether the login holds, by ``Wire.woke_at``.
    """

    __slots__ = (
        "_avatar",
        "after_answer",
        "asked_at",
        "backend",
        "enabled",
        "end_reason",
        "farewell",
        "framer",
        "limits",
        "selected",
        "settings",
        "state",
        "tables",
        "wire",
    )

    def __init__(
        self, wire: Wire, settings: Settings, backend: ImapBackend, tables: SessionTables
    ) -> None:
        self.wire = wire
        self.settings = settings
        self.backend = backend
        self.tables = tables
        self.framer = Framer(limits_before_login(settings))
        self.limits = ClientLimits(settings, backend.clock)
        self.enabled: set[str] = set()
        self.selected: Selected | None = None
        self.after_answer: Callable[[], Awaitable[None]] | None = None
        self.state = State.NOT_AUTHENTICATED
        self.end_reason = ""
        self.farewell = b""
        self._avatar: Mailboxes | None = None
        self.asked_at = -math.inf

    # ------------------------------------------------------------ state

    async def account(self) -> Account:
        """Return the account that is logged in, opened at first use.

        Raises ProtocolError before login.
        """
        if self._avatar is None:
            raise ProtocolError("Log in first")
        return await self._avatar.open()

    def require_selected(self) -> Selected:
        """Return the selected mailbox. Raises ProtocolError where none is selected."""
        if self.selected is None:
            raise ProtocolError("Select a mailbox first")
        return self.selected

    def select(self, selected: Selected) -> None:
        """Go to the selected state. No other mailbox is selected."""
        self.selected = selected
        self.state = State.SELECTED

    def deselect(self) -> None:
        """Give the selected mailbox back, if there is one."""
        selected, self.selected = self.selected, None
        if selected is not None:
            self.state = State.AUTHENTICATED
            selected.close()

    def capabilities(self) -> str:
        """Return the capabilities in the present state."""
        context = CapabilityContext(
            self.settings,
            tuple(self.backend.mechanisms),
            self._avatar is not None,
            self.wire.tls_info,
            self.wire.may_start_tls,
            self.wire.takes_passwords,
        )
        return self.tables.capability_line(context)

    def enter_authenticated(self, avatar: Mailboxes) -> None:
        """Go to the authenticated state."""
        self._avatar = avatar
        self.asked_at = self.wire.woke_at
        self.state = State.AUTHENTICATED
        self.limits.is_known = True
        self.framer.limits = limits_after_login(self.settings)

    async def require_valid_login(self) -> None:
        """Raise Refused, and end the session, if the account has been removed or disabled since."""
        if self._avatar is not None and not await self._avatar.is_valid():
            self.end_session("login no longer valid", "The account was removed or disabled")
            raise Refused("The account was removed or disabled", "EXPIRED")
        self.asked_at = self.wire.woke_at

    def log_out(self) -> None:
        """End the login, if there is one."""
        if self._avatar is not None:
            self._avatar.logout()

    def count_login_failure(self) -> None:
        """Count a refused login; after too many the conversation ends."""
        if self.limits.count_login_failure():
            self.end_session("failed logins", "Too many failed logins")

    def end_session(self, reason: str, farewell: str = "") -> None:
        """End the conversation after the present answer; ``reason`` is for the journal."""
        self.end_reason = self.end_reason or reason
        if farewell and not self.farewell:
            self.farewell = b"* BYE %b\r\n" % farewell.encode("ascii")

    # ------------------------------------------------------------ lines

    def untagged(self, line: bytes) -> None:
        """Write one untagged answer, without ``*`` and CRLF."""
        self.wire.write(b"* %b\r\n" % line)

    async def read_line(self) -> bytes:
        """Return the client's next line, which is no command (RFC 3501 §6.2.2)."""
        while (line := self.framer.line()) is None:
            await self.read_more()
        return line

    async def read_more(self) -> None:
        """Wait for what the client sends next. Raises ConversationEnded."""
        framer, is_between = self.framer, self.framer.is_empty
        if not is_between:
            self.wire.hold(framer.held)
        framer.feed(await self.wire.read(self.limits.seconds(is_between)))

    async def send_updates(self, may_expunge: bool) -> None:
        """Send what happened in the selected mailbox (RFC 3501 §5.2)."""
        if self.selected is None or not self.selected.view.has_updates:
            return
        view = self.selected.view
        for each in range(view.update_rounds):
            if each:
                await self.wire.drain()
            await self._write_untagged(view.updates(may_expunge))

    async def _write_untagged(self, lines: Sequence[bytes]) -> None:
        """Write untagged answers, in pieces that the client takes one after the other."""
        for start in range(0, len(lines), _LINES_PER_DRAIN):
            part = lines[start : start + _LINES_PER_DRAIN]
            self.wire.write(b"* %b\r\n" % b"\r\n* ".join(part))
            if len(part) == _LINES_PER_DRAIN:
                await self.wire.drain()
