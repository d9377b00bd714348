"""Sources of imported mail, and their messages."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from twisted_mail.control.store.skipped import BadItem
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags

MAX_MESSAGE = 256 * 1024 * 1024  # octets; what is larger is skipped
MAX_KEYWORDS = 50  # of one message


@dataclass(frozen=True, slots=True)
class SourceMessage:
    """One message of a source.

    ``key`` is unique in its mailbox, and the same in every run; ``where`` is for people. ``size`` is in
    octets, as far as it is known; ``uid`` is 0 if it is not to be kept.
    """

    key: bytes
    where: str
    flags: Flags = flag.NONE
    date: datetime | None = None
    size: int = 0
    uid: int = 0


@dataclass(frozen=True, slots=True)
class UidNumbering:
    """The UIDVALIDITY and next UID of a mailbox whose UIDs can be kept."""

    uidvalidity: int
    uidnext: int


class ImportSource(Protocol):
    """A source of mail.

    Raises OSError, BadItem when a mailbox fails, and CommandError when the source fails as a whole.
    """

    def mailboxes(self) -> Sequence[str]:
        """Return its mailboxes by the names they get here."""

    def subscribed(self) -> Iterable[str]:
        """Return the names that are subscribed to."""

    def numbering(self, mailbox: str) -> UidNumbering | None:
        """Return the numbers of a mailbox, if UIDs can be kept."""

    def count(self, mailbox: str) -> int:
        """Return about how many messages there are."""

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages, oldest first."""

    def load(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Return the octets of messages, or why they cannot be read."""

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return what could not be read, and why."""

    def remarks(self) -> Iterable[str]:
        """Return what the user should know, though nothing is missing."""

    def close(self) -> None:
        """End the connection, close the files."""


def message_mark(mailbox: str, item: SourceMessage) -> bytes:
    """Return the mark of a message for the journal and the name of its file."""
    return hashlib.sha256(mailbox.encode() + b"\0" + item.key).hexdigest()[:20].encode()


def storable_flags(flags: Iterable[str]) -> Flags:
    """Return those of the flags that a message can have here."""
    named = flag.normal(flags) - {flag.RECENT}
    words = sorted(name for name in flag.keywords(named) if flag.is_keyword(name))
    return flag.intern(named.intersection(flag.SYSTEM).union(words[:MAX_KEYWORDS]))
