"""What a client may say at any time: RSET, NOOP and QUIT."""

from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.session import SmtpSession


async def rset(session: SmtpSession, argument: bytes) -> None:
    """Answer RSET: the transaction is forgotten (RFC 5321 §4.1.1.5)."""
    session.is_discarding = False
    session.end_transaction()
    session.wire.write(replies.OK)


async def noop(session: SmtpSession, argument: bytes) -> None:
    """Answer NOOP, whatever its argument (RFC 5321 §4.1.1.9)."""
    session.wire.write(replies.OK)


async def quit(session: SmtpSession, argument: bytes) -> None:
    """Answer QUIT (RFC 5321 §4.1.1.10)."""
    bye = f"{session.backend.hostname} closing connection"
    session.end_session(replies.encode(Outcome(221, "2.0.0", bye)), "quit")


COMMANDS = (
    Command(rset, "RSET", is_junk=True, has_argument=False),
    Command(noop, "NOOP [text]", is_junk=True),
    Command(quit, "QUIT", has_argument=False),
)
