"""Jobs: messages that we are responsible for, and the recipients that are still owed."""

from dataclasses import dataclass
from enum import Enum

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import (
    DEFAULT_DSN_REQUEST,
    NO_MAIL_PARAMETERS,
    DsnRequest,
    MailParameters,
)
from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.target import Target, destination


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
    sent it, or empty.
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


class RecipientState(Enum):
    """Whether a recipient waits for its time, or for a word (of a moderator, of the operator)."""

    WAITING = "waiting"
    HELD = "held"


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
    def destination(self) -> Destination:
        """Return where it is brought."""
        return self.recipients[0].destination
