"""Asking policy, at the stages of a conversation: what filters are told, and what their verdicts mean.

A conversation that no filter is asked about has no visit, and costs nothing here.
"""

from twisted_mail.mail.address import Address
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, FilterStage, Verdict
from twisted_mail.smtp.session import SmtpSession


async def _ask_filters(state: SmtpSession, stage: FilterStage) -> Verdict:
    context = state.filter_context
    if context is None or not state.backend.policy.is_asked(stage, context):
        return ACCEPT
    return await state.backend.policy.judge(stage, context)


async def _refusal(state: SmtpSession, stage: FilterStage) -> Outcome | None:
    verdict = await _ask_filters(state, stage)
    return verdict.answer if verdict.is_refusal else None


async def at_connection(state: SmtpSession) -> Outcome | None:
    """Begin the visit; return why the client is not greeted, or None."""
    state.filter_context = state.backend.policy.begin(state.settings.service, state.wire.peer)
    return await _refusal(state, FilterStage.CONNECT)


async def at_hello(state: SmtpSession, hello: str) -> Outcome | None:
    """Return why a client of that name is not listened to, or None."""
    if state.filter_context is not None:
        state.filter_context.hello = hello
        state.filter_context.tls_info = state.wire.tls_info
        state.filter_context.submitter = state.submitter_name
    return await _refusal(state, FilterStage.HELLO)


async def at_sender(state: SmtpSession) -> Outcome | None:
    """Return why the transaction that has just been opened is not gone on with, or None."""
    context, transaction = state.filter_context, state.transaction
    if context is not None and transaction is not None:
        context.tls_info = state.wire.tls_info
        context.submitter = state.submitter_name
        context.id, context.sender = transaction.id, transaction.sender
        context.declared_size = transaction.mail_parameters.size
        context.recipients = transaction.recipients.keys()
        context.recipient, context.header, context.message = None, b"", None
    return await _refusal(state, FilterStage.SENDER)


async def at_recipient(state: SmtpSession, recipient: Address) -> Outcome | None:
    """Return why a recipient who could be reached is not taken, or None."""
    if state.filter_context is not None:
        state.filter_context.recipient = recipient
    return await _refusal(state, FilterStage.RECIPIENT)


async def at_message(state: SmtpSession, header: bytes, message: Message) -> Verdict:
    """Return what is to become of a message that has come in whole."""
    if state.filter_context is not None:
        state.filter_context.recipient = None
        state.filter_context.header, state.filter_context.message = header, message
    return await _ask_filters(state, FilterStage.MESSAGE)


def end_connection(state: SmtpSession) -> None:
    """Let the filters forget the conversation."""
    context, state.filter_context = state.filter_context, None
    if context is not None:
        state.backend.policy.ended(context, is_over=True)
