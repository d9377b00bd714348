"""What decides about turns, of recipients who are due."""

from collections.abc import Iterable
from itertools import groupby, islice

from twisted_mail.interfaces import DueRecipient
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob

CROWD = 100  # recipients of one job that may stand before those of others


def submitter_of(job: QueuedJob) -> str:
    """Return with whose mail that of a job shares its turns."""
    return job.submitter or job.sender.domain


def due_recipient(job: QueuedJob, recipient: OwedRecipient) -> DueRecipient:
    """Return what is known of a recipient who is due."""
    return DueRecipient(
        job.id,
        recipient.number,
        recipient.due,
        job.arrived,
        submitter_of(job),
        job.mail_parameters.priority,
        recipient.notices,
    )


def age(recipient: DueRecipient) -> tuple[float, str, int]:
    """Return what orders recipients by age."""
    return recipient.arrived, recipient.job, recipient.number


def crowd(limit: int) -> int:
    """Return how many of one job with one due time there may be among so many recipients."""
    return max(CROWD, limit // 2)


def without_crowds(ordered: Iterable[DueRecipient], limit: int) -> list[DueRecipient]:
    """Return ``limit`` recipients in order, of a job with one due time no more than ``crowd`` allows."""
    most = crowd(limit)
    groups = groupby(ordered, key=lambda one: (one.due, one.job))
    return [one for _, group in groups for one in islice(group, most)][:limit]
