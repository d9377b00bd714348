"""Who works behind the mail that waits: the doors inside this room."""

from typing import Protocol

from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import Job
from twisted_mail.mail.route import ListTarget
from twisted_mail.queue.folder import JobBlob
from twisted_mail.queue.program import DeliveryResult


class Transport(Protocol):
    """Does errands of one kind."""

    async def deliver(self, parcel: Job, blob: JobBlob) -> DeliveryResult:
        """Try once; return how it ended. Raises MailError, which counts as a failure for now."""


class ListAdmission(Protocol):
    """Says whether a mailing list takes a message."""

    async def admit(self, envelope: Envelope, mail: ListTarget, header: bytes) -> str | None:
        """Return the empty text for a message that is taken, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """

    async def notify_moderators(self, parcel: Job, blob: JobBlob) -> None:
        """Tell those who may say a word that a message is held. Raises Unavailable."""


class FailureReporter(Protocol):
    """Tells senders what became of their mail."""

    async def failed(self, parcel: Job, ended: DeliveryResult, blob: JobBlob) -> None:
        """Tell the sender that a message was not handed on. Raises MailError when that is impossible."""
