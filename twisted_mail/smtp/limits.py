"""Limits on errors, on commands that bring no mail, and on failed logins of one client."""

from twisted_mail.smtp import replies
from twisted_mail.smtp.settings import Settings

OVERSIZE_FACTOR = 10  # times the size allowed: nobody sends that much by mistake


class ClientLimits:
    """What one client has used up. Each ``count`` that returns something returns whether it was too much.

    ``errors``, ``junk`` (commands that bring no mail nearer) and ``discarded`` (octets of chunks that
    were refused) are counted since the last message that was accepted, the others for the whole
    conversation.
    """

    __slots__ = (
        "_settings",
        "discarded",
        "errors",
        "failed_logins",
        "junk",
        "messages",
        "unknown_recipients",
    )

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.errors = 0
        self.junk = 0
        self.discarded = 0
        self.messages = 0  # transactions opened
        self.unknown_recipients = 0
        self.failed_logins = 0

    def count_junk(self) -> None:
        """Count a command that brings no mail nearer; too many are errors."""
        self.junk += 1
        self.errors += self.junk > self._settings.max_junk

    def count_discarded(self, octets: int) -> bool:
        """Count the octets of a chunk that was refused."""
        self.discarded += octets
        return self.discarded > OVERSIZE_FACTOR * self._settings.max_size

    def count_login_failure(self) -> bool:
        """Count a refused login."""
        self.failed_logins += 1
        return self.failed_logins >= self._settings.max_failed_logins

    @property
    def allow_message(self) -> bool:
        """Return whether one more transaction may be opened."""
        return not 0 < self._settings.max_messages <= self.messages

    @property
    def is_slowed(self) -> bool:
        """Return whether each further error costs the client time."""
        return self.errors > self._settings.soft_errors

    @property
    def end(self) -> tuple[bytes, str] | None:
        """Return the reply and the reason that end the conversation, if there were too many errors."""
        if self.unknown_recipients > self._settings.max_unknown:
            return replies.TOO_MANY_UNKNOWN, "unknown recipients"
        if self.errors >= self._settings.hard_errors:
            return replies.TOO_MANY_ERRORS, "errors"
        return None

    def forgive(self) -> None:
        """Forget the errors before a message that was accepted."""
        self.errors = self.junk = self.discarded = 0
