"""One SMTP conversation on the server's side, from greeting to farewell.

``session`` is what it knows, ``commands`` what it can do; here are the loop, and what ends it.
"""

from collections.abc import Mapping
from typing import ClassVar

from twisted_mail.interfaces import ConversationEnded, Wire
from twisted_mail.mail.outcome import MailError
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.backend import SmtpBackend
from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.commands.table import COMMANDS
from twisted_mail.smtp.forbidden import forbidden_word
from twisted_mail.smtp.framing import BadLine, Flaw, parse_command
from twisted_mail.smtp.greeting import greet
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.settings import Settings
from twisted_mail.smtp.transaction import Transaction

_FAREWELLS = {
    ConversationEnded.Reason.TIMEOUT: replies.IDLE_TOO_LONG,
    ConversationEnded.Reason.SHUTDOWN: replies.STOPPING,
    ConversationEnded.Reason.OVERLOAD: replies.OVERLOADED,
    ConversationEnded.Reason.LOST: b"",
}

_REFUSALS = {
    Flaw.BARE: replies.BARE_LINE_END,
    Flaw.NUL: replies.NUL_IN_LINE,
    Flaw.LONG: replies.LINE_TOO_LONG,
    Flaw.TLS: replies.UNKNOWN_COMMAND,
}


class SmtpLoop:
    """Fulfils ``interfaces.Session`` for SMTP and for submission: the settings are the difference."""

    __slots__ = ("_session",)

    commands: ClassVar[Mapping[bytes, Command]] = COMMANDS
    transaction_type: ClassVar[type[Transaction]] = Transaction

    def __init__(self, wire: Wire, settings: Settings, backend: SmtpBackend) -> None:
        self._session = SmtpSession(wire, settings, backend, self.transaction_type)

    async def run(self) -> None:
        """Hold the conversation."""
        session = self._session
        journal, service, peer = (
            session.backend.journal,
            session.settings.service,
            session.wire.peer,
        )
        journal.connected(service, peer)
        try:
            await self._greet()
            while not session.end_reason:
                line = session.framer.next()
                if line is None:
                    line = await session.await_line()
                else:  # more of what came at once
                    await session.wire.yield_to_others()
                await self._run_line(line)
        except ConversationEnded as ending:
            session.end_session(_FAREWELLS[ending.reason], ending.reason.value)
        finally:
            if session.transaction is not None and session.transaction.incoming_message is not None:
                session.transaction.incoming_message.discard()
            session.logout()
            filter_stages.end_connection(session)
            session.wire.close()
            journal.disconnected(service, peer, session.end_reason or "failed")

    async def _greet(self) -> None:
        """Send 220, or, to a client that is not wanted, 554 or 421 (RFC 5321 §3.1)."""
        session = self._session
        if session.settings.greeting_delay and not await self._is_patient():
            session.refuse(replies.TALKED_EARLY)
            session.end_reason = "talked early"
            return
        await greet(session)

    async def _is_patient(self) -> bool:
        """Wait before the greeting; return whether the client may go on (RFC 5321 §4.3.1).

        Programs that only send spam often do not wait for it.
        """
        session = self._session
        try:
            session.framer.feed(await session.wire.read(session.settings.greeting_delay))
        except ConversationEnded as ending:
            if ending.reason is ConversationEnded.Reason.TIMEOUT:
                return True
            raise
        return not session.settings.refuses_early_talkers

    async def _run_line(self, line: bytes | BadLine) -> None:
        """Run what one line asks for, and let a bad client not go on for ever."""
        session = self._session
        if session.submitter is not None and not await session.submitter.is_valid():
            session.end_session(replies.LOGIN_ENDED, "login no longer valid")
            return
        errors = session.limits.recent.errors
        if isinstance(line, BadLine):
            self._refuse_line(line, _REFUSALS[line.flaw])
        else:
            await self._run(line)
        if session.limits.recent.errors > errors and not session.end_reason:
            await self._penalise()

    async def _run(self, line: bytes) -> None:
        """Run one command, if it can be run here and now; answer what it raises."""
        session = self._session
        verb, argument = parse_command(line)
        command = self.commands.get(verb)
        if command is None:
            self._refuse_line(line, replies.UNKNOWN_COMMAND)
            return
        if (refusal := self._refusal(command, argument)) is not None:
            session.refuse(refusal)
            return
        if command.is_junk:
            session.limits.count_junk()
        try:
            await command.run(session, argument)
        except MailError as error:
            session.reply(error.outcome)
        except ConversationEnded:
            raise
        except Exception:
            session.backend.journal.failed(session.settings.service)
            session.reply(replies.BUG)

    def _refuse_line(self, line: bytes | BadLine, reply: bytes) -> None:
        """Refuse a line that is no command, or end the conversation if it is not meant for us."""
        session = self._session
        if isinstance(line, BadLine) and line.head.lstrip(b" \t")[:4].upper() == b"BDAT":
            session.end_session(replies.CHUNK_SYNTAX, "malformed BDAT")  # its chunk may follow
            return
        word = forbidden_word(line, session.settings.forbidden_commands)
        if not word:
            session.refuse(reply)
            return
        journal, service = session.backend.journal, session.settings.service
        journal.refused(service, session.wire.peer, "", f"it does not speak SMTP: {word}")
        session.end_session(replies.NOT_SMTP, "another protocol")

    def _refusal(self, command: Command, argument: bytes) -> bytes | None:
        """Return why a command is not run here and now, or None."""
        session = self._session
        if command.needs_login and session.lacks_login:
            return session.login_refusal
        if argument and not command.has_argument:
            return replies.NO_ARGUMENT
        return command.refused.get(session.phase)

    async def _penalise(self) -> None:
        """Slow down a client that makes errors, and end the conversation if they are too many."""
        session = self._session
        if (end := session.limits.end) is not None:
            session.end_session(*end)
        elif session.limits.is_slowed:
            await session.backend.clock.sleep(session.settings.error_delay)
