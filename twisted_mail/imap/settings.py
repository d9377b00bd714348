"""The settings of the IMAP service."""

from dataclasses import dataclass

from twisted_mail.imap.events import Limits

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits and time-outs; sizes in octets, times in seconds.

    Before login, one whole command takes at most ``login_line_size`` and what literals add to it, and
    the connection has ``login_seconds`` in all. After login, silence may last ``idle_seconds``, for
    which RFC 3501 §5.4 wants 30 minutes at least; in the middle of a command ``command_seconds``.
    """

    message_size: int = 64 * MIB  # the largest message APPEND takes

    login_line_size: int = 8 * KIB
    login_literal_size: int = 4 * KIB
    login_literals: int = 8
    line_size: int = 64 * KIB
    literal_size: int = 64 * KIB
    literals: int = 1000
    command_size: int = 1 * MIB

    login_seconds: float = 180.0
    command_seconds: float = 300.0
    idle_seconds: float = 1860.0
    idle_poll_seconds: float = 5.0  # how often IDLE looks for what other programs did
    keepalive_seconds: float = 240.0  # how often IDLE says that the server is there

    login_errors: int = 10  # bad commands before login, in all
    login_failures: int = 5  # wrong passwords on one connection
    errors: int = 20  # bad commands after login, one after the other

    identity: str = "twisted-mail"  # the name in the answer to ID, or nothing

    @property
    def before_login(self) -> Limits:
        """Return what one command may hold before login."""
        return Limits(
            line=self.login_line_size,
            literal=self.login_literal_size,
            literals=self.login_literals,
            command=self.login_line_size + self.login_literal_size,
            message=0,
            swallow=16 * self.login_literal_size,
        )

    @property
    def after_login(self) -> Limits:
        """Return what one command may hold after login."""
        return Limits(
            line=self.line_size,
            literal=self.literal_size,
            literals=self.literals,
            command=self.command_size,
            message=self.message_size,
            swallow=max(2 * self.message_size, self.command_size),
        )
