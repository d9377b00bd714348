"""The commands of SMTP, and where each is allowed.

| Command | not yet greeted | no transaction | after MAIL | after RCPT |
| --- | --- | --- | --- | --- |
| HELO, EHLO, RSET, NOOP, QUIT, VRFY, EXPN, HELP | yes | yes | yes | yes |
| MAIL, AUTH | 503 | yes | 503 | 503 |
| RCPT | 503 | 503 | yes | yes |
| DATA | 503 | 503 | 554 | yes |
| BDAT | 503 | 503 | 554 | yes, and RCPT, DATA no more: 503 |
| STARTTLS, XCLIENT | yes | yes | 503 | 503 |

(RFC 5321 §4.1.4, RFC 3207 §4, RFC 4954 §4; for BDAT see ``chunks``.) Where a login is required and
lacking, whatever is marked so below is answered with 530 before anything else.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import NO_MAIL_PARAMETERS, MailParameters
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.commands import auth
from twisted_mail.smtp.commands.bdat import bdat
from twisted_mail.smtp.commands.data import finish_transaction, receive
from twisted_mail.smtp.commands.rcpt import rcpt
from twisted_mail.smtp.commands.vrfy import expn, vrfy
from twisted_mail.smtp.commands.xclient import xclient
from twisted_mail.smtp.extensions import table
from twisted_mail.smtp.framing import Framer
from twisted_mail.smtp.session import Phase, SmtpSession


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table: what is done, and what is answered where it is out of order.

    ``is_junk`` marks commands that bring no mail nearer; ``syntax`` is what HELP says.
    """

    run: Callable[[SmtpSession, bytes], Awaitable[None]]
    syntax: str
    refused: Mapping[Phase, bytes] = field(default_factory=dict)
    needs_login: bool = False
    is_junk: bool = False
    has_argument: bool = True


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
    """Take the client's name for itself, unless a filter refuses it; say whether it was taken."""
    refusal = await filter_stages.at_hello(session, hello)
    if refusal is not None:
        session.refuse_mail(refusal)
        return False
    session.hello = hello
    session.is_extended = is_extended
    session.end_transaction()
    return True


async def mail(session: SmtpSession, argument: bytes) -> None:
    """Answer MAIL FROM:<address> [parameters] (RFC 5321 §4.1.1.2)."""
    sender, parameters = grammar.parse_mail(argument, session.settings.needs_brackets)
    mail_parameters = (
        await table.read_mail(session, parameters) if parameters else NO_MAIL_PARAMETERS
    )
    if 0 < session.settings.max_messages <= session.messages:
        session.end_session(replies.TOO_MANY_MESSAGES, "messages")
    elif mail_parameters.size > session.settings.max_size:
        session.refuse_mail(replies.TOO_LARGE, sender=sender)
    elif not await _may_send(session, sender):
        session.refuse_mail(replies.NOT_YOUR_SENDER, sender=sender)
    else:
        await _open(session, sender, mail_parameters)


async def _open(session: SmtpSession, sender: Address, mail_parameters: MailParameters) -> None:
    """Open the transaction, ask the filters about it, and answer."""
    reply = replies.SENDER_OK
    if mail_parameters.priority > session.settings.max_priority:  # RFC 6710 §4.1
        mail_parameters = replace(mail_parameters, priority=session.settings.max_priority)
        text = f"{mail_parameters.priority} is the priority that this message gets"
        reply = replies.encode(Outcome(250, "2.3.6", text))
    session.begin_transaction(sender, mail_parameters)
    refusal = await filter_stages.at_sender(session)
    if refusal is None:
        session.wire.write(reply)
    else:
        session.refuse_mail(refusal)
        session.end_transaction()


async def _may_send(session: SmtpSession, sender: Address) -> bool:
    """Say whether the sender is one that this client may use (RFC 6409 §6.1).

    The null sender is for reports of all kinds, and nobody's.
    """
    submitter = session.submitter
    if submitter is None:
        return True
    if sender.is_null:
        return session.settings.takes_null_sender
    return await submitter.may_send_as(sender)


