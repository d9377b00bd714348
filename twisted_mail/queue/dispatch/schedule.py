"""When a recipient is tried again, and for how long: pure functions of time, outcome and history.

All times are seconds since 1970. What looks random comes of the job's id, so that the recipients of a
job stay together for one transaction, and a simulation shows what will happen.
"""

from zlib import crc32

from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.job import JobKind, QueuedJob
from twisted_mail.queue.dispatch.settings import ScheduleSettings

DAY = 86_400.0
SPREAD = 0.1  # pauses are so much shorter or longer, so that what failed together comes back apart
GREYLIST_TRIES = (
    3  # so often the short pause is kept to; a greylist lets a known sender pass by then
)
GREYLIST_SECONDS = (5.0, 25.0)  # behind the pause: many greylists count whole minutes
PROBES_A_SECOND = 30  # of all sites that rest: with very many each rests longer
RESTS = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)  # of a site that cannot be reached


def next_due(
    tries: int, now: float, job: str, reply_class: ReplyClass, settings: ScheduleSettings
) -> float:
    """Return when a recipient is tried again who was refused for now at ``now``.

    ``tries`` counts this one. RFC 5321 §4.5.4.1 advises half an hour between tries, and two in the first
    hour.
    """
    chance = _chance(job, tries)
    if reply_class is ReplyClass.GREYLIST and tries <= GREYLIST_TRIES:
        least, most = GREYLIST_SECONDS
        return now + settings.greylist + least + (most - least) * chance
    pause = settings.retries[min(max(tries, 1), len(settings.retries)) - 1]
    return now + pause * (1 - SPREAD + 2 * SPREAD * chance)


def _chance(job: str, tries: int) -> float:
    """Return a number from 0 to 1 that is the same for all recipients of a job."""
    return crc32(b"%s/%d" % (job.encode(), tries)) / 0xFFFFFFFF


def lifetime(kind: JobKind, settings: ScheduleSettings) -> float:
    """Return for how many seconds a message of a kind is tried."""
    return DAY * (settings.report_days if kind is JobKind.REPORT else settings.days)


def expires_at(job: QueuedJob, settings: ScheduleSettings) -> float:
    """Return until when a job is tried.

    Its days begin when its sender lets it go (RFC 4865 §4), and end at the time by which it is to be
    delivered or returned (RFC 2852 §4.1.4).
    """
    parameters = job.mail_parameters
    begin = job.arrived
    if parameters.future_release is not None:
        begin = max(begin, parameters.future_release.until)
    end = begin + lifetime(job.kind, settings)
    by = parameters.deliver_by
    return min(end, by.deadline) if by is not None and by.is_returned else end


def rest_seconds(failures: int, others: int = 0) -> float:
    """Return how long a site or destination rests that has failed so often in a row.

    Longer where so many others rest, too, but never more than the longest: else a hundred thousand that
    are dead would take all time of the processor in their first half hour.
    """
    own = RESTS[min(max(failures, 1), len(RESTS)) - 1]
    return max(own, min(others / PROBES_A_SECOND, RESTS[-1]))


def planned(job: QueuedJob, now: float, tries: int, settings: ScheduleSettings) -> list[float]:
    """Return when a recipient would be tried from now on if all tries were refused for now.

    It has been tried so often, and is due at ``now``. At the last of these times it is given up.
    """
    times, end = [now], expires_at(job, settings)
    while times[-1] < end:
        tries += 1
        times.append(next_due(tries, times[-1], job.id, ReplyClass.OTHER, settings))
    return times
