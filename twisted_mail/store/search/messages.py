"""What SEARCH asks an account's lane: which messages are there, and where their files lie."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.matching import matches
from twisted_mail.store.index.rows import Row
from twisted_mail.store.reading import contents
from twisted_mail.store.reading.items import BATCH_SIZE, batch
from twisted_mail.store.search.fulltext import MailboxKey, MessageKey
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.loading import mailbox_row
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork

COMPARED = 5000  # messages whose names are compared before others have their turn


class PresentMessages(NamedTuple):
    """Which messages of a mailbox are there."""

    place: MailboxKey
    uids: frozenset[int]


class LocatedMessage(NamedTuple):
    """A message, and where it lay a moment ago."""

    row: Row
    path: bytes


class SearchBatch(NamedTuple):
    """Some messages of a mailbox to read; ``number`` of the UIDs asked for are dealt with."""

    place: MailboxKey
    number: int
    files: list[LocatedMessage]


def _place(folder: Folder) -> MailboxKey:
    return MailboxKey(folder.folder, folder.uidvalidity)


def present(folder: Folder, work: UnitOfWork, uids: Iterable[int] | None) -> PresentMessages:
    """Return which of these messages are there; None: of all."""
    there = work.index.uids(mailbox_row(folder, work))
    return PresentMessages(_place(folder), there if uids is None else there.intersection(uids))


def batch_of(
    folder: Folder, work: UnitOfWork, uids: Sequence[int], octets: int = BATCH_SIZE
) -> SearchBatch:
    """Return the first of these messages that are searched at once, and where they lie."""
    number, chosen = batch(folder, work, uids, octets)
    rows = work.index.rows(mailbox_row(folder, work), chosen)
    return SearchBatch(
        _place(folder), number, [LocatedMessage(row, folder.file(row)) for row in rows]
    )


def matching(folder: Folder, work: UnitOfWork, uids: Sequence[int], what: Contains) -> set[int]:
    """Search messages that other programs rename, here where they are found again."""
    limit = work.tree.environment.memory_limit

    def is_hit(row: Row) -> bool:
        with limit.holding(row.size):
            return matches(contents.read_whole(folder, row), what)

    found = contents.each(folder, work, uids, is_hit)
    return {uid for uid, hit in found.items() if hit}


def keys(folder: Folder, work: UnitOfWork) -> tuple[MailboxKey, frozenset[MailboxKey]]:
    """Return the key of a mailbox, and those of all mailboxes."""
    mailbox_row(folder, work)
    return _place(folder), all_keys(work.tree, work)


def all_keys(tree: Tree, work: UnitOfWork) -> frozenset[MailboxKey]:
    """Return the keys of all mailboxes."""
    return frozenset(map(MailboxKey._make, work.index.mailboxes.mailbox_keys()))


def message_keys(folder: Folder, work: UnitOfWork, after: int) -> list[MessageKey]:
    """Return the keys of the next messages after a UID."""
    found = work.index.identities(mailbox_row(folder, work), after, COMPARED)
    return list(map(MessageKey._make, found))
