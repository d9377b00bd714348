"""Limits on silence, bad commands and failed logins of one client."""

from twisted_mail.imap.settings import Settings
from twisted_mail.interfaces import Clock, ConversationEnded
from twisted_mail.mail.outcome import MailError, ProtocolError


class ClientLimits:
    """What one client has used up. Each ``count`` returns whether that was too much.

    ``errors`` are the bad commands that count against it now. A client that ``is_known`` has logged in.
    """

    __slots__ = ("_clock", "_login_deadline", "_login_failures", "_settings", "errors", "is_known")

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._login_deadline = clock.monotonic() + settings.login_timeout
        self.errors = 0
        self._login_failures = 0
        self.is_known = False

    def seconds(self, is_between: bool) -> float:
        """Return how long the client may now be silent. Raises ConversationEnded."""
        if self.is_known:
            return self._settings.idle_timeout if is_between else self._settings.command_timeout
        left = self._login_deadline - self._clock.monotonic()
        if left <= 0:
            raise ConversationEnded(ConversationEnded.Reason.TIMEOUT)
        return left

    def count_error(self, error: MailError) -> bool:
        """Count an error. Only bad commands count, before login all of them."""
        if not isinstance(error, ProtocolError):
            return False
        self.errors += 1
        allowed = self._settings.max_errors if self.is_known else self._settings.max_login_errors
        return self.errors >= allowed

    def count_success(self) -> None:
        """Record a command that was no error: after login those before it are forgiven."""
        if self.is_known:
            self.errors = 0

    def count_login_failure(self) -> bool:
        """Count a refused login."""
        self._login_failures += 1
        return self._login_failures >= self._settings.max_failed_logins
