"""What an operator may set for SMTP."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Settings:
    """The service on port 25: mail from other servers to the accounts here.

    Sizes are in octets, durations in seconds. Times are those of RFC 5321 §4.5.3.2.
    """

    service: ClassVar[str] = "smtp"

    requires_login: bool = False  # refuse everything but a login before it
    offers_login: bool = False
    completes_header: bool = False  # give a message Date and Message-ID where it has none
    answers_vrfy: bool = False  # truthfully, to those who have logged in
    answers_expn: bool = False  # truthfully, to those who have logged in

    max_size: int = 50 * 1024 * 1024
    max_recipients: int = 1000
    max_hops: int = 50
    max_line: int = 2048
    max_auth_line: int = 12288  # RFC 4954 §4

    command_timeout: float = 300
    block_timeout: float = 180  # for the next piece of a message
    message_timeout: float = 600  # for a whole message, and a second more for each ...
    slowest_rate: int = 1000  # ... so many octets of it

    soft_errors: int = 10  # from here on, each error is answered after ...
    error_delay: float = 1  # ... so long
    hard_errors: int = 20  # and here the conversation ends
    max_junk: int = 100  # commands without mail that are not yet errors
    max_unknown: int = 100  # unknown recipients in one conversation
    max_failed_logins: int = 3


@dataclass(frozen=True, slots=True)
class SubmissionSettings(Settings):
    """The service on ports 587 and 465: mail from the accounts here (RFC 6409, RFC 8314)."""

    service: ClassVar[str] = "submission"

    requires_login: bool = True
    offers_login: bool = True
    completes_header: bool = True
