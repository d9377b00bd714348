"""What a recipient waits for: everything that keeps it from being tried now."""

from collections.abc import Iterable

from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason

STOPPED = WaitReason(WaitKind.SERVER, text="the server does not run")


def reasons(
    job: QueuedJob,
    recipient: OwedRecipient,
    suspended: Iterable[Suspension],
    at_destination: WaitReason | None,
    now: float,
) -> list[WaitReason]:
    """Return all that a recipient waits for, what ends last not always first.

    ``at_destination`` is what mail for its destination waits for that is due, or None where that is
    not known: then no server runs.
    """
    if recipient.state is RecipientState.HELD:
        return [WaitReason(WaitKind.WORD, recipient.due, recipient.reason)]
    if recipient.state is RecipientState.UNREPORTED:
        owed = WaitReason(WaitKind.REPORT, text=ended(recipient))
        return [owed] if at_destination is not None else [owed, STOPPED]
    site = "" if at_destination is None else at_destination.site
    found = [
        WaitReason(WaitKind.SUSPENSION, one.until, f"{one} is suspended")
        for one in suspended
        if one.holds(now) and one.stops(job, recipient, site)
    ]
    if recipient.due > now:
        found.append(WaitReason(WaitKind.TIME, recipient.due, "the next try", site))
    if at_destination is None:
        found.append(STOPPED)
    elif at_destination.kind is WaitKind.SITE or (not found and recipient.due <= now):
        found.append(_of_one_due(at_destination))
    return found


def ended(recipient: OwedRecipient) -> str:
    """Return what has become of a recipient that is unreported, in words."""
    is_served = recipient.last is not None and recipient.last.outcome.is_success
    return f"it {'was delivered' if is_served else 'has failed'}, and its sender is to hear of it"


def _of_one_due(at_destination: WaitReason) -> WaitReason:
    """Return what keeps a recipient that is due, where the others of its destination may not be."""
    if at_destination.kind is WaitKind.TIME:
        return WaitReason(WaitKind.TURN, site=at_destination.site)
    return at_destination
