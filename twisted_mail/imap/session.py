"""One IMAP conversation, from greeting to farewell (RFC 3501).

    state               left by                           to
    not authenticated   LOGIN, AUTHENTICATE               authenticated
    authenticated       SELECT, EXAMINE                   selected
    selected            CLOSE, UNSELECT, a failed SELECT  authenticated
    any                 LOGOUT, silence, too many errors  the end

One loop: take an event from the framer, or read. While a command runs nothing else does, so answers
are in the order of the commands, however they were pipelined.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from twisted_mail.imap import capabilities
from twisted_mail.imap.append_literal import AppendLiteral
from twisted_mail.imap.backend import ImapBackend
from twisted_mail.imap.command import Command, State
from twisted_mail.imap.commands import find
from twisted_mail.imap.events import (
    CompleteCommand,
    ContinuationRequest,
    Event,
    MessageBegins,
    RejectedCommand,
)
from twisted_mail.imap.framing import Framer
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.limits import ClientLimits
from twisted_mail.imap.settings import Settings
from twisted_mail.imap.view import Selected, View
from twisted_mail.imap.writing import refusal
from twisted_mail.interfaces import Account, ConversationEnded, Mailbox, Mailboxes, Wire
from twisted_mail.mail.outcome import MailError, ProtocolError

if TYPE_CHECKING:
    from twisted_mail.imap.fetch.outline import Outline

SERVICE = "imap"
_FAREWELLS = {
    ConversationEnded.Reason.TIMEOUT: b"* BYE Autologout; idle for too long\r\n",
    ConversationEnded.Reason.SHUTDOWN: b"* BYE Server shutting down\r\n",
}
_CONTINUATION = b"+ OK\r\n"
_COMMANDS_PER_DRAIN = (
    16  # commands whose answers leave together at most; each may have left 64 KiB unsent
)
_LINES_PER_DRAIN = 1000  # untagged answers between two drains


class ImapSession:
    """One conversation. Commands see its public attributes.

    ``enabled`` holds what ENABLE switched on; ``after_answer`` is awaited once, behind the answer to the
    present command.
    """

    __slots__ = (
        "_append_literal",
        "_avatar",
        "_client_limits",
        "_end_reason",
        "_farewell",
        "_unsent",
        "after_answer",
        "backend",
        "enabled",
        "framer",
        "selected",
        "settings",
        "wire",
    )

    def __init__(self, wire: Wire, settings: Settings, backend: ImapBackend) -> None:
        self.wire = wire
        self.settings = settings
        self.backend = backend
        self.framer = Framer(settings.before_login)
        self.enabled: set[str] = set()
        self.selected: Selected | None = None
        self.after_answer: Callable[[], Awaitable[None]] | None = None
        self._avatar: Mailboxes | None = None
        self._append_literal = AppendLiteral(self.framer, backend.blob_writer)
        self._client_limits = ClientLimits(settings, backend.clock)
        self._unsent = 0  # answered commands since the wire last sent
        self._end_reason = ""  # why the loop shall end
        self._farewell = b""

    # ------------------------------------------------------------ the conversation

    async def run(self) -> None:
        """Hold the conversation; return when it is over."""
        peer, journal = self.wire.peer, self.backend.journal
        journal.connected(SERVICE, peer)
        reason = "failed"
        try:
            reason = await self._converse()
        except ConversationEnded as ending:
            reason = ending.reason.value
            self.wire.write(_FAREWELLS.get(ending.reason, b""))
        except Exception:
            journal.failed(SERVICE)
            self.wire.write(b"* BYE [SERVERBUG] Internal error\r\n")
        finally:
            self._release()
            journal.disconnected(SERVICE, peer, reason)

    async def _converse(self) -> str:
        greeting = f"OK [CAPABILITY {self.capabilities()}] {self.backend.hostname} IMAP4rev1 ready"
        self.untagged(greeting.encode("ascii", "replace"))
        while not self._end_reason:
            event = self.framer.next()
            if event is None:
                self.framer.feed(await self.wire.read(self._limit()))
                self._unsent = 0
            else:
                await self._take(event)
        self.wire.write(self._farewell)
        return self._end_reason

    def _release(self) -> None:
        for give_back in (
            self.deselect,
            self._append_literal.discard,
            self.framer.close,
            self._log_out,
        ):
            try:
                give_back()
            except Exception:
                self.backend.journal.failed(SERVICE)
        self.wire.close()

    def _log_out(self) -> None:
        if self._avatar is not None:
            self._avatar.logout()

    def end_session(self, reason: str, farewell: str = "") -> None:
        """End the conversation behind the present answer; ``reason`` is for the journal."""
        self._end_reason = self._end_reason or reason
        if farewell and not self._farewell:
            self._farewell = b"* BYE %b\r\n" % farewell.encode("ascii")

    def _limit(self) -> float:
        """Return how long the client may be silent now. Raises ConversationEnded."""
        return self._client_limits.seconds(is_between=self.framer.is_empty)

    # ------------------------------------------------------------ what commands see

    @property
    def state(self) -> State:
        """Return the state of the connection."""
        if self._avatar is None:
            return State.NOT_AUTHENTICATED
        return State.AUTHENTICATED if self.selected is None else State.SELECTED

    @property
    def account(self) -> Account:
        """Return the account that is logged in."""
        if self._avatar is None:
            raise ProtocolError("Log in first")
        return self._avatar.account

    @property
    def mailbox(self) -> Mailbox:
        """Return the selected mailbox."""
        return self._selected().mailbox

    @property
    def view(self) -> View:
        """Return what the client knows of the selected mailbox."""
        return self._selected().view

    @property
    def is_read_only(self) -> bool:
        """Say whether the mailbox was selected by EXAMINE."""
        return self._selected().is_read_only

    @property
    def parts(self) -> "OrderedDict[int, Outline]":
        """Return where FETCH remembers the structure of large messages of the selected mailbox."""
        return self._selected().parts

    def _selected(self) -> Selected:
        if self.selected is None:
            raise ProtocolError("Select a mailbox first")
        return self.selected

    def deselect(self) -> None:
        """Give the selected mailbox back, if there is one."""
        selected, self.selected = self.selected, None
        if selected is not None:
            selected.close()

    def capabilities(self) -> str:
        """Return the capabilities in the present state."""
        if self._avatar is None:
            return capabilities.before_login(self.wire, self.backend.mechanisms)
        return capabilities.after_login(self.settings.max_size)

    def enter_authenticated(self, face: Mailboxes) -> None:
        """Go to the authenticated state."""
        self._avatar = face
        self._client_limits.count_login()
        self.framer.limits = self.settings.after_login

    def count_login_failure(self) -> None:
        """Note a refused login; after too many the conversation ends."""
        if self._client_limits.count_login_failure():
            self.end_session("login failures", "Too many failed logins")

    # ------------------------------------------------------------ what the framer says

    async def _take(self, event: Event) -> None:
        await self.wire.yield_to_others()
        if isinstance(event, CompleteCommand):
            await self._run_command(event)
            await self._apply_back_pressure()
        elif isinstance(event, RejectedCommand):
            self._answer_fault(event)
        elif isinstance(event, ContinuationRequest):
            self.wire.write(_CONTINUATION)
        else:
            if isinstance(event, MessageBegins) and event.is_awaited:
                self.wire.write(_CONTINUATION)
            await self._append_literal.take(event)

    async def _apply_back_pressure(self) -> None:
        """Wait for a client that sends many commands at once and does not take the answers."""
        self._unsent += 1
        if self._unsent >= _COMMANDS_PER_DRAIN:
            self._unsent = 0
            await self.wire.drain()

    def _answer_fault(self, fault: RejectedCommand) -> None:
        self._answer(fault.tag, refusal(fault.error))
        self._count_error(fault.error)
        if fault.is_fatal:
            self.end_session("flood", "Too much data")

    # ------------------------------------------------------------ commands

    async def _run_command(self, whole: CompleteCommand) -> None:
        reader = whole.reader()
        tag = "*"
        try:
            tag = reader.tag()
            command, is_uid = find(reader, self.state)
            answer = await self._outcome(command, reader, is_uid)
            await self.send_updates(may_expunge=is_uid or not command.keeps_numbers)
        except MailError as error:  # no such command, or not now
            self._count_error(error)
            answer = refusal(error)
        finally:
            reader.close()
        self._answer(tag, answer)
        await self._follow_up()

    async def _outcome(self, command: Command, reader: Reader, is_uid: bool) -> str:
        """Run a command and return what follows its tag."""
        try:
            answer = "OK " + await command.run(self, reader, is_uid)
        except MailError as error:
            self._count_error(error)
            return refusal(error)
        except ConversationEnded:
            raise
        except Exception:
            self.backend.journal.failed(f"{SERVICE} {command.name}")
            return "NO [SERVERBUG] Internal error; it has been noted"
        self._client_limits.count_success()
        return answer

    async def _follow_up(self) -> None:
        afterwards, self.after_answer = self.after_answer, None
        if afterwards is not None:
            await afterwards()
        if self.selected is not None and self.selected.view.is_removed:
            self.end_session("mailbox deleted", "The selected mailbox was deleted")

    def _count_error(self, error: MailError) -> None:
        if self._client_limits.count_error(error):
            self.end_session("errors", "Too many bad commands")

    # ------------------------------------------------------------ answers

    def untagged(self, line: bytes) -> None:
        """Write one untagged answer, without ``*`` and CRLF."""
        self.wire.write(b"* %b\r\n" % line)

    def _answer(self, tag: str, line: str) -> None:
        self.wire.write(f"{tag} {line}\r\n".encode("ascii", "replace"))

    async def read_line(self) -> bytes:
        """Return the client's next line, which is no command (RFC 3501 §6.2.2)."""
        while (line := self.framer.line()) is None:
            self.framer.feed(await self.wire.read(self._limit()))
        return line

    async def send_updates(self, may_expunge: bool) -> None:
        """Tell the client what happened in the selected mailbox (RFC 3501 §5.2)."""
        if self.selected is None or not self.selected.view.has_updates:
            return
        view = self.selected.view
        for _ in range(view.update_rounds):
            await self._write_untagged(view.updates(may_expunge))

    async def _write_untagged(self, lines: Sequence[bytes]) -> None:
        """Write untagged answers, in pieces that the client takes one after the other."""
        for start in range(0, len(lines), _LINES_PER_DRAIN):
            part = lines[start : start + _LINES_PER_DRAIN]
            self.wire.write(b"* %b\r\n" % b"\r\n* ".join(part))
            if len(part) == _LINES_PER_DRAIN:
                await self.wire.drain()
