"""What an operator may set for POP3."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Settings:
    """The service on ports 110 and 995: mail fetched by RFC 1939.

    Durations are in seconds, line lengths in octets including the line's end.
    """

    service: ClassVar[str] = "pop3"

    marks_seen: bool = True  # what RETR has sent is \Seen for IMAP, once the session ends

    login_timeout: float = 180  # from the greeting to the login
    idle_timeout: float = 600  # after it; RFC 1939 §3 forbids less

    max_line: int = 255  # RFC 2449 §4
    max_auth_line: int = 12288  # RFC 5034 §4 leaves it open; RFC 4954 §4 names this number
    max_errors: int = 20  # malformed or unknown commands, in one conversation
    max_failed_logins: int = 3

    def __post_init__(self) -> None:
        if self.idle_timeout < 600:
            raise ValueError("idle_timeout must be at least 600 seconds (RFC 1939 §3)")
        if self.max_line < 255:
            raise ValueError("max_line must be at least 255 octets (RFC 2449 §4)")
