"""A reply for each recipient, where LMTP differs from SMTP (RFC 2033 §4.2, §4.3)."""

from collections.abc import Mapping
from dataclasses import replace

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.session import SmtpSession


async def deliver(
    session: SmtpSession, envelope: Envelope, message: Message
) -> Mapping[Address, Outcome | None]:
    """Deliver to each recipient; return what is told of each that has no copy."""
    assert session.backend.delivery is not None, "LMTP needs the door of final delivery"
    answers = await session.backend.delivery.deliver_each(envelope, message)
    for recipient, outcome in answers.items():
        if outcome is not None:
            session.refuse_mail(outcome, with_reply=False, recipient=recipient)
    return answers


def reply(session: SmtpSession, outcome: Outcome) -> None:
    """Answer a message once for each RCPT that was taken, in their order.

    ``outcome`` is of the message as a whole; it holds for those of whom nothing else is known.
    """
    transaction = session.transaction
    assert transaction is not None
    answers = transaction.lmtp_outcomes or {}
    recipients = transaction.lmtp_recipients or ()
    if not outcome.is_success:
        session.refuse_mail(outcome, with_reply=False)
    else:
        session.errors = session.junk = session.discarded = 0
    for recipient in recipients:
        answer = answers.get(recipient) or outcome
        session.wire.write(_reply(recipient, answer))


def _reply(recipient: Address, outcome: Outcome) -> bytes:
    return replies.encode(replace(outcome, text=f"<{recipient}> {outcome.text}"))


def replies_to_chunk(session: SmtpSession, is_last: bool) -> int:
    """Return how many replies a chunk gets that is refused (RFC 2033 §4.3)."""
    if not session.settings.is_lmtp or not is_last:
        return 1
    if session.is_discarding:
        return session.replies_owed
    return 1 if session.transaction is None else session.transaction.count
