"""What an operator may set for IMAP."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from twisted_mail.imap.framing_events import CommandLimits

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Settings:
    """The service on ports 143 and 993. Sizes are in octets, durations in seconds.

    Before login, one command takes at most ``max_login_line`` and what literals add to it, and
    the connection has ``login_timeout`` in all. After login, silence may last ``idle_timeout``, for
    which RFC 3501 §5.4 wants 30 minutes at least; in the middle of a command ``command_timeout``.
    """

    service: ClassVar[str] = "imap"

    max_size: int = 64 * MIB  # the largest message APPEND takes

    # An ID may have 30 names of 30 octets and 30 values of 1024, each as a literal (RFC 2971 §3.3).
    max_login_line: int = 40 * KIB
    max_login_literal: int = 4 * KIB
    max_login_literals: int = 64
    max_line: int = 64 * KIB
    max_literal: int = 64 * KIB
    max_literals: int = 1000
    max_command: int = 1 * MIB

    login_timeout: float = 180.0
    command_timeout: float = 300.0
    idle_timeout: float = 1860.0
    idle_poll_seconds: float = 5.0  # how often IDLE looks for what other programs did
    keepalive_seconds: float = 240.0  # how often IDLE shows that the server is there

    max_login_errors: int = 10  # bad commands before login, in all
    max_failed_logins: int = 5  # wrong passwords on one connection
    max_errors: int = 20  # bad commands after login, one after the other

    identity: str = "twisted-mail"  # the name in the answer to ID, or nothing

    def __post_init__(self) -> None:
        if self.idle_timeout < 1800:
            raise ValueError("idle_timeout must be at least 1800 seconds (RFC 3501 §5.4)")
        if min(self.max_login_line, self.max_line) < 1000:
            raise ValueError("lines of 1000 octets must be allowed (RFC 2683 §3.2.1.5)")


@lru_cache(16)  # one connection after the other asks
def limits_before_login(settings: Settings) -> CommandLimits:
    """Return what one command may hold before login."""
    return CommandLimits(
        line=settings.max_login_line,
        literal=settings.max_login_literal,
        literals=settings.max_login_literals,
        command=settings.max_login_line + settings.max_login_literal,
        message=0,
        swallow=max(16 * settings.max_login_literal, 2 * settings.max_login_line),
    )


@lru_cache(16)
def limits_after_login(settings: Settings) -> CommandLimits:
    """Return what one command may hold after login."""
    return CommandLimits(
        line=settings.max_line,
        literal=settings.max_literal,
        literals=settings.max_literals,
        command=settings.max_command,
        message=settings.max_size,
        swallow=2 * max(settings.max_size, settings.max_command),
    )
