"""One IMAP conversation, from greeting to farewell (RFC 3501).

``session`` is what commands see; here is the loop: take an event from the framer, or read. While a
command runs nothing else does, so answers are in the order of the commands, however they were
pipelined.
"""

from twisted_mail.imap.append_literal import AppendLiteral
from twisted_mail.imap.backend import ImapBackend
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.table import ImapTables
from twisted_mail.imap.framing_events import (
    CompleteCommand,
    ContinuationRequest,
    MessageBegins,
    MessageEvent,
    RejectedCommand,
)
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.response_syntax import refusal
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.settings import Settings
from twisted_mail.imap.state import State
from twisted_mail.interfaces import VALID_SECONDS, ConversationEnded, Wire
from twisted_mail.mail.foreign_protocol import ForeignProtocol, is_http
from twisted_mail.mail.outcome import MailError, ProtocolError

__all__ = ["ImapBackend", "ImapLoop"]

SERVICE = "imap"
_FAREWELLS = {
    ConversationEnded.Reason.TIMEOUT: b"* BYE Autologout; idle for too long\r\n",
    ConversationEnded.Reason.SHUTDOWN: b"* BYE Server shutting down\r\n",
    ConversationEnded.Reason.OVERLOAD: b"* BYE [UNAVAILABLE] Too much to do now; try again later\r\n",
}
_CONTINUATION = b"+ OK\r\n"
# Commands whose answers leave together at most; each may have left 64 KiB unsent.
_COMMANDS_PER_DRAIN = 16


