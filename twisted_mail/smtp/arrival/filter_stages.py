"""Asking policy, at the stages of a conversation: what filters are told, and what their verdicts mean.

A conversation that no filter is asked about has no visit, and costs nothing here.
"""

from twisted_mail.mail.address import Address
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import ACCEPT, Stage, Verdict
from twisted_mail.smtp.session import State


async def _judge(state: State, stage: Stage) -> Verdict:
    visit = state.visit
    if visit is None or not state.doors.policy.is_asked(stage, visit):
        return ACCEPT
    return await state.doors.policy.judge(stage, visit)


async def _refusal(state: State, stage: Stage) -> Outcome | None:
    verdict = await _judge(state, stage)
    return verdict.answer if verdict.is_refusal else None


async def at_connection(state: State) -> Outcome | None:
    """Begin the visit; return why the client is not greeted, or None."""
    state.visit = state.doors.policy.begin(state.settings.service, state.wire.peer)
    return await _refusal(state, Stage.CONNECT)


async def at_hello(state: State, hello: str) -> Outcome | None:
    """Return why a client of that name is not listened to, or None."""
    if state.visit is not None:
        state.visit.hello = hello
        state.visit.privacy = state.wire.privacy
        state.visit.submitter = state.submitter_name
    return await _refusal(state, Stage.HELLO)


async def at_sender(state: State) -> Outcome | None:
    """Return why the transaction that has just been opened is not gone on with, or None."""
    visit, transaction = state.visit, state.transaction
    if visit is not None and transaction is not None:
        visit.privacy = state.wire.privacy
        visit.submitter = state.submitter_name
        visit.id, visit.sender = transaction.id, transaction.sender
        visit.declared_size = transaction.wishes.size
        visit.recipients = transaction.recipients.keys()
        visit.recipient, visit.header, visit.message = None, b"", None
    return await _refusal(state, Stage.SENDER)


async def at_recipient(state: State, recipient: Address) -> Outcome | None:
    """Return why a recipient who could be reached is not taken, or None."""
    if state.visit is not None:
        state.visit.recipient = recipient
    return await _refusal(state, Stage.RECIPIENT)


async def at_message(state: State, header: bytes, message: Message) -> Verdict:
    """Return what is to become of a message that has come in whole."""
    if state.visit is not None:
        state.visit.recipient = None
        state.visit.header, state.visit.message = header, message
    return await _judge(state, Stage.MESSAGE)


def ended(state: State) -> None:
    """Let the filters forget the conversation."""
    visit, state.visit = state.visit, None
    if visit is not None:
        state.doors.policy.ended(visit, is_over=True)
