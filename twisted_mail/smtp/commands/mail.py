"""MAIL: who sends a message, and what is asked for it (RFC 5321 §4.1.1.2)."""

from dataclasses import replace

from twisted_mail.interfaces import Submitter
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import NO_MAIL_PARAMETERS, MailParameters
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.command_definition import OPENS_MAIL, Command
from twisted_mail.smtp.extensions import table
from twisted_mail.smtp.session import SmtpSession


async def mail(session: SmtpSession, argument: bytes) -> None:
    """Answer MAIL FROM:<address> [parameters] (RFC 5321 §4.1.1.2)."""
    sender, parameters = grammar.parse_mail(argument, session.settings.needs_brackets)
    mail_parameters = (
        await table.read_mail(session, parameters) if parameters else NO_MAIL_PARAMETERS
    )
    if not session.limits.allow_message:
        session.end_session(replies.TOO_MANY_MESSAGES, "messages")
    elif mail_parameters.size > session.settings.max_size:
        session.refuse_mail(replies.TOO_LARGE, sender=sender)
    elif session.submitter is not None and not await _may_send(session, session.submitter, sender):
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
    if session.filter_context is not None:
        refusal = await filter_stages.at_sender(session)
        if refusal is not None:
            session.refuse_mail(refusal)
            session.end_transaction()
            return
    session.wire.write(reply)


async def _may_send(session: SmtpSession, submitter: Submitter, sender: Address) -> bool:
    """Return whether the sender is one that who has logged in may use (RFC 6409 §6.1).

    The null sender is for reports of all kinds, and nobody's.
    """
    if sender.is_null:
        return session.settings.takes_null_sender
    return await submitter.may_send_as(sender)


COMMANDS = (Command(mail, "MAIL FROM:<address> [parameters]", OPENS_MAIL, needs_login=True),)
