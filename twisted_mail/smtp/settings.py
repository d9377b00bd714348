"""What an operator may set for SMTP."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from twisted_mail.smtp.stream.lf_repair import parse_networks

KEYWORDS = frozenset(
    [
        "PIPELINING",
        "XCLIENT",
        "SIZE",
        "STARTTLS",
        "AUTH",
        "ENHANCEDSTATUSCODES",
        "8BITMIME",
        "SMTPUTF8",
        "CHUNKING",
        "BINARYMIME",
        "DSN",
        "REQUIRETLS",
        "LIMITS",
        "FUTURERELEASE",
        "DELIVERBY",
        "MT-PRIORITY",
        "EXPN",
        "HELP",
    ]
)
Audience = Literal["everyone", "authenticated", "nobody"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The service on port 25: mail from other servers to the accounts here.

    Sizes are in octets, durations in seconds. Times are those of RFC 5321 §4.5.3.2.
    """

    service: ClassVar[str] = "smtp"
    protocol: ClassVar[str] = "ESMTP"  # in greeting and trace

    requires_login: bool = False  # refuse everything but a login before it
    offers_login: bool = False
    completes_header: bool = False  # give a message Date, Message-ID and From where it has none
    removes_bcc: bool = False  # the fields that name secret recipients
    makes_legal: bool = False  # encode long lines and binary octets anew
    checks_author: bool = False  # From and Sender have to be of the account that logged in
    takes_null_sender: bool = True  # from those who have logged in
    vrfy_for: Audience = "nobody"  # who gets a true answer; others get neither yes nor no
    expn_for: Audience = "nobody"  # the same
    shows_login: bool = False  # in the Received field
    needs_brackets: bool = False  # refuse MAIL FROM:user@host, without < and >
    hidden_keywords: tuple[str, ...] = ()  # extensions not offered, by their keywords in EHLO
    repairs_lf_from: tuple[str, ...] = ()  # networks whose lines may end with LF alone
    xclient_from: tuple[str, ...] = ()  # networks of proxies that say whom they speak for

    greeting_delay: float = 0  # before the greeting
    refuses_early_talkers: bool = False  # who speak before it

    max_size: int = 50 * 1024 * 1024
    max_recipients: int = 1000
    max_messages: int = 0  # in one conversation; 0: any number
    max_hops: int = 50
    max_line: int = 2048
    max_auth_line: int = 12288  # RFC 4954 §4

    command_timeout: float = 300
    block_timeout: float = 180  # for the next piece of a message
    message_timeout: float = 600  # for a whole message, and one second more for ...
    slowest_rate: int = 1000  # ... this number of its octets

    soft_errors: int = 10  # more than these, and each error is answered after ...
    error_delay: float = 1  # ... this time
    hard_errors: int = 20  # and here the conversation ends
    max_junk: int = 100  # commands without mail that are not yet errors
    max_unknown: int = 100  # unknown recipients in one conversation
    max_failed_logins: int = 3

    max_hold: int = 31 * 86400  # how long messages are held at most (RFC 4865)
    min_deliver_by: int = 60  # less cannot be promised (RFC 2852)
    max_priority: int = 0  # higher ones are lowered to this (RFC 6710)

    def __post_init__(self) -> None:
        parse_networks(self.repairs_lf_from)
        parse_networks(self.xclient_from)
        if unknown := set(self.hidden_keywords) - KEYWORDS:
            raise ValueError(f"hidden_keywords has {min(unknown)!r}, which is no keyword of EHLO")
        if self.refuses_early_talkers and not self.greeting_delay:
            raise ValueError("refuses_early_talkers needs a greeting_delay")
        if self.max_priority > 9:
            raise ValueError("max_priority is 9 at most")


@dataclass(frozen=True, slots=True)
class SubmissionSettings(Settings):
    """The service on ports 587 and 465: mail from the accounts here (RFC 6409, RFC 8314)."""

    service: ClassVar[str] = "submission"

    requires_login: bool = True
    offers_login: bool = True
    completes_header: bool = True
    removes_bcc: bool = True
    makes_legal: bool = True


@dataclass(frozen=True, slots=True)
class LmtpSettings(Settings):
    """Final delivery for another mail server on this host (RFC 2033).

    What it passes on is other people's, and so are the errors in it: it is not slowed down for them.
    """

    service: ClassVar[str] = "lmtp"
    protocol: ClassVar[str] = "LMTP"

    soft_errors: int = 1000
    hard_errors: int = 1000
    max_junk: int = 1000
    max_unknown: int = 100_000
