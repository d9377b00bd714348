"""What the mailing lists work with: the doors and settings that their parts share."""

from dataclasses import dataclass

from twisted_mail.interfaces import (
    Blocking,
    Clock,
    FaultReport,
    HeldJobs,
    JobProgress,
    Journal,
    Mailer,
    MailingListStore,
    Queue,
    unreported,
)
from twisted_mail.lists.settings import ListSettings


@dataclass(frozen=True, slots=True)
class ListBackend:
    """Doors and settings.

    ``queue`` takes the copies for members, ``mailer`` what the lists themselves write. ``held`` are the
    posts that wait for a moderator, ``progress`` records which members have their copy of a post.
    """

    hostname: str
    lists: MailingListStore
    queue: Queue
    mailer: Mailer
    held: HeldJobs
    progress: JobProgress
    blocking: Blocking
    clock: Clock
    journal: Journal
    settings: ListSettings
    report_fault: FaultReport = unreported
