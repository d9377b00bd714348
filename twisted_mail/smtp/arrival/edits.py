"""What filters alter: their edits, and the field that says what each decided.

The message that came in is not altered; what is handed on is put together anew.
"""

from collections.abc import Sequence
from dataclasses import replace

from twisted_mail.interfaces import SmtpContext
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.mime.edited_message import Revision
from twisted_mail.mail.mime.safe_fields import MAX_NAME, field, phrase
from twisted_mail.mail.verdict import (
    AddRecipient,
    ChangeSender,
    Decision,
    DropRecipient,
    Edit,
    Verdict,
)

FIELD = "X-Verdict"
MAX_FIELDS = 20


def apply_edits(
    envelope: Envelope, message: Message, context: SmtpContext, verdict: Verdict
) -> tuple[Envelope, Message]:
    """Return envelope and message as they are to be handed on after the last verdict.

    Raises Refused when the message cannot be edited.
    """
    if verdict.edits:
        revision = Revision(message, context.header)
        revision.edit(verdict.edits)
        message = revision.message()
    verdicts = b"".join(field(FIELD, one) for one in _verdict_fields(context))
    message = replace(message, prefix=verdicts + message.prefix)
    if verdict.decision is Decision.QUARANTINE:
        envelope = replace(envelope, is_quarantined=True)
    return _with_edited_addresses(envelope, verdict.edits), message


def _verdict_fields(context: SmtpContext) -> list[str]:
    """Return the texts of the verdicts that accepted the mail.

    Refusals were of other recipients, of whom those who got it need not know (RFC 5321 §7.2).
    """
    wanted = [
        (name, one)
        for name, one in context.verdicts
        if not one.is_refusal and (one.reason or one.decision is not Decision.ACCEPT)
    ]
    texts = [_verdict_text(name, one) for name, one in wanted[:MAX_FIELDS]]
    more = len(wanted) - len(texts)
    return [*texts, f"accept (and {more} more)"] if more else texts


def _verdict_text(name: str, verdict: Verdict) -> str:
    """Return what a filter decided, for people and programs: ``accept (greylist: known)``."""
    return f"{verdict.decision.value} ({phrase(name, MAX_NAME)}: {verdict.printable_reason})"


def _with_edited_addresses(envelope: Envelope, edits: Sequence[Edit]) -> Envelope:
    """Return the envelope with another sender and other recipients."""
    recipients = dict.fromkeys(envelope.recipients)
    sender = envelope.sender
    for edit in edits:
        if isinstance(edit, ChangeSender):
            sender = edit.sender
        elif isinstance(edit, AddRecipient):
            recipients[edit.recipient] = None
        elif isinstance(edit, DropRecipient):
            recipients.pop(edit.recipient, None)
    return replace(envelope, sender=sender, recipients=tuple(recipients))
