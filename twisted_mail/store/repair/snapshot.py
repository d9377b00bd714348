"""Mailboxes as they are at one moment, for copying them while others go on working."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.mailbox.flags import keywords
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import filename
from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.index.rows import Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.skip_unusable import unless_unusable
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.list_status import list_mailboxes
from twisted_mail.store.work.measure import all_measured
from twisted_mail.store.work.perform import perform_steps
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.usage import measure_named


@dataclass(frozen=True, slots=True)
class MailboxSnapshot:
    """One mailbox: its folder, identifiers, messages, and its keywords' letters.

    ``faulty`` are messages whose files cannot be read, which are not among the others.
    """

    name: str
    folder: bytes
    path: bytes
    guid: bytes
    uidvalidity: int
    uidnext: int
    rows: tuple[Row, ...]
    by_letter: dict[str, str]
    faulty: tuple[Row, ...] = ()

    def file_name(self, row: Row) -> bytes:
        """Return the name that a message's file has in ``cur``."""
        letter_of = {name: letter for letter, name in self.by_letter.items()}
        return row.base + filename.tail_of(row.flags, letter_of, row.tail)[1:]

    def has_hidden_keywords(self, row: Row) -> bool:
        """Return whether a message has keywords that no file name can hold."""
        return not keywords(row.flags) <= {*self.by_letter.values()}

    def uid_list(self) -> UidList:
        """Return the list of UIDs that belongs to it."""
        found = UidList(self.uidvalidity, self.uidnext, self.guid)
        found.records = {row.base: (row.uid, b"") for row in self.rows}
        return found


def mailbox_snapshots(tree: Tree, names: Iterable[str] | None = None) -> list[MailboxSnapshot]:
    """Return mailboxes, all or those named, as they are at one and the same moment.

    To be called by ``perform_steps``.
    """
    if names is None:
        names = [info.name for info in list_mailboxes(tree) if info.is_selectable]
    names = list(names)
    _measure(tree, names)
    return in_transaction(tree, _snapshots, names)


def mailboxes_held(
    tree: Tree, use: Callable[[list[MailboxSnapshot]], bool]
) -> list[MailboxSnapshot] | None:
    """Return all mailboxes once ``use`` has used them, while every process of this server waits.

    Returns None if ``use`` returns that other programs have moved messages. To be called by
    ``perform_steps``.
    """
    names = [info.name for info in list_mailboxes(tree) if info.is_selectable]
    return in_transaction(tree, _held, names, use)


def _held(
    tree: Tree,
    work: UnitOfWork,
    names: Sequence[str],
    use: Callable[[list[MailboxSnapshot]], bool],
) -> list[MailboxSnapshot] | None:
    found = _snapshots(tree, work, names)
    return found if use(found) else None


def _snapshots(tree: Tree, work: UnitOfWork, names: Sequence[str]) -> list[MailboxSnapshot]:
    found = []
    for name in names:
        with suppress(Refused):  # removed just now
            folder = tree.find(name)
            moment = unless_unusable(tree, folder, partial(_snapshot, folder, work))
            if moment is not None:
                found.append(moment)
    return found


def _snapshot(folder: Folder, work: UnitOfWork) -> MailboxSnapshot:
    state = scan(folder, work)
    before = folder.faulty.count
    rows = all_measured(folder, work, work.index.all_rows(state))
    faulty = folder.faulty.since(before, [row.uid for row in rows])
    return MailboxSnapshot(
        folder.name,
        folder.folder,
        folder.path,
        b"" if folder.id.startswith("V") else folder.id.encode(),
        state.uidvalidity,
        max(state.uidnext, folder.uids.uidnext),
        tuple(row for row in rows if row.date != UNKNOWN_DATE),  # else its file is gone
        dict(folder.keywords.by_letter),
        tuple(row for row in rows if row.uid in faulty),
    )


def _measure(tree: Tree, names: Iterable[str]) -> None:
    """Look up dates and sizes that are not known yet, a few at a time: others have their turn."""
    for name in names:
        after: int | None = 0
        with suppress(Refused):
            while after is not None:
                after = in_transaction(tree, _measure_piece, name, after)


def _measure_piece(tree: Tree, work: UnitOfWork, name: str, after: int) -> int | None:
    folder = tree.find(name)
    return unless_unusable(tree, folder, partial(measure_named, tree, work, name, after))


def locate_message(tree: Tree, moment: MailboxSnapshot, row: Row) -> bytes | None:
    """Return where a message's file is that is not where it was; None when it is gone."""
    for now in mailbox_snapshots(tree, [moment.name]):
        for other in now.rows:
            if other.base == row.base:
                return filename.path(now.path, other.base, other.tail)
    return None


def opened(tree: Tree, moment: MailboxSnapshot, row: Row) -> int | None:
    """Open a message's file, wherever it was renamed to; None when it is gone. Raises OSError."""
    path: bytes | None = filename.path(moment.path, row.base, row.tail)
    for _ in range(3):
        try:
            return None if path is None else tree.disk.open(path)
        except FileNotFoundError:
            path = perform_steps(tree, locate_message, moment, row)
    return None


def opened_there(tree: Tree, moment: MailboxSnapshot, row: Row) -> int | None:
    """Open a message's file as ``opened`` does, but only where it was: within ``mailboxes_held``."""
    try:
        return tree.disk.open(filename.path(moment.path, row.base, row.tail))
    except FileNotFoundError:
        return None


def unread(tree: Tree, found: Iterable[MailboxSnapshot]) -> Iterator[tuple[str, str]]:
    """Yield what the mailboxes lack because it cannot be read, messages and whole folders, and why."""
    for moment in found:
        for row in moment.faulty:
            yield os.fsdecode(filename.path(moment.path, row.base, row.tail)), "it cannot be read"
    for coded, error in tree.unusable.errors().items():
        yield f"the folder {os.fsdecode(coded) or 'INBOX'}", str(error.strerror or error)
