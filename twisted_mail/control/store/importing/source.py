"""Mail on its way in from elsewhere: sources, and the items they hold."""

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

    ``key`` tells it from all others of its mailbox, at every run; ``where`` tells people. ``size`` is
    in octets as far as it is known; ``uid`` 0 when it has none worth keeping.
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
    """Where mail comes from. Raises OSError, Complaint when it fails as a whole."""

    def mailboxes(self) -> Sequence[str]:
        """Return the names of its mailboxes, as they shall be named here."""

    def subscribed(self) -> Iterable[str]:
        """Return the names that are subscribed to."""

    def numbering(self, mailbox: str) -> UidNumbering | None:
        """Return the numbers of a mailbox, if UIDs can be kept."""

    def count(self, mailbox: str) -> int:
        """Return how many messages there are, or so."""

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages, oldest first."""

    def load(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Return the octets of messages, or why they cannot be had."""

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return what could not be looked at: where, and why."""

    def close(self) -> None:
        """End the connection, close the files."""


def message_mark(mailbox: str, item: SourceMessage) -> bytes:
    """Return what stands for a message in the journal and in the name of its file."""
    return hashlib.sha256(mailbox.encode() + b"\0" + item.key).hexdigest()[:20].encode()


def with_crlf(data: bytes) -> bytes:
    """Return a message with CRLF line ends, as all files of this server have."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def storable_flags(flags: Iterable[str]) -> Flags:
    """Return those of the flags that a message can have here."""
    named = flag.normal(flags) - {flag.RECENT}
    words = sorted(name for name in flag.keywords(named) if flag.is_keyword(name))
    return flag.intern(named.intersection(flag.SYSTEM).union(words[:MAX_KEYWORDS]))
