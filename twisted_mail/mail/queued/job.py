"""Jobs: messages that we are responsible for, and the recipients that are still owed."""

from dataclasses import dataclass, replace
from enum import Enum

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import (
    DEFAULT_DSN_REQUEST,
    NO_MAIL_PARAMETERS,
    DsnRequest,
    Envelope,
    MailParameters,
)
from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.target import Target, destination
from twisted_mail.mail.route import ListTarget

BY_OPERATOR = "held by the operator"  # the reason of what the operator holds
NOBODY_TOLD = "nobody can be told: "  # begins the reason of what is held as undeliverable


class JobKind(Enum):
    """What a message is to the queue: people's mail, or a report or notice of the server itself.

    Nobody hears of a report that cannot be delivered, and it is tried for a shorter time.
    """

    MAIL = "mail"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A message that we have promised to hand on.

    ``id`` is the one that replies, the trace field and the log name; ``arrived`` is in seconds since
    1970; ``size`` counts the octets of prefix and blob. ``submitter`` is the account that
    sent it, or empty. What ``is_quarantined`` goes to the mailbox for junk of accounts.
    """

    id: str
    arrived: float
    sender: Address
    kind: JobKind = JobKind.MAIL
    submitter: str = ""
    mail_parameters: MailParameters = NO_MAIL_PARAMETERS
    is_tls_optional: bool = False
    message_id: str = ""
    size: int = 0
    is_quarantined: bool = False


def job_of(envelope: Envelope, size: int, arrived: float) -> QueuedJob:
    """Return the job of a message of ``size`` octets that comes in now."""
    return QueuedJob(
        envelope.id,
        arrived,
        envelope.sender,
        submitter=envelope.submitter,
        mail_parameters=envelope.mail_parameters,
        is_tls_optional=envelope.is_tls_optional,
        message_id=envelope.message_id,
        size=size,
        is_quarantined=envelope.is_quarantined,
    )


class RecipientState(Enum):
    """Whether a recipient waits for its time, or for a word (of a moderator, of the operator).

    One that is *unreported* is served or has failed, which is certain, and is not tried any more: its
    sender is still to hear of it.
    """

    WAITING = "waiting"
    HELD = "held"
    UNREPORTED = "unreported"


@dataclass(frozen=True, slots=True)
class OwedRecipient:
    """One address of a job that is still owed.

    ``number`` is its place in the job, never used again. ``original`` is the recipient as the sender
    wrote it, where an alias led on. ``due`` is when it is tried again, in seconds since 1970; ``tries``
    how often it was; ``notices`` how many the sender got about it; ``last`` how the last try ended. With
    ``sender`` and ``fields`` it has an envelope sender and header fields (whole lines with CRLF) of its
    own, in front of the message's. ``reason`` says why it is held; ``progress`` is the number of the last
    member of a list who is served.
    """

    number: int
    target: Target
    dsn_request: DsnRequest = DEFAULT_DSN_REQUEST
    original: Address | None = None
    sender: Address | None = None
    fields: bytes = b""
    state: RecipientState = RecipientState.WAITING
    due: float = 0.0
    tries: int = 0
    notices: int = 0
    last: Attempt | None = None
    reason: str = ""
    progress: int = 0

    @property
    def destination(self) -> Destination:
        """Return where it is brought."""
        return destination(self.target)

    @property
    def address(self) -> Address:
        """Return the address that mail is handed on to."""
        return self.target.recipient

    @property
    def is_undeliverable(self) -> bool:
        """True for what is held because it has failed, and nobody can be told."""
        return self.state is RecipientState.HELD and self.reason.startswith(NOBODY_TOLD)

    @property
    def waits_for_moderators(self) -> bool:
        """True for a post that is held until the moderators of its list decide."""
        is_held = self.state is RecipientState.HELD and not self.is_undeliverable
        return is_held and isinstance(self.target, ListTarget) and self.reason != BY_OPERATOR


def undeliverable(recipient: OwedRecipient, until: float) -> OwedRecipient:
    """Return a recipient that has failed, where nobody can be told: held for the operator.

    It is kept ``until`` then, in seconds since 1970.
    """
    said = recipient.last.outcome.text if recipient.last is not None else recipient.reason
    reason = NOBODY_TOLD + (said or "it did not succeed")
    return replace(recipient, state=RecipientState.HELD, due=until, reason=reason)


def may_follow_unreported(recipient: OwedRecipient) -> bool:
    """Return whether this may take the place of one that is unreported: that is never sent again."""
    return recipient.state is RecipientState.UNREPORTED or recipient.is_undeliverable


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it is taken in, with all its recipients and the message, whose blob is lent."""

    job: QueuedJob
    recipients: tuple[OwedRecipient, ...]
    message: Message


@dataclass(frozen=True, slots=True)
class Transaction:
    """A part of a job that is handed on at once: recipients of one destination, and the message.

    All have the same envelope sender and fields. The message is lent by the queue.
    """

    job: QueuedJob
    recipients: tuple[OwedRecipient, ...]
    message: Message

    @property
    def sender(self) -> Address:
        """Return the envelope sender."""
        own = self.recipients[0].sender
        return self.job.sender if own is None else own

    @property
    def fields(self) -> bytes:
        """Return the header fields of their own, which go in front of the message."""
        return self.recipients[0].fields

    @property
    def destination(self) -> Destination:
        """Return where it is brought."""
        return self.recipients[0].destination
