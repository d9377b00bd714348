"""Limits on a client: how long it may be silent, and how many errors it may make."""

from twisted_mail.interfaces import Clock
from twisted_mail.pop3.settings import Settings


class ClientLimits:
    """What one client has used up. Each ``count`` returns whether that was too much."""

    __slots__ = ("_clock", "_errors", "_login_deadline", "_login_failures", "_settings", "is_known")

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._login_deadline = clock.monotonic() + settings.login_timeout
        self._errors = 0
        self._login_failures = 0
        self.is_known = False  # the client has logged in

    @property
    def seconds(self) -> float:
        """Return how long the client may be silent: before login, what is left of the time for it."""
        if self.is_known:
            return self._settings.idle_timeout
        return max(0.0, self._login_deadline - self._clock.monotonic())

    def count_error(self) -> bool:
        """Count a command that is none."""
        self._errors += 1
        return self._errors >= self._settings.max_errors

    def count_login_failure(self) -> bool:
        """Count a refused login."""
        self._login_failures += 1
        return self._login_failures >= self._settings.max_failed_logins
