"""What the commands have said of one message so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.route import LocalRoute, RemoteRoute
from twisted_mail.smtp.arrival.incoming_message import IncomingChunkedMessage

NO_NOTIFICATIONS: Mapping[Address, DsnRequest] = {}


@dataclass(slots=True)
class Transaction:
    """A mail transaction (RFC 5321 §3.3).

    ``recipients`` are in order, each once, with their routes; ``routes_version`` is the router's before
    the first of them. ``repeats`` counts those that came again, ``extra_recipients`` those refused for
    being too many. ``incoming_message`` is the message, when it comes by BDAT and has begun.
    """

    id: str
    sender: Address
    mail_parameters: MailParameters
    recipients: dict[Address, LocalRoute | RemoteRoute] = field(default_factory=dict)
    dsn_requests: dict[Address, DsnRequest] | None = None
    routes_version: object = None
    repeats: int = 0
    extra_recipients: int = 0
    incoming_message: IncomingChunkedMessage | None = None

    @property
    def count(self) -> int:
        """Return how many recipients were accepted, repeated ones too."""
        return len(self.recipients) + self.repeats

    @property
    def reply_count(self) -> int:
        """Return how many replies the message gets."""
        return 1

    def add_recipient(self, recipient: Address, route: LocalRoute | RemoteRoute) -> None:
        """Accept a recipient, perhaps again."""
        self.repeats += recipient in self.recipients
        self.recipients[recipient] = route

    def notify(self, recipient: Address, dsn_request: DsnRequest) -> None:
        """Note which reports of a recipient the sender wants."""
        if self.dsn_requests is None:
            self.dsn_requests = {}
        self.dsn_requests[recipient] = dsn_request
