"""What an operator may set for SMTP."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from twisted_mail.mail.foreign_protocol import METHODS
from twisted_mail.smtp.forbidden import parse_commands
from twisted_mail.smtp.limits import LimitSettings
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
class Settings(LimitSettings):
    """The service on port 25: mail from other servers to the accounts here.

    Sizes are in octets, durations in seconds.
    """

    service: ClassVar[str] = "smtp"
    protocol: ClassVar[str] = "ESMTP"  # in greeting and trace

    requires_login: bool = False  # refuse everything but a login before it
    offers_login: bool = False
    completes_header: bool = False  # give a message Date, Message-ID and From where it has none
    removes_bcc: bool = False  # the fields that name secret recipients
    makes_legal: bool = False  # encode long lines and binary octets anew
    checks_author: bool = True  # From, Sender, Resent-* have to be of the account that logged in
    takes_null_sender: bool = True  # from those who have logged in
    vrfy_for: Audience = "authenticated"  # who gets a true answer; others get neither yes nor no
    expn_for: Audience = "authenticated"  # the same
    shows_login: bool = False  # in the Received field
    needs_brackets: bool = False  # refuse MAIL FROM:user@host, without < and >
    hidden_keywords: tuple[str, ...] = ()  # extensions not offered, by their keywords in EHLO
    forbidden_commands: tuple[str, ...] = METHODS  # these, fields and TLS end the conversation
    repairs_lf_from: tuple[str, ...] = ()  # networks whose lines may end with LF alone
    xclient_from: tuple[str, ...] = ()  # networks of proxies that say whom they speak for

    greeting_delay: float = 0  # before the greeting
    refuses_early_talkers: bool = False  # who speak before it

    def __post_init__(self) -> None:
        LimitSettings.__post_init__(self)  # super() does not know classes with slots
        parse_networks(self.repairs_lf_from)
        parse_commands(self.forbidden_commands)
        parse_networks(self.xclient_from)
        if unknown := set(self.hidden_keywords) - KEYWORDS:
            raise ValueError(f"hidden_keywords has {min(unknown)!r}, which is no keyword of EHLO")
        if self.refuses_early_talkers and not self.greeting_delay:
            raise ValueError("refuses_early_talkers needs a greeting_delay")


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
