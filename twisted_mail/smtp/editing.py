"""What filters alter: their edits, and the field that says what each decided.

The message that came in is not altered; fields in front of it become a part of our prefix.
"""

from collections.abc import Sequence
from dataclasses import replace

from twisted_mail.interfaces import Visit
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.verdict import (
    AddField,
    AddRecipient,
    ChangeSender,
    Decision,
    DropRecipient,
    Edit,
    Verdict,
)
from twisted_mail.smtp.fields import MAX_NAME, field, phrase

FIELD = "X-Verdict"
MAX_FIELDS = 20
MAX_REASON = 200


def edited(
    envelope: Envelope, message: Message, visit: Visit | None, verdict: Verdict
) -> tuple[Envelope, Message]:
    """Return envelope and message as they are to be handed on after the last verdict."""
    if visit is None:
        return envelope, message
    fields = [field(edit.name, edit.value) for edit in verdict.edits if isinstance(edit, AddField)]
    fields.reverse()  # each was put before those that were there
    fields += [field(FIELD, told) for told in _all_told(visit)]
    message = replace(message, prefix=b"".join(fields) + message.prefix)
    if verdict.decision is Decision.QUARANTINE:
        envelope = replace(envelope, is_quarantined=True)
    return _readdressed(envelope, verdict.edits), message


def _all_told(visit: Visit) -> list[str]:
    """Return what is told of the verdicts that took the mail.

    Refusals were of other recipients, of whom those who got it need not know (RFC 5321 §7.2).
    """
    wanted = [
        (name, one)
        for name, one in visit.verdicts
        if not one.is_refusal and (one.reason or one.decision is not Decision.ACCEPT)
    ]
    told = [_told(name, one) for name, one in wanted[:MAX_FIELDS]]
    more = len(wanted) - len(told)
    return [*told, f"accept (and {more} more)"] if more else told


def _told(name: str, verdict: Verdict) -> str:
    """Return what a filter decided, for people and programs: ``accept (greylist: known)``."""
    about = f"{phrase(name, MAX_NAME)}: {phrase(verdict.reason, MAX_REASON)}"
    return f"{verdict.decision.value} ({about})"


def _readdressed(envelope: Envelope, edits: Sequence[Edit]) -> Envelope:
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
