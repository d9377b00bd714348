"""Changes: what happened in an account, as values.

Every alteration is one of these, and is published to all watchers, such as IMAP sessions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_mail.mail.mailbox.entry import Entry
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags


@dataclass(frozen=True, slots=True)
class EntriesAdded:
    """Entries were added, ascending by UID above all earlier ones; thousands of them as columns."""

    mailbox: str
    entries: tuple[Entry, ...] | EntryColumns

    @property
    def uids(self) -> Sequence[int]:
        """Return the UIDs, ascending."""
        if isinstance(self.entries, EntryColumns):
            return self.entries.uids
        return [entry.uid for entry in self.entries]


@dataclass(frozen=True, slots=True)
class FlagsChanged:
    """Flags were altered: UID, the flags now, and the mod-sequence of the alteration."""

    mailbox: str
    marks: tuple[tuple[int, Flags, int], ...]


@dataclass(frozen=True, slots=True)
class EntriesExpunged:
    """Entries were expunged: ascending UIDs, and the mod-sequence of the alteration."""

    mailbox: str
    uids: tuple[int, ...]
    modseq: int


@dataclass(frozen=True, slots=True)
class MailboxCreated:
    """A mailbox was created."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class MailboxRenamed:
    """A mailbox was renamed; each of its children has a Change of its own."""

    mailbox: str
    new_name: str


@dataclass(frozen=True, slots=True)
class MailboxDeleted:
    """A mailbox was deleted."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """A name was subscribed to, or no longer is."""

    mailbox: str
    is_subscribed: bool


Change = (
    EntriesAdded
    | FlagsChanged
    | EntriesExpunged
    | MailboxCreated
    | MailboxRenamed
    | MailboxDeleted
    | SubscriptionChanged
)
