"""Asking the filters at each stage of a conversation: what they see, and what their verdicts mean.

A conversation that no filter is asked about has no context, and costs nothing here.
"""

from collections.abc import Awaitable

from twisted_mail.interfaces import SmtpContext
from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, Decision, FilterStage, Verdict
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival.arrival import Arrival
from twisted_mail.smtp.arrival.edits import apply_edits
from twisted_mail.smtp.session import SmtpSession


async def _ask_filters(session: SmtpSession, context: SmtpContext, stage: FilterStage) -> Verdict:
    policy = session.backend.policy
    return await policy.judge(stage, context) if policy.is_asked(stage, context) else ACCEPT


async def _refusal(session: SmtpSession, stage: FilterStage) -> Outcome | None:
    if session.filter_context is None:
        return None
    verdict = await _ask_filters(session, session.filter_context, stage)
    return verdict.answer if verdict.is_refusal else None


async def at_connection(session: SmtpSession) -> Outcome | None:
    """Begin a context; return why the client is not greeted, or None."""
    session.filter_context = session.backend.policy.begin(
        session.settings.service, session.wire.peer
    )
    return await _refusal(session, FilterStage.CONNECT)


async def at_hello(session: SmtpSession, hello: str) -> Outcome | None:
    """Return why a client of that name is refused, or None."""
    if session.filter_context is not None:
        session.filter_context.hello = hello
        session.filter_context.tls_info = session.wire.tls_info
        session.filter_context.submitter = session.submitter_name
    return await _refusal(session, FilterStage.HELLO)


async def at_sender(session: SmtpSession) -> Outcome | None:
    """Return why the transaction that has just been opened does not go on, or None."""
    context, transaction = session.filter_context, session.transaction
    if context is not None and transaction is not None:
        context.tls_info = session.wire.tls_info
        context.submitter = session.submitter_name
        context.id, context.sender = transaction.id, transaction.sender
        context.declared_size = transaction.mail_parameters.size
        context.recipients = transaction.recipients.keys()
        context.recipient, context.header, context.message = None, b"", None
    return await _refusal(session, FilterStage.SENDER)


async def at_recipient(session: SmtpSession, recipient: Address) -> Outcome | None:
    """Return why a recipient that could be reached is not accepted, or None."""
    if session.filter_context is not None:
        session.filter_context.recipient = recipient
    return await _refusal(session, FilterStage.RECIPIENT)


def judge_message(arrival: Arrival) -> Awaitable[None] | None:
    """Ask the filters what is to become of the message, if any filter is asked about the service."""
    context = arrival.session.filter_context
    return None if context is None else _judge_message(arrival, context)


async def _judge_message(arrival: Arrival, context: SmtpContext) -> None:
    context.recipient = None
    context.header, context.message = arrival.header, arrival.message
    arrival.verdict = await _ask_filters(arrival.session, context, FilterStage.MESSAGE)
    if arrival.verdict.is_refusal:
        arrival.outcome = arrival.verdict.answer


def edit_message(arrival: Arrival) -> None:
    """Do what the filters want altered, and note what they decided. Raises Refused."""
    context = arrival.session.filter_context
    if context is not None:
        arrival.envelope, arrival.message = apply_edits(
            arrival.envelope, arrival.message, context, arrival.verdict
        )


def discard_message(arrival: Arrival) -> None:
    """Drop a message that the filters want dropped; the client is answered as if it were accepted."""
    if arrival.verdict.decision is Decision.DISCARD:
        arrival.outcome = replies.accepted(arrival.envelope.id)


def end_connection(session: SmtpSession) -> None:
    """Let the filters forget the conversation."""
    context, session.filter_context = session.filter_context, None
    if context is not None:
        session.backend.policy.ended(context, is_over=True)
