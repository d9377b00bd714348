"""Changes: what happened in an account, as values.

Every alteration is one of these, handed to all who watch. IMAP sessions are the first readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_mail.mail.mailbox.entry import Columns, Entry
from twisted_mail.mail.mailbox.flags import Flags


@dataclass(frozen=True, slots=True)
class Added:
    """Entries appeared, ascending by UID beyond all earlier ones; thousands of them as columns."""

    mailbox: str
    entries: tuple[Entry, ...] | Columns

    @property
    def uids(self) -> Sequence[int]:
        """Return the UIDs, ascending."""
        if isinstance(self.entries, Columns):
            return self.entries.uids
        return [entry.uid for entry in self.entries]


@dataclass(frozen=True, slots=True)
class Marked:
    """Flags were altered: UID, the flags now, and the mod-sequence of the alteration."""

    mailbox: str
    marks: tuple[tuple[int, Flags, int], ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """Entries were expunged: ascending UIDs, and the mod-sequence of the alteration."""

    mailbox: str
    uids: tuple[int, ...]
    modseq: int


@dataclass(frozen=True, slots=True)
class Made:
    """A mailbox was created."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A mailbox was renamed; its children say so each for itself."""

    mailbox: str
    new_name: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A mailbox was deleted."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A name was subscribed to, or no longer is."""

    mailbox: str
    is_subscribed: bool


Change = Added | Marked | Gone | Made | Renamed | Removed | Subscribed
