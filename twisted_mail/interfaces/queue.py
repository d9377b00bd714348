"""Mail that waits: what takes jobs in, and what delivers them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from twisted_mail.mail.delivery_result import DeliveryResult
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.notice import Notice
from twisted_mail.mail.route import JobTarget, ListTarget


class JobQueue(Protocol):
    """Takes messages in as jobs, one for each program or mailing list, in two steps.

    Between the steps the accounts get their copies of the same message.
    """

    async def prepare(
        self, envelope: Envelope, message: Message, targets: Sequence[JobTarget]
    ) -> list[Job]:
        """Write jobs for a message, durably, and promise nothing yet.

        A target may need no job. The message's blob stays the caller's. Raises Refused when a target
        does not take the message, and Unavailable; then nothing is kept.
        """

    async def commit(self, jobs: Sequence[Job]) -> None:
        """Take responsibility for prepared jobs: durable when this returns. Raises Unavailable."""

    async def rollback(self, jobs: Sequence[Job]) -> None:
        """Remove prepared jobs: the sender keeps the message. Raises Unavailable."""


class Transport(Protocol):
    """Delivers jobs of one kind: to programs, to the members of mailing lists."""

    async def deliver(self, job: Job, blob: Blob) -> DeliveryResult:
        """Try once; return the result. Raises MailError, which counts as a failure for now.

        The blob is lent: it is not closed here.
        """


class ListAdmission(Protocol):
    """Decides whether a mailing list takes a message."""

    async def admit(self, envelope: Envelope, target: ListTarget, header: bytes) -> str | None:
        """Return the empty text for a message that is taken, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """


class Moderation(Protocol):
    """Knows who decides about held jobs."""

    async def notify_moderators(self, job: Job, blob: Blob) -> None:
        """Write to the moderators that a message is held. Raises Unavailable if none is reached."""


class HeldJobs(Protocol):
    """The jobs that wait for a moderator."""

    async def decide(self, id: str, decision: str) -> None:
        """Record ``APPROVE`` or ``REJECT`` for a job, durably; it is acted on soon after.

        A job that is not held, or not there, is passed over then. Raises Unavailable.
        """


class JobProgress(Protocol):
    """How far a job for many recipients has come. Methods may block; they raise OSError."""

    def done(self, id: str) -> set[int]:
        """Return the numbers of the recipients who have their copy."""

    def note_done(self, id: str, numbers: Iterable[int]) -> None:
        """Note durably that these recipients have their copy."""


class Mailer(Protocol):
    """Sends the mail that the server itself writes."""

    async def send(self, notice: Notice) -> bool:
        """Send a notice; return whether its recipient can be reached at all. Raises Unavailable."""
