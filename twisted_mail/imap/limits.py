"""How much of a client an IMAP conversation bears: silence, bad commands and wrong passwords."""

from twisted_mail.imap.settings import Settings
from twisted_mail.interfaces import Clock, ConversationEnded
from twisted_mail.mail.outcome import MailError, ProtocolError


class ClientLimits:
    """What one client has used up. Each ``count`` says whether that was too much."""

    __slots__ = ("_clock", "_errors", "_login_deadline", "_login_failures", "_settings", "is_known")

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._login_deadline = clock.monotonic() + settings.login_timeout
        self._errors = 0
        self._login_failures = 0
        self.is_known = False  # the client has logged in

    def seconds(self, is_between: bool) -> float:
        """Return how long the client may now be silent. Raises ConversationEnded."""
        if self.is_known:
            return self._settings.idle_timeout if is_between else self._settings.command_timeout
        left = self._login_deadline - self._clock.monotonic()
        if left <= 0:
            raise ConversationEnded(ConversationEnded.Reason.TIMEOUT)
        return left

    def count_error(self, error: MailError) -> bool:
        """Note an error. Only bad commands count, before login all of them."""
        if not isinstance(error, ProtocolError):
            return False
        self._errors += 1
        allowed = self._settings.max_errors if self.is_known else self._settings.max_login_errors
        return self._errors >= allowed

    def count_success(self) -> None:
        """Note a command that was no error: after login those before it are forgiven."""
        if self.is_known:
            self._errors = 0

    def count_login_failure(self) -> bool:
        """Note a refused login."""
        self._login_failures += 1
        return self._login_failures >= self._settings.max_failed_logins

    def count_login(self) -> None:
        """Note that the client has logged in."""
        self.is_known = True
        self._errors = 0