async def data(session: SmtpSession, argument: bytes) -> None:
    """Answer DATA, and the message that follows (RFC 5321 §4.1.1.4)."""
    transaction = session.transaction
    assert transaction is not None
    if transaction.incoming_message is not None or transaction.mail_parameters.body == "BINARYMIME":
        session.refuse(replies.DATA_BY_CHUNKS)  # RFC 3030 §2, §3
        return
    finish_transaction(session, await receive(session, transaction))


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


async def help(session: SmtpSession, argument: bytes) -> None:
    """Answer HELP [command or extension] (RFC 5321 §4.1.1.8)."""
    write_help(session, argument, COMMANDS)


def write_help(session: SmtpSession, argument: bytes, commands: Mapping[bytes, Command]) -> None:
    """Say which commands there are, or what one of them is, or an extension."""
    if not argument:
        session.wire.write(replies.encode_lines(214, "2.0.0", _overview(session, commands)))
        return
    texts = _explanation(session, argument.upper(), commands)
    if texts:
        session.wire.write(replies.encode_lines(214, "2.0.0", texts))
    else:
        session.refuse(replies.NO_SUCH_TOPIC)


def _overview(session: SmtpSession, commands: Mapping[bytes, Command]) -> list[str]:
    return [
        "Commands: " + " ".join(name.decode() for name in commands),
        "Extensions: " + " ".join(table.offered_keywords(session)),
        "HELP with one of these says more; postmaster reads what people write",
    ]


def _explanation(
    session: SmtpSession, topic: bytes, commands: Mapping[bytes, Command]
) -> list[str]:
    """Return what is said of a command, an extension, or both of that name."""
    command = commands.get(topic)
    syntax = [] if command is None else [f"Syntax: {command.syntax}"]
    return [*syntax, *table.help_lines(session, topic.decode("ascii", "replace"))]


async def starttls(session: SmtpSession, argument: bytes) -> None:
    """Answer STARTTLS, and begin anew under TLS (RFC 3207 §4).

    Commands that came in clear behind it are never run: someone on the way may have put them there.
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


_OPENS_MAIL = {
    Phase.CONNECTED: replies.HELLO_FIRST,
    Phase.SENDER: replies.MAIL_IS_OPEN,
    Phase.RECIPIENTS: replies.MAIL_IS_OPEN,
}
_IN_MAIL = {Phase.CONNECTED: replies.HELLO_FIRST, Phase.GREETED: replies.MAIL_FIRST}
_NEEDS_RECIPIENTS = {**_IN_MAIL, Phase.SENDER: replies.RECIPIENTS_FIRST}
_BETWEEN_MAILS = {Phase.SENDER: replies.MAIL_IS_OPEN, Phase.RECIPIENTS: replies.MAIL_IS_OPEN}

COMMANDS: Mapping[bytes, Command] = {
    b"EHLO": Command(ehlo, "EHLO hostname", is_junk=True),
    b"HELO": Command(helo, "HELO hostname", is_junk=True),
    b"MAIL": Command(mail, "MAIL FROM:<address> [parameters]", _OPENS_MAIL, needs_login=True),
    b"RCPT": Command(rcpt, "RCPT TO:<address> [parameters]", _IN_MAIL, needs_login=True),
    b"BDAT": Command(bdat, "BDAT octets [LAST]"),
    b"DATA": Command(data, "DATA", _NEEDS_RECIPIENTS, needs_login=True, has_argument=False),
    b"RSET": Command(rset, "RSET", is_junk=True, has_argument=False),
    b"NOOP": Command(noop, "NOOP [text]", is_junk=True),
    b"QUIT": Command(quit, "QUIT", has_argument=False),
    b"VRFY": Command(vrfy, "VRFY address [SMTPUTF8]", needs_login=True, is_junk=True),
    b"EXPN": Command(expn, "EXPN address [SMTPUTF8]", needs_login=True, is_junk=True),
    b"HELP": Command(help, "HELP [command or extension]", is_junk=True),
    b"STARTTLS": Command(starttls, "STARTTLS", _BETWEEN_MAILS, has_argument=False),
    b"XCLIENT": Command(xclient, "XCLIENT attribute=value ...", _BETWEEN_MAILS, is_junk=True),
    b"AUTH": Command(auth.auth, "AUTH mechanism [initial-response]", _OPENS_MAIL, is_junk=True),
}
