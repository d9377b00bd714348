"""One POP3 conversation, from greeting to farewell.

    state           entered by                      left by
    AUTHORIZATION   the connection                  a login that locked the maildrop; QUIT
    TRANSACTION     a login                         QUIT
    UPDATE          QUIT in TRANSACTION             itself: messages are removed, the line is closed

Only UPDATE removes messages; a connection that ends in any other way leaves them all (RFC 1939 §6).
"""

from twisted_mail.interfaces import ConversationEnded, Wire
from twisted_mail.mail.outcome import MailError, ProtocolError
from twisted_mail.pop3 import grammar
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.commands.authorization import AuthorizationState
from twisted_mail.pop3.session import Pop3Session, Pop3State
from twisted_mail.pop3.settings import Settings

__all__ = ["Pop3Backend", "Pop3Loop"]


class Pop3Loop:
    """One POP3 conversation (RFC 1939 with RFC 2449, RFC 2595, RFC 3206, RFC 5034).

    Fulfils ``interfaces.Session``.
    """

    __slots__ = ("_errors", "_session", "_state")

    def __init__(self, wire: Wire, settings: Settings, backend: Pop3Backend) -> None:
        self._session = Pop3Session(wire, settings, backend)
        self._state: Pop3State = AuthorizationState(self._session, self._enter)
        self._errors = 0

    def _enter(self, state: Pop3State) -> None:
        self._state = state

    async def run(self) -> None:
        """Hold the conversation; return when it is over."""
        session = self._session
        service, peer, journal = (
            session.settings.service,
            session.wire.peer,
            session.backend.journal,
        )
        journal.connected(service, peer)
        try:
            session.ok(f"{session.backend.hostname} POP3 ready")
            while not session.end_reason:
                await self._command()
        except ConversationEnded as ending:
            self._farewell(ending.reason)
        finally:
            await self._end()  # before the last reply leaves: its reader may log in again at once
            session.wire.close()
            journal.disconnected(service, peer, session.end_reason or "error")

    def _farewell(self, reason: ConversationEnded.Reason) -> None:
        """Say why the server closes; a client that was silent is told nothing (RFC 1939 §3)."""
        self._session.end_reason = reason.value
        if reason is ConversationEnded.Reason.SHUTDOWN and not self._session.is_amid_reply:
            self._session.send(grammar.err("The server is shutting down", "SYS/TEMP"))

    async def _end(self) -> None:
        try:
            await self._state.end()
        except Exception:
            self._session.backend.journal.failed("pop3")
        del self._state  # it knows this session: the two would keep each other in memory

    async def _command(self) -> None:
        """Read one command, run it, and see to it that it gets a reply whatever happens."""
        try:
            line = await self._session.read_line(self._state.timeout)
            await self._session.wire.yield_to_others()
            await self._run(line)
        except ConversationEnded:
            raise
        except ProtocolError as error:
            self._refuse(error)
            self._count_error()
        except MailError as error:
            self._refuse(error)
        except Exception:
            self._session.backend.journal.failed("pop3")
            self._refuse(None)

    async def _run(self, line: bytes) -> None:
        keyword, argument = grammar.parse(line)
        command = self._state.command(keyword)
        if command is None:
            is_known = keyword in grammar.KEYWORDS
            raise ProtocolError("Not possible in this state" if is_known else "Unknown command")
        await command(argument)

    def _refuse(self, error: MailError | None) -> None:
        """Write the reply for an error, or for a bug.

        Amid a multi-line reply nothing would be taken for an error: closing is the one thing that a
        client understands.
        """
        if self._session.is_amid_reply:
            self._session.end_reason = "reply cut short"
        elif error is None:
            self._session.send(grammar.err("Internal error", "SYS/TEMP"))
        else:
            self._session.send(grammar.refusal(error))

    def _count_error(self) -> None:
        self._errors += 1
        if self._errors >= self._session.settings.max_errors:
            self._session.end_reason = self._session.end_reason or "too many errors"
