"""What follows from how attempts ended: pure values."""

from dataclasses import dataclass, replace
from enum import Enum

from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.queue.dispatch.schedule import expires_at, next_due
from twisted_mail.queue.dispatch.settings import ScheduleSettings


class Fate(Enum):
    """What has become of a recipient."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    EXPIRED = "expired"
    DELAYED = "delayed"  # the sender got a notice
    SUSPENDED = "suspended"  # its sender or account is; it waits for that to end


@dataclass(frozen=True, slots=True)
class Result:
    """A recipient as it is after an attempt, and what has become of it.

    Of one that is late, ``until`` is how long it is tried yet.
    """

    fate: Fate
    recipient: OwedRecipient
    until: float = 0.0


def result_of(
    job: QueuedJob,
    recipient: OwedRecipient,
    attempt: Attempt,
    now: float,
    settings: ScheduleSettings,
) -> Result:
    """Return what follows from an attempt: served, or later, or given up."""
    tries = recipient.tries + 1
    tried = replace(recipient, tries=tries, last=attempt)
    if attempt.outcome.is_success:
        return Result(Fate.DELIVERED, tried)
    if not attempt.outcome.is_temporary:
        return Result(Fate.FAILED, tried)
    end = expires_at(job, settings)
    if now >= end:
        return Result(Fate.EXPIRED, tried)
    due = next_due(tries, now, job.id, attempt.reply_class, settings)
    return Result(Fate.DEFERRED, replace(tried, due=due))


def expired(recipient: OwedRecipient, site_last: Attempt | None) -> OwedRecipient:
    """Return a recipient who is given up, with the newer of its own last attempt and its site's."""
    last = recipient.last
    if site_last is not None and (last is None or last.at < site_last.at):
        last = site_last
    return recipient if last is recipient.last else replace(recipient, last=last)
