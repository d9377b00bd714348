"""One SMTP conversation on the server's side, from greeting to farewell.

``state`` is what it knows, ``commands`` what it does; here is the loop, and what ends it.
"""

from collections.abc import Mapping
from typing import ClassVar

from twisted_mail.interfaces import ConversationEnded, Wire
from twisted_mail.mail.outcome import MailError
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.backend import SmtpBackend
from twisted_mail.smtp.commands.table import COMMANDS, Command
from twisted_mail.smtp.framing import BadLine
from twisted_mail.smtp.grammar import parse_command
from twisted_mail.smtp.greeting import greet
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.settings import Settings

_FAREWELLS = {
    ConversationEnded.Reason.TIMEOUT: replies.IDLE_TOO_LONG,
    ConversationEnded.Reason.SHUTDOWN: replies.STOPPING,
    ConversationEnded.Reason.LOST: b"",
}


class SmtpLoop:
    """Fulfils ``interfaces.Session`` for SMTP and for submission: the settings are the difference."""

    __slots__ = ("_state",)

    commands: ClassVar[Mapping[bytes, Command]] = COMMANDS

    def __init__(self, wire: Wire, settings: Settings, backend: SmtpBackend) -> None:
        self._state = SmtpSession(wire, settings, backend)

    async def run(self) -> None:
        """Hold the conversation."""
        state = self._state
        journal, service, peer = state.backend.journal, state.settings.service, state.wire.peer
        journal.connected(service, peer)
        try:
            await self._greet()
            while not state.end_reason:
                await self._run_line(await state.read_line())
        except ConversationEnded as ending:
            state.end_session(_FAREWELLS[ending.reason], ending.reason.value)
        finally:
            if state.transaction is not None and state.transaction.incoming_message is not None:
                state.transaction.incoming_message.discard()
            state.logout()
            filter_stages.end_connection(state)
            state.wire.close()
            journal.disconnected(service, peer, state.end_reason or "failed")

    async def _greet(self) -> None:
        """Say 220, or, to a client that is not wanted, 554 or 421 (RFC 5321 §3.1)."""
        state = self._state
        if state.settings.greeting_delay and not await self._is_patient():
            state.refuse(replies.TALKED_EARLY)
            state.end_reason = "talked early"
            return
        await greet(state)

    async def _is_patient(self) -> bool:
        """Wait before the greeting; say whether the client may go on (RFC 5321 §4.3.1).

        Programs that only send spam often do not wait for it.
        """
        state = self._state
        try:
            state.framer.feed(await state.wire.read(state.settings.greeting_delay))
        except ConversationEnded as ending:
            if ending.reason is ConversationEnded.Reason.TIMEOUT:
                return True
            raise
        return not state.settings.refuses_early_talkers

    async def _run_line(self, line: bytes | BadLine) -> None:
        """Do what one line says, and see to it that a bad client does not go on for ever."""
        state = self._state
        await state.wire.yield_to_others()
        errors = state.errors
        if isinstance(line, BadLine):
            state.refuse(replies.BARE_LINE_END if line is BadLine.BARE else replies.LINE_TOO_LONG)
        else:
            await self._run(line)
        if state.errors > errors and not state.end_reason:
            await self._penalise()

    async def _run(self, line: bytes) -> None:
        """Run one command; answer what it raises."""
        verb, argument = parse_command(line)
        command = self.commands.get(verb)
        if command is None:
            self._state.refuse(replies.UNKNOWN_COMMAND)
        elif (refusal := self._refusal(command, argument)) is not None:
            self._state.refuse(refusal)
        else:
            await self._run_command(command, argument)

    def _refusal(self, command: Command, argument: bytes) -> bytes | None:
        """Return why a command is not run here and now, or None."""
        state = self._state
        if command.needs_login and state.lacks_login:
            return state.login_refusal
        if argument and not command.has_argument:
            return replies.NO_ARGUMENT
        return command.refused.get(state.phase)

    async def _run_command(self, command: Command, argument: bytes) -> None:
        state = self._state
        if command.is_junk:
            state.junk += 1
            state.errors += state.junk > state.settings.max_junk
        try:
            await command.run(state, argument)
        except MailError as error:
            state.reply(error.outcome)
        except ConversationEnded:
            raise
        except Exception:
            state.backend.journal.failed(state.settings.service)
            state.reply(replies.BUG)

    async def _penalise(self) -> None:
        """Slow down a client that errs, and leave one that errs too much."""
        state, settings = self._state, self._state.settings
        if state.unknown_recipients > settings.max_unknown:
            state.end_session(replies.TOO_MANY_UNKNOWN, "unknown recipients")
        elif state.errors >= settings.hard_errors:
            state.end_session(replies.TOO_MANY_ERRORS, "errors")
        elif state.errors > settings.soft_errors:
            await state.backend.clock.sleep(settings.error_delay)
