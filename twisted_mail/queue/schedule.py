"""When a job is tried again, and for how long: pure functions of time and history."""

from dataclasses import replace

from twisted_mail.mail.job import Job
from twisted_mail.queue.settings import QueueSettings

_MAX_DOUBLINGS = 30  # beyond any setting; larger powers of two would overflow a float


def postponed(job: Job, reason: str, now: float, settings: QueueSettings) -> Job:
    """Return a job after an attempt that failed for now: due after twice the pause before."""
    pause = settings.first_retry * 2.0 ** min(job.attempts, _MAX_DOUBLINGS)
    due = now + min(pause, settings.longest_retry)
    return replace(job, due=due, attempts=job.attempts + 1, reason=reason)


def is_expired(job: Job, now: float, settings: QueueSettings) -> bool:
    """Return whether a job has been tried for so long that it has failed."""
    return now - job.created > settings.days * 86400
