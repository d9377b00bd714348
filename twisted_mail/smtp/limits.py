"""The limits of a conversation, and what one client has used up of them."""

from dataclasses import dataclass

from twisted_mail.smtp import replies

OVERSIZE_FACTOR = 10  # times the size allowed: nobody sends that much by mistake


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How much and how long: sizes in octets, durations in seconds.

    Times are those of RFC 5321 §4.5.3.2.
    """

    max_size: int = 50 * 1024 * 1024
    max_recipients: int = 1000  # of a message, repeated ones too
    max_targets: int = 20_000  # accounts, programs and lists that recipients lead to, see below
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
        if self.max_priority > 9:
            raise ValueError("max_priority is 9 at most")


@dataclass(slots=True)
class RecentCounts:
    """What is counted since the last message that was accepted, and forgotten with the next.

    ``junk`` are commands that bring no mail nearer, ``discarded`` octets of chunks that were refused,
    ``targets`` those to which recipients lead, each with its own quota.
    """

    errors: int = 0
    junk: int = 0
    discarded: int = 0
    targets: int = 0


class ClientLimits:
    """What one client has used up. Each ``count`` that returns something returns whether it was too much.

    What is not in ``recent`` is counted for the whole conversation.
    """

    __slots__ = ("_settings", "failed_logins", "messages", "recent", "unknown_recipients")

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self.recent = RecentCounts()
        self.messages = 0  # transactions opened
        self.unknown_recipients = 0
        self.failed_logins = 0

    def count_junk(self) -> None:
        """Count a command that brings no mail nearer; too many are errors."""
        self.recent.junk += 1
        self.recent.errors += self.recent.junk > self._settings.max_junk

    def count_discarded(self, octets: int) -> bool:
        """Count the octets of a chunk that was refused."""
        self.recent.discarded += octets
        return self.recent.discarded > OVERSIZE_FACTOR * self._settings.max_size

    def count_targets(self, number: int) -> bool:
        """Count what one recipient leads to."""
        self.recent.targets += number
        return self.has_too_many_targets

    @property
    def has_too_many_targets(self) -> bool:
        """Return whether no recipient is taken any more before a message is accepted."""
        return self.recent.targets > self._settings.max_targets

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
        return self.recent.errors > self._settings.soft_errors

    @property
    def end(self) -> tuple[bytes, str] | None:
        """Return the reply and the reason that end the conversation, if there were too many errors."""
        if self.unknown_recipients > self._settings.max_unknown:
            return replies.TOO_MANY_UNKNOWN, "unknown recipients"
        if self.recent.errors >= self._settings.hard_errors:
            return replies.TOO_MANY_ERRORS, "errors"
        return None
