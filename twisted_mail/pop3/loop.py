"""One POP3 conversation, from greeting to farewell.

    state           entered by                      left by
    AUTHORIZATION   the connection                  a login that locked the maildrop; QUIT
    TRANSACTION     a login                         QUIT
    UPDATE          QUIT in TRANSACTION             itself: messages are removed, then it closes

Only UPDATE removes messages; a connection that ends in any other way leaves them all (RFC 1939 §6).
``session`` is what commands see; here is the loop: read a line, run its command, count its errors.
"""

from twisted_mail.interfaces import ConversationEnded, Wire
from twisted_mail.mail.foreign_protocol import ForeignProtocol, is_http
from twisted_mail.mail.outcome import MailError, ProtocolError
from twisted_mail.pop3 import grammar
from twisted_mail.pop3.backend import Pop3Backend
from twisted_mail.pop3.commands import find
from twisted_mail.pop3.session import Pop3Session
from twisted_mail.pop3.settings import Settings

__all__ = ["Pop3Backend", "Pop3Loop"]

_FAREWELLS = {  # a client that was silent gets no reply (RFC 1939 §3)
    ConversationEnded.Reason.SHUTDOWN: "The server is shutting down",
    ConversationEnded.Reason.OVERLOAD: "Too much to do now; try again later",
}


class Pop3Loop:
    """One POP3 conversation (RFC 1939 with RFC 2449, RFC 2595, RFC 3206, RFC 5034).

    Fulfils ``interfaces.Session``.
    """

    __slots__ = ("session",)

    def __init__(self, wire: Wire, settings: Settings, backend: Pop3Backend) -> None:
        self.session = Pop3Session(wire, settings, backend)

    async def run(self) -> None:
        """Hold the conversation; return when it is over."""
        session = self.session
        service, peer = session.settings.service, session.wire.peer
        session.backend.journal.connected(service, peer)
        try:
            session.ok(f"{session.backend.hostname} POP3 ready")
            while not session.end_reason:
                await self._take_command()
        except ConversationEnded as ending:
            self._say_farewell(ending.reason)
        finally:
            # Before the last reply leaves: its reader may log in again at once.
            await self._release()
            session.wire.close()
            session.backend.journal.disconnected(service, peer, session.end_reason or "error")

    def _say_farewell(self, reason: ConversationEnded.Reason) -> None:
        """Say why the server closes, where that is said."""
        self.session.end_reason = reason.value
        text = _FAREWELLS.get(reason)
        if text is not None and not self.session.is_amid_reply:
            self.session.send(grammar.err(text, "SYS/TEMP"))

    async def _release(self) -> None:
        try:
            await self.session.release()
        except Exception:
            self.session.backend.journal.failed("pop3")

    # ------------------------------------------------------------ commands

    async def _take_command(self) -> None:
        """Read one command and run it; it gets a reply whatever happens."""
        session = self.session
        try:
            line = await session.read_line()
            await session.wire.yield_to_others()
            # Who has logged in speaks POP3.
            if session.locked is None and is_http(line):
                raise ForeignProtocol("HTTP")
            await session.require_valid_login()
            keyword, argument = grammar.parse(line)
            await find(keyword, session.state).run(session, argument)
        except ConversationEnded:
            raise
        except ForeignProtocol as error:
            self._refuse_foreign(error.name)
        except ProtocolError as error:
            self._refuse(error)
            self._count_error()
        except MailError as error:
            self._refuse(error)
        except Exception:
            session.backend.journal.failed("pop3")
            self._refuse(None)

    def _refuse_foreign(self, protocol: str) -> None:
        """End a conversation in another protocol: nothing of what follows, such as a body, is run."""
        session = self.session
        session.backend.journal.refused(
            session.settings.service, session.wire.peer, "", f"it does not speak POP3: {protocol}"
        )
        session.send(grammar.err("This server speaks POP3"))
        session.end_reason = "another protocol"

    def _refuse(self, error: MailError | None) -> None:
        """Write the reply for an error, or for a bug.

        In the middle of a multi-line reply nothing would be taken for an error: a client understands
        only that the connection closes.
        """
        if self.session.is_amid_reply:
            self.session.end_reason = "reply cut short"
        elif error is None:
            self.session.send(grammar.err("Internal error", "SYS/TEMP"))
        else:
            self.session.send(grammar.refusal(error))

    def _count_error(self) -> None:
        if self.session.limits.count_error():
            self.session.end_reason = self.session.end_reason or "errors"
