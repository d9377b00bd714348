"""HELO, EHLO and LHLO: the client's name for itself (RFC 5321 §4.1.1.1, RFC 2033 §4.1)."""

from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.command_definition import Command
from twisted_mail.smtp.extensions import table
from twisted_mail.smtp.session import SmtpSession


async def helo(session: SmtpSession, argument: bytes) -> None:
    """Answer HELO, which also resets (RFC 5321 §4.1.4)."""
    if not await _greet(session, grammar.parse_hello(argument), is_extended=False):
        return
    session.wire.write(replies.encode_lines(250, "", [session.backend.hostname]))


async def ehlo(session: SmtpSession, argument: bytes) -> None:
    """Answer EHLO with what is offered on the line as it is now."""
    if not await _greet(session, grammar.parse_hello(argument), is_extended=True):
        return
    session.wire.write(table.ehlo_reply(session))


async def _greet(session: SmtpSession, hello: str, is_extended: bool) -> bool:
    """Take the client's name for itself, unless a filter refuses it; return whether it was accepted."""
    refusal = await filter_stages.at_hello(session, hello)
    if refusal is not None:
        session.refuse_mail(refusal)
        return False
    session.hello = hello
    session.is_extended = is_extended
    session.end_transaction()
    return True


COMMANDS = (
    Command(ehlo, "EHLO hostname", is_junk=True),
    Command(helo, "HELO hostname", is_junk=True),
)
LHLO = Command(ehlo, "LHLO hostname", is_junk=True)
