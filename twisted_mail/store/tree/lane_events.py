"""What happened in an account's lane, for the reactor thread to publish."""

from collections.abc import Iterable
from typing import NamedTuple

from twisted_mail.mail.mailbox.change import (
    Change,
    MailboxCreated,
    MailboxDeleted,
    MailboxRenamed,
)
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.store.format import layout
from twisted_mail.store.tree.folder import Folder


class ChangeEvent(NamedTuple):
    """A change, and the folder of the mailbox it happened in."""

    folder: Folder
    change: Change


class OpenedEvent(NamedTuple):
    """All entries of a mailbox at one moment between two changes."""

    folder: Folder
    columns: EntryColumns


class ComparedEvent(NamedTuple):
    """The same, to be compared with what open sessions were sent, if there are any."""

    folder: Folder
    columns: EntryColumns


class MeasuredEvent(NamedTuple):
    """UID, date and size of messages of which they were not known before."""

    folder: Folder
    facts: tuple[tuple[int, int, int], ...]


StoreEvent = ChangeEvent | OpenedEvent | ComparedEvent | MeasuredEvent


def mailboxes_after(folders: frozenset[bytes], events: Iterable[StoreEvent]) -> frozenset[bytes]:
    """Return the folders of an account's mailboxes after these events."""
    for each in events:
        match getattr(each, "change", None):
            case MailboxCreated(name):
                folders |= {layout.folder_name(name)}
            case MailboxDeleted(name):
                folders -= {layout.folder_name(name)}
            case MailboxRenamed(name, new_name):
                folders = folders - {layout.folder_name(name)} | {layout.folder_name(new_name)}
    return folders
