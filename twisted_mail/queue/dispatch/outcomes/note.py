"""Things to be noted on disk: what has become of a recipient, and what its sender is to hear of it."""

from dataclasses import dataclass

from twisted_mail.interfaces import QueueJournal, ReportAction, ReportedRecipient
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.queue.dispatch.memory.claims import Key
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue
from twisted_mail.queue.dispatch.memory.taken import LentMessage
from twisted_mail.queue.dispatch.outcomes.results import Fate

_STAYS = (Fate.DEFERRED, Fate.SUSPENDED)


@dataclass(frozen=True, slots=True)
class OwedReport:
    """What the sender of a message is to hear of one recipient. The message is held until then."""

    job: QueuedJob
    told: ReportedRecipient
    lent: LentMessage

    @property
    def key(self) -> Key:
        """Return the recipient's job and number."""
        return self.job.id, self.told.recipient.number

    @property
    def is_notice(self) -> bool:
        """Return whether the recipient is late, and goes on to wait."""
        return self.told.action is ReportAction.DELAYED


@dataclass(slots=True)
class ResultNote:
    """What has become of a recipient of a destination, and the report that is owed about it.

    The recipient is as it is now.
    """

    queue: DestinationQueue
    job: QueuedJob
    recipient: OwedRecipient
    fate: Fate
    site: str = ""
    report: OwedReport | None = None

    @property
    def key(self) -> Key:
        """Return the recipient's job and number."""
        return self.job.id, self.recipient.number

    @property
    def stays(self) -> bool:
        """Return whether the recipient still waits to be served."""
        return self.fate in _STAYS

    def log(self, events: QueueJournal) -> None:
        """Write it to the log."""
        match self.fate:
            case Fate.DELIVERED:
                events.delivered(self.job, self.recipient, self.site)
            case Fate.DEFERRED:
                events.deferred(self.job, self.recipient, self.site)
            case Fate.FAILED:
                events.failed(self.job, self.recipient, self.site)
            case Fate.EXPIRED:
                events.expired(self.job, self.recipient, self.site)
