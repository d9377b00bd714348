"""What senders hear about their mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob


class ReportAction(Enum):
    """What has become of a recipient (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"  # to a host that does not send reports
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """A recipient of a report; ``recipient.last`` is the attempt that it tells of.

    ``until`` is how long it is tried yet, in seconds since 1970, for those that are delayed.
    """

    recipient: OwedRecipient
    action: ReportAction
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class WrittenReports:
    """Reports as jobs: one for each sender, so mostly one, or none where nobody is to be told.

    ``lost`` has the numbers of the recipients whose failure somebody should hear of, and nobody can
    be: the sender is empty or cannot be reached, and there is no postmaster.
    """

    jobs: tuple[NewJob, ...] = ()
    lost: frozenset[int] = frozenset()


class Reports(Protocol):
    """Writes reports. Whether a sender asked for one is decided here, too."""

    async def write(
        self, job: QueuedJob, message: Message, told: Sequence[ReportedRecipient]
    ) -> WrittenReports:
        """Return what is to be sent about these recipients of a job.

        The jobs belong in the transaction that notes what has become of the recipients. The message is
        lent. Raises Unavailable while the way back to a sender cannot be found.
        """
