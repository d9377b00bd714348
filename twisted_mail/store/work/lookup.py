"""Lookups: reading what is known already, without a transaction.

A piece of work waits for the index's write lock, looks whether the index or its folders are others by
now, and writes the rows that it altered. A lookup does none of that, and so waits for no other process.
It may read what the index has of one mailbox: its row, and its messages with their names, flags, dates,
sizes and rendered items. It may open their files by these names. It writes nothing.

That is sound because in this process the lane does one thing at a time, so that the row that was read
last is the row; and because no other process of this server altered anything before the lookup ended if
the index then has the version in which the row was read. Else the answer is dropped, and the same is done
within a transaction. What other programs do to files is seen here as little as there: whoever needs to
know looks at the folders.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import layout
from twisted_mail.store.index.index import Index
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.perform import perform_on

P = ParamSpec("P")
T = TypeVar("T")


def look_up(
    tree: Tree,
    folder: Folder,
    question: Callable[Concatenate[Index, MailboxRow, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Return what ``question`` reads of one mailbox. Raises Refused, Unavailable.

    Blocks that are ``apart`` are made rows first, which is no reading.
    """
    row = folder.freshness.row
    if row is not None and not row.apart and _may_read(tree, folder):
        with suppress(apsw.Error):  # it comes again within the transaction, which deals with it
            found = question(tree.index, row, *args, **kwargs)
            if _is_still_known(tree, folder):
                return found

    def within(folder: Folder, work: UnitOfWork) -> T:
        return question(work.index, mailbox_row(folder, work), *args, **kwargs)

    return perform_on(tree, folder, within)


def _may_read(tree: Tree, folder: Folder) -> bool:
    return tree.has_open_index and tree.is_prepared and not folder.is_removed


def _is_still_known(tree: Tree, folder: Folder) -> bool:
    return folder.freshness.is_row_of(tree.index.database.version())


# ---------------------------------------------------------------- mailboxes in which nothing happened


def find_unaltered(tree: Tree, name: str) -> tuple[Folder, MailboxRow] | None:
    """Return a mailbox and its row, if its files are as when it was last looked at and nothing is due.

    None: it is to be looked at within a transaction.
    """
    with suppress(apsw.Error, Refused):
        files = tree.known_index.files()  # what is written after this shows in them
        folder = tree.find(name)
        row = folder.freshness.row
        if row is not None and _is_unaltered(tree, folder, row):
            version = tree.index.database.version()
            if folder.freshness.is_row_of(version):
                tree.known_index.note(files, version)
                return folder, row
    return None


def find_at_once(tree: Tree, name: str) -> tuple[Folder, MailboxRow] | None:
    """Do on the reactor thread what ``find_unaltered`` does, while nothing is done in the lane.

    The index is not asked, but its files looked at. None: the lane is to do it.
    """
    with suppress(OSError, Refused), tree.disk.at_once():
        folder = tree.folders.get(layout.folder_name(name))
        row = None if folder is None else folder.freshness.row
        if folder is None or row is None or not _is_unaltered(tree, folder, row):
            return None
        version = tree.known_index.version_now()
        if version is not None and folder.freshness.is_row_of(version):
            return folder, row
    return None


def _is_unaltered(tree: Tree, folder: Folder, row: MailboxRow) -> bool:
    freshness = folder.freshness
    return (
        _may_read(tree, folder)
        and freshness.listed is None
        and freshness.is_settled
        and row.first_recent == freshness.first_recent != 0
        and not freshness.is_doubtful
        and not folder.keywords.is_unreadable
        and not folder.keywords.is_stale()
        and folder.is_as_seen
    )
