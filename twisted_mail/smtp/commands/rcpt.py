"""RCPT: whom mail is taken for (RFC 5321 §4.1.1.3)."""

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.route import LocalRoute, NoRoute, RemoteRoute
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.command import IN_MAIL, Command
from twisted_mail.smtp.extensions import table
from twisted_mail.smtp.session import SmtpSession

_NO_REMOTE_DELIVERY = Outcome(550, "5.1.2", "Mail for other domains is not sent yet")


async def rcpt(session: SmtpSession, argument: bytes) -> None:
    """Answer RCPT TO:<address> (RFC 5321 §4.1.1.3)."""
    transaction = session.transaction
    assert transaction is not None  # the table says so
    recipient, parameters = grammar.parse_rcpt(
        argument, transaction.mail_parameters.is_utf8, session.settings.needs_brackets
    )
    dsn_request = table.read_rcpt(session, parameters) if parameters else None
    if transaction.incoming_message is not None:
        session.refuse(replies.CHUNKS_HAVE_BEGUN)
        return
    if transaction.count >= session.settings.max_recipients:
        _refuse_extra_recipient(session)
        return
    refusal = await _refusal(session, recipient) or await filter_stages.at_recipient(
        session, recipient
    )
    if refusal is not None:
        session.refuse_mail(refusal, recipient=recipient)
    else:
        transaction.add_recipient(recipient)
        if dsn_request is not None:
            transaction.notify(recipient, dsn_request)
        session.wire.write(replies.RECIPIENT_OK)


def _refuse_extra_recipient(session: SmtpSession) -> None:
    """Refuse one recipient too many (RFC 5321 §4.5.3.1.10); a client may try as many again."""
    transaction = session.transaction
    assert transaction is not None
    transaction.extra_recipients += 1
    session.wire.write(replies.TOO_MANY_RECIPIENTS)
    if transaction.extra_recipients > session.settings.max_recipients:
        session.errors += 1


async def _refusal(session: SmtpSession, recipient: Address) -> Outcome | None:
    """Return why mail for the recipient is not taken from this client, or None."""
    try:
        route = await session.backend.router.route(recipient)
    except MailError as error:
        return error.outcome
    if isinstance(route, LocalRoute):
        return await _quota_refusal(session, route)
    if isinstance(route, NoRoute):
        if not route.outcome.is_temporary:
            session.unknown_recipients += 1
        return route.outcome
    return _refuse_elsewhere(session, recipient, route)


async def _quota_refusal(session: SmtpSession, route: LocalRoute) -> Outcome | None:
    """Return why nobody whom the recipient leads to has room for the message, or None.

    Now, rather than after the message has come.
    """
    transaction = session.transaction
    assert transaction is not None
    if route.programs or route.lists:
        return None
    try:
        return await session.backend.queue.check_quota(
            route.accounts, transaction.mail_parameters.size or 1
        )
    except MailError as error:
        return error.outcome


def _refuse_elsewhere(session: SmtpSession, recipient: Address, route: RemoteRoute) -> Outcome:
    """Relaying is for those who have logged in; and there is no queue to send from yet.

    Where an alias leads is not told to strangers.
    """
    is_foreign = route.addresses == (recipient,) and not route.accounts
    if session.submitter is None:
        return replies.NO_RELAY if is_foreign else _NO_REMOTE_DELIVERY
    host = route.addresses[0].domain
    return Outcome(550, "5.1.2", f"Mail for other domains is not sent yet: {host}")


COMMANDS = (Command(rcpt, "RCPT TO:<address> [parameters]", IN_MAIL, needs_login=True),)
