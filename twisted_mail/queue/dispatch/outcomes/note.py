"""One thing to be noted on disk: what has become of a recipient."""

from dataclasses import dataclass

from twisted_mail.interfaces import QueueJournal, ReportAction, ReportedRecipient
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue
from twisted_mail.queue.dispatch.memory.taken import LentMessage
from twisted_mail.queue.dispatch.outcomes.results import Fate

_STAYS = (Fate.DEFERRED, Fate.DELAYED, Fate.SUSPENDED)


@dataclass(slots=True)
class ResultNote:
    """What has become of a recipient of a destination, and what its sender is to hear about it.

    The recipient is as it is now. The message is held for the report, where there is an ``action``.
    """

    queue: DestinationQueue
    job: QueuedJob
    recipient: OwedRecipient
    fate: Fate
    site: str = ""
    action: ReportAction | None = None
    lent: LentMessage | None = None
    until: float = 0.0

    @property
    def key(self) -> tuple[str, int]:
        """Return the recipient's job and number."""
        return self.job.id, self.recipient.number

    @property
    def stays(self) -> bool:
        """Return whether the recipient is still owed."""
        return self.fate in _STAYS

    @property
    def told(self) -> ReportedRecipient:
        """Return what a report has of it."""
        assert self.action is not None
        return ReportedRecipient(self.recipient, self.action, self.until)

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
