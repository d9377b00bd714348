"""RCPT: whom mail is taken for (RFC 5321 §4.1.1.3)."""

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.route import LocalRoute, NoRoute, RemoteRoute
from twisted_mail.smtp import grammar, replies
from twisted_mail.smtp.arrival import filter_stages
from twisted_mail.smtp.command_definition import IN_MAIL, Command
from twisted_mail.smtp.extensions import table
from twisted_mail.smtp.session import SmtpSession
from twisted_mail.smtp.transaction import Transaction

_TOO_MANY_TARGETS = Outcome(452, "4.5.3", "The recipients stand for too many addresses")


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
        _count_extra_recipient(session, transaction)
        session.wire.write(replies.TOO_MANY_RECIPIENTS)
        return
    route = transaction.recipients.get(recipient)
    if route is None:
        found = await _accepted_route(session, transaction, recipient)
        if isinstance(found, Outcome):
            session.refuse_mail(found, recipient=recipient)
            return
        route = found
    transaction.add_recipient(recipient, route)
    if dsn_request is not None:
        transaction.notify(recipient, dsn_request)
    session.wire.write(replies.RECIPIENT_OK)


def _count_extra_recipient(session: SmtpSession, transaction: Transaction) -> None:
    """Count one recipient too many (RFC 5321 §4.5.3.1.10); a client may try as many again."""
    transaction.extra_recipients += 1
    if transaction.extra_recipients > session.settings.max_recipients:
        session.limits.recent.errors += 1


async def _accepted_route(
    session: SmtpSession, transaction: Transaction, recipient: Address
) -> LocalRoute | RemoteRoute | Outcome:
    """Return where the recipient's mail goes, or why it is not accepted from this client.

    The transaction keeps the route for the end of the message.
    """
    router = session.backend.router
    if session.limits.has_too_many_targets:  # not even looked up
        _count_extra_recipient(session, transaction)
        return _TOO_MANY_TARGETS
    try:
        if not transaction.recipients:
            transaction.routes_version = router.version()
        route = await router.route(recipient)
        if isinstance(route, NoRoute):
            return _refusal(session, route)
        if isinstance(route, RemoteRoute):
            refused = await _onward_refusal(session, recipient, route)
            if refused is not None:
                return refused
        if session.limits.count_targets(route.target_count):
            _count_extra_recipient(session, transaction)
            return _TOO_MANY_TARGETS
        refusal = await _quota_refusal(session, transaction, route)
    except MailError as error:
        return error.outcome
    if refusal is None and session.filter_context is not None:
        refusal = await filter_stages.at_recipient(session, recipient)
    return refusal or route


async def _quota_refusal(
    session: SmtpSession, transaction: Transaction, route: LocalRoute | RemoteRoute
) -> Outcome | None:
    """Return why nobody to whom the recipient leads has room for the message, or None.

    Now, rather than after the message has come. Raises Unavailable.
    """
    if route.target_count > len(route.accounts):
        return None
    size = transaction.mail_parameters.size or 1
    return await session.backend.queue.check_quota(route.accounts, size)


def _refusal(session: SmtpSession, route: NoRoute) -> Outcome:
    """Return why there is no such recipient, or none now."""
    if not route.outcome.is_temporary:
        session.limits.unknown_recipients += 1
    return route.outcome


async def _onward_refusal(
    session: SmtpSession, recipient: Address, route: RemoteRoute
) -> Outcome | None:
    """Return why mail that goes on to other hosts is not accepted, or None.

    Only clients that have logged in may send to addresses that are not ours; anybody may to an alias of
    ours that leads away, and does not learn where. A domain that cannot exist is refused now, while the
    sender can still mend it.
    """
    if recipient not in route.addresses:
        return None
    if session.submitter is None:
        return replies.NO_RELAY
    check = session.backend.domain_check
    return await check.refusal(recipient.domain, session.submitter_name) if check else None


COMMANDS = (Command(rcpt, "RCPT TO:<address> [parameters]", IN_MAIL, needs_login=True),)