class ImapLoop:
    """One IMAP conversation. Fulfils ``interfaces.Session``."""

    __slots__ = ("_append_literal", "_commands", "_taken", "session")

    def __init__(
        self,
        wire: Wire,
        settings: Settings,
        backend: ImapBackend,
        tables: ImapTables,
    ) -> None:
        self.session = ImapSession(wire, settings, backend, tables)
        self._commands = tables.commands
        self._append_literal = AppendLiteral(self.session.framer, backend.blob_writer)
        self._taken = 0  # events since the wire last sent

    # ------------------------------------------------------------ the conversation

    async def run(self) -> None:
        """Hold the conversation; return when it is over."""
        wire, journal = self.session.wire, self.session.backend.journal
        journal.connected(SERVICE, wire.peer)
        reason = "failed"
        try:
            reason = await self._converse()
        except ConversationEnded as ending:
            reason = ending.reason.value
            wire.write(_FAREWELLS.get(ending.reason, b""))
        except Exception:
            journal.failed(SERVICE)
            wire.write(b"* BYE [SERVERBUG] Internal error\r\n")
        finally:
            self._release()
            journal.disconnected(SERVICE, wire.peer, reason)

    async def _converse(self) -> str:
        session = self.session
        wire, framer, limits = session.wire, session.framer, session.limits
        self._greet()
        while not session.end_reason:
            if framer.is_empty and limits.is_known:  # nearly always
                self._taken = 0
                event = framer.begin(await wire.read(session.settings.idle_timeout))
            else:
                event = framer.next()
            if event is None:
                self._taken = 0
                await session.read_more()
                continue
            if self._taken:
                await self._give_way()
            self._taken += 1
            if isinstance(event, CompleteCommand):
                await self._run_command(event)
            else:
                await self._take(event)
        wire.write(session.farewell)
        return session.end_reason

    def _greet(self) -> None:
        session = self.session
        capabilities, hostname = session.capabilities(), session.backend.hostname
        greeting = f"OK [CAPABILITY {capabilities}] {hostname} IMAP4rev1 ready"
        session.untagged(greeting.encode("ascii", "replace"))

    def _release(self) -> None:
        session = self.session
        for give_back in (
            session.deselect,
            self._append_literal.discard,
            session.framer.close,
            session.log_out,
        ):
            try:
                give_back()
            except Exception:
                session.backend.journal.failed(SERVICE)
        session.wire.close()

    # ------------------------------------------------------------ what the framer finds

    async def _take(self, event: RejectedCommand | ContinuationRequest | MessageEvent) -> None:
        """Take what is no command."""
        wire = self.session.wire
        if isinstance(event, RejectedCommand):
            self._answer_fault(event)
        elif isinstance(event, ContinuationRequest):
            wire.write(_CONTINUATION)
        else:
            if isinstance(event, MessageBegins) and event.is_awaited:
                wire.write(_CONTINUATION)
            await self._append_literal.take(event)

    async def _give_way(self) -> None:
        """Let others go first before more of what the client has sent at once.

        A client that does not take the answers is waited for.
        """
        if self._taken < _COMMANDS_PER_DRAIN:
            await self.session.wire.yield_to_others()
        else:
            self._taken = 0
            await self.session.wire.drain()

    def _answer_fault(self, fault: RejectedCommand) -> None:
        if isinstance(fault.error, ForeignProtocol):
            self._refuse_foreign(fault.error.name)
            return
        self._answer(fault.tag, refusal(fault.error))
        self._count_error(fault.error)
        if fault.is_fatal:
            self.session.end_session("flood", "Too much data")

    # ------------------------------------------------------------ commands

    async def _run_command(self, complete: CompleteCommand) -> None:
        session = self.session
        reader = Reader(complete.data, complete.blobs)
        tag = "*"
        try:
            tag = reader.tag()
            name, is_uid = reader.command_name()
            # The clock may be set back.
            if abs(session.wire.woke_at - session.asked_at) >= VALID_SECONDS:
                await session.require_valid_login()
            command = self._find(name, is_uid)
            answer = await self._outcome(command, reader, is_uid)
            selected = session.selected
            if selected is not None and selected.view.has_updates and not session.end_reason:
                await session.send_updates(may_expunge=is_uid or not command.keeps_numbers)
        except MailError as error:  # no such command, or not now
            # Who has logged in speaks IMAP.
            if session.state is State.NOT_AUTHENTICATED and is_http(complete.data):
                self._refuse_foreign("HTTP")
                return
            self._count_error(error)
            answer = refusal(error)
        finally:
            if complete.blobs:
                reader.close()
        self._answer(tag, answer)
        if session.after_answer is not None:
            await self._follow_up()
        if session.selected is not None and session.selected.view.is_removed:
            session.end_session("mailbox deleted", "The selected mailbox was deleted")

    def _refuse_foreign(self, protocol: str) -> None:
        """End a conversation in another protocol: nothing of what follows, such as a body, is run."""
        session = self.session
        session.backend.journal.refused(
            SERVICE, session.wire.peer, "", f"it does not speak IMAP: {protocol}"
        )
        session.end_session("another protocol", "This server speaks IMAP")

    def _find(self, name: str, is_uid: bool) -> Command:
        """Return a command that is known, and possible now. Raises ProtocolError."""
        command = self._commands.get(name)
        if command is None or (is_uid and not command.has_uid_form):
            raise ProtocolError("Unknown command")
        state = self.session.state
        if state not in command.states:
            raise ProtocolError(f"Not possible {state.value}")
        return command

    async def _outcome(self, command: Command, reader: Reader, is_uid: bool) -> str:
        """Run a command and return what follows its tag."""
        session = self.session
        try:
            answer = "OK " + await command.run(session, reader, is_uid)
            if session.selected is not None and session.selected.mailbox.faulty:
                session.selected.require_no_faults()
        except ConversationEnded:
            raise
        except Exception as error:
            return self._failure(command, error)
        if session.limits.errors:
            session.limits.count_success()
        return answer

    def _failure(self, command: Command, error: Exception) -> str:
        """Return what follows the tag of a command that failed; note what is no answer but a bug."""
        session = self.session
        if session.selected is not None:
            session.selected.mailbox.forget_faulty()  # those of this command
        if isinstance(error, MailError):
            self._count_error(error)
            return refusal(error)
        session.backend.journal.failed(f"{SERVICE} {command.name}")
        return "NO [SERVERBUG] Internal error; it has been noted"

    async def _follow_up(self) -> None:
        after_answer, self.session.after_answer = self.session.after_answer, None
        if after_answer is not None:
            await after_answer()

    def _count_error(self, error: MailError) -> None:
        if self.session.limits.count_error(error):
            self.session.end_session("errors", "Too many bad commands")

    def _answer(self, tag: str, line: str) -> None:
        self.session.wire.write(f"{tag} {line}\r\n".encode("ascii", "replace"))
