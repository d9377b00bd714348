"""STARTTLS: the conversation begins anew under TLS (RFC 3207)."""

from twisted_mail.smtp import replies
from twisted_mail.smtp.command_definition import BETWEEN_MAILS, Command
from twisted_mail.smtp.framing import Framer
from twisted_mail.smtp.session import SmtpSession


async def starttls(session: SmtpSession, argument: bytes) -> None:
    """Answer STARTTLS, and begin anew under TLS (RFC 3207 §4).

    Commands that came in clear after it are never run: an attacker on the line may have added them.
    """
    if session.wire.tls_info is not None:
        session.refuse(replies.TLS_IS_ON)
    elif not session.wire.may_start_tls:
        session.refuse(replies.NOT_OFFERED)
    elif session.wire.has_unread or not session.framer.is_empty:
        session.end_session(replies.TLS_SYNTAX, "commands behind STARTTLS")
    else:
        session.wire.write(replies.READY_FOR_TLS)
        await session.wire.start_tls()
        session.forget()
        session.framer = Framer(session.settings.max_line, session.settings.max_auth_line)


COMMANDS = (Command(starttls, "STARTTLS", BETWEEN_MAILS, has_argument=False, keyword="STARTTLS"),)
