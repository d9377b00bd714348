"""Envelopes: what SMTP says about one message, and what its sender asks of the relays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.route import KnownRoutes

BodyType = Literal["7BIT", "8BITMIME", "BINARYMIME"]
DsnReturn = Literal["", "FULL", "HDRS"]
NotifyEvent = Literal["SUCCESS", "FAILURE", "DELAY"]


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """The delivery reports that the sender asks for about one recipient (RFC 3461 §4.1, §4.2).

    ``events`` are those of NOTIFY: none for NEVER, and None if it was not given, which means FAILURE and
    perhaps DELAY. ``original`` is ORCPT as it came, ``type;address`` in xtext, to be passed on
    unaltered.
    """

    events: frozenset[NotifyEvent] | None = None
    original: str = ""


DEFAULT_DSN_REQUEST = DsnRequest()


@dataclass(frozen=True, slots=True)
class FutureRelease:
    """The time before which a message is not to be released, in seconds since 1970 (RFC 4865 §4).

    ``request`` is the parameter as reports repeat it: ``for;3600`` (RFC 4865 §5.1.2).
    """

    until: float
    request: str


@dataclass(frozen=True, slots=True)
class DeliverBy:
    """The time by which a message is to be delivered, in seconds since 1970 (RFC 2852 §4).

    After it the message ``is_returned`` or, if not, still delivered, and the delay is reported to the
    sender. With ``is_traced``, each relay reports to the sender.
    """

    deadline: float
    is_returned: bool
    is_traced: bool = False


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What the parameters of MAIL ask for one message; by default nothing.

    ``size`` is the octets announced by SIZE (RFC 1870 §6), or 0; ``body`` the value of BODY (RFC 6152 §2,
    RFC 3030 §3). ``is_utf8``: addresses and header may be UTF-8 (RFC 6531 §3.4). ``requires_tls``: to be
    sent on only over TLS to a verified server (RFC 8689 §4.1). ``originator`` is who first submitted the
    message, if that is known and trusted (RFC 4954 §5). ``returns`` is how much of it a report of failure
    repeats, and ``envid`` the sender's own id for it, in xtext as it came (RFC 3461 §4.3, §4.4).
    ``priority`` goes from -9 to 9 (RFC 6710 §5).
    """

    size: int = 0
    body: BodyType = "7BIT"
    is_utf8: bool = False
    requires_tls: bool = False
    originator: Address = NULL
    returns: DsnReturn = ""
    envid: str = ""
    future_release: FutureRelease | None = None
    deliver_by: DeliverBy | None = None
    priority: int = 0


NO_MAIL_PARAMETERS = MailParameters()


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender and recipients of one message, with what was asked for.

    ``id`` is the one name of this message in replies, in trace headers and in the log. ``submitter`` is
    the account that logged in to send it, or empty. Mail that ``is_quarantined`` goes to the junk mailbox
    and is not sent on. ``dsn_requests`` has only recipients for which something was asked. With
    ``is_tls_optional`` the sender wants it delivered even where TLS fails (RFC 8689 §3). ``client_host``
    is the address of the client that sent it, empty over a UNIX socket, and None for mail that was
    written here; ``tls`` has version and cipher suite of its connection, ``message_id`` is that of the
    header, both for the log and perhaps empty. ``routes`` are those found at RCPT; they are valid only in
    the process that found them.
    """

    id: str
    sender: Address
    recipients: tuple[Address, ...]
    submitter: str = ""
    is_quarantined: bool = False
    mail_parameters: MailParameters = NO_MAIL_PARAMETERS
    dsn_requests: Mapping[Address, DsnRequest] = field(default_factory=dict, hash=False)
    is_tls_optional: bool = False
    client_host: str | None = None
    tls: str = ""
    message_id: str = ""
    routes: KnownRoutes | None = field(default=None, compare=False, repr=False)

    @property
    def declared_size(self) -> int:
        """Return the octets announced by SIZE, or 0."""
        return self.mail_parameters.size

    @property
    def is_8bit(self) -> bool:
        """True when octets above 127 may occur."""
        return self.mail_parameters.body != "7BIT"

    def with_message_id(self, message_id: str) -> "Envelope":
        """Return the envelope with the Message-ID of the header, in half the time of ``replace``."""
        return Envelope(
            self.id,
            self.sender,
            self.recipients,
            self.submitter,
            self.is_quarantined,
            self.mail_parameters,
            self.dsn_requests,
            self.is_tls_optional,
            self.client_host,
            self.tls,
            message_id,
            self.routes,
        )

    def dsn_request(self, recipient: Address) -> DsnRequest:
        """Return the reports that the sender asks for about a recipient."""
        return self.dsn_requests.get(recipient, DEFAULT_DSN_REQUEST)
