"""What the mailing lists work with: the doors and settings that their parts share."""

from dataclasses import dataclass

from twisted_mail.interfaces import (
    Blocking,
    Clock,
    FaultReport,
    JobSpool,
    Journal,
    ListAdmission,
    Mailer,
    MailingListStore,
    Router,
    unreported,
)
from twisted_mail.lists.settings import ListSettings


@dataclass(frozen=True, slots=True)
class ListBackend:
    """Doors and settings.

    ``router`` finds where members get their mail, ``admission`` decides for those that are lists
    themselves. ``mailer`` sends what the lists themselves write; ``spool`` has the posts that wait for a
    moderator.
    """

    hostname: str
    lists: MailingListStore
    router: Router
    admission: ListAdmission
    mailer: Mailer
    spool: JobSpool
    blocking: Blocking
    clock: Clock
    journal: Journal
    settings: ListSettings
    report_fault: FaultReport = unreported
