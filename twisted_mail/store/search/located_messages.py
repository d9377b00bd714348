"""What SEARCH asks an account's lane: which messages are there, and where their files lie."""

from collections.abc import Sequence
from typing import NamedTuple

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.substring_search import matches
from twisted_mail.store.index.rows import Row
from twisted_mail.store.reading import contents
from twisted_mail.store.search.indexed_messages import MailboxKey, MessageKey
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.measure import all_measured

COMPARED = 5000  # messages whose names are compared before others have their turn


class PresentMessages(NamedTuple):
    """Which messages of a mailbox are there."""

    place: MailboxKey
    uids: frozenset[int]


class LocatedMessage(NamedTuple):
    """A message, and where it lay a moment ago."""

    row: Row
    path: bytes


class BatchLimits(NamedTuple):
    """How many messages are read before others have their turn, and how many octets they have."""

    messages: int
    octets: int


TEXTS = BatchLimits(64, 512 * 1024)
HEADERS = BatchLimits(250, 1 << 62)  # little is read of them, however large they are


class SearchBatch(NamedTuple):
    """Some messages of a mailbox to read; ``number`` of the UIDs asked for are dealt with."""

    place: MailboxKey
    number: int
    files: list[LocatedMessage]


def _place(folder: Folder) -> MailboxKey:
    return MailboxKey(folder.folder, folder.uidvalidity)


def place(folder: Folder, work: UnitOfWork) -> MailboxKey:
    """Return the key of a mailbox, which is there."""
    mailbox_row(folder, work)
    return _place(folder)


def present(folder: Folder, work: UnitOfWork) -> PresentMessages:
    """Return which messages are there."""
    return PresentMessages(_place(folder), work.index.uids(mailbox_row(folder, work)))


def batch_of(folder: Folder, work: UnitOfWork, uids: Sequence[int], octets: int) -> SearchBatch:
    """Return the first of these messages that are read at once, and where they lie."""
    rows = all_measured(folder, work, work.index.rows(mailbox_row(folder, work), uids))
    files: list[LocatedMessage] = []
    for row in rows:
        octets -= row.size
        if files and octets < 0:
            return SearchBatch(_place(folder), uids.index(row.uid), files)
        files.append(LocatedMessage(row, folder.file(row)))
    return SearchBatch(_place(folder), len(uids), files)


def matching(folder: Folder, work: UnitOfWork, uids: Sequence[int], what: Contains) -> set[int]:
    """Search messages that other programs rename, here where they are found again."""
    limit = work.tree.environment.memory_limit

    def is_hit(row: Row) -> bool:
        with limit.holding(row.size):
            return matches(contents.read_whole(folder, row), what)

    found = contents.each(folder, work, contents.rows_of(folder, work, uids), is_hit)
    return {uid for uid, hit in found.items() if hit}


def keys(folder: Folder, work: UnitOfWork) -> tuple[MailboxKey, frozenset[MailboxKey]]:
    """Return the key of a mailbox, and those of all mailboxes."""
    mailbox_row(folder, work)
    return _place(folder), all_keys(work.tree, work)


def all_keys(tree: Tree, work: UnitOfWork) -> frozenset[MailboxKey]:
    """Return the keys of all mailboxes."""
    return frozenset(map(MailboxKey._make, work.index.mailboxes.mailbox_keys()))


def message_keys(folder: Folder, work: UnitOfWork, after: int, most: int) -> list[MessageKey]:
    """Return the keys of the next messages after a UID."""
    found = work.index.identities(mailbox_row(folder, work), after, most)
    return list(map(MessageKey._make, found))
