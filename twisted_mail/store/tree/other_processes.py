"""Other processes of this server on the same account.

The index's write lock, which every piece of work holds from its beginning to its end, lets one process
at a time work on an account. What each keeps in memory is compared with the index at the beginning of
its next work: mailboxes by the number of their row, which stays when they are renamed, and messages by
mod-sequence. What differs is published as if it had happened here.
"""

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import (
    EntriesAdded,
    EntriesExpunged,
    FlagsChanged,
    MailboxDeleted,
    MailboxRenamed,
)
from twisted_mail.mail.mailbox.entry import Entry
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork

# ---------------------------------------------------------------- messages


def catch_up(folder: Folder, work: UnitOfWork, state: MailboxRow, last: MailboxRow) -> None:
    """Publish what other processes did in a mailbox since ``last`` was its row."""
    if state.list_seen and state.list_seen == folder.uids.current_stamp():
        folder.uids.trust(state.uidvalidity, state.uidnext, state.list_seen)
    folder.freshness.raise_recent(state.first_recent)
    rows = work.index.changed(state, last.highest_modseq)
    folder.keywords.learn(sorted(flag.keywords(flag.NONE.union(*{row.flags for row in rows}))))
    if work.index.gone.forgotten(state) > last.highest_modseq:
        work.record_columns(folder, work.index.columns(state))
        return
    _record_messages(folder, work, rows, last.uidnext)
    gone = [uid for uid in work.index.gone.since(state, last.highest_modseq) if uid < last.uidnext]
    if gone:
        work.record(folder, EntriesExpunged(folder.name, tuple(gone), state.highest_modseq))


def _record_messages(folder: Folder, work: UnitOfWork, rows: list[Row], uidnext: int) -> None:
    marks = tuple((row.uid, row.flags, row.modseq) for row in rows if row.uid < uidnext)
    if marks:
        work.record(folder, FlagsChanged(folder.name, marks))
    entries = tuple(
        Entry(row.uid, row.flags, row.modseq, row.date, row.size)
        for row in rows
        if row.uid >= uidnext
    )
    if entries:
        work.record(folder, EntriesAdded(folder.name, entries))


# ---------------------------------------------------------------- mailboxes


def follow(tree: Tree, work: UnitOfWork) -> None:
    """Follow mailboxes that other processes renamed or deleted."""
    there = work.index.mailboxes.folders()
    moved: dict[bytes, Folder] = {}
    for folder in list(tree.folders.values()):
        last = folder.freshness.row
        if last is None:
            continue
        present = there.get(last.id)
        if present is None:
            remove(tree, work, folder)
        elif present != folder.folder:
            moved[present] = folder
    while moved:
        _rename(tree, work, moved, _free(moved))


def remove(tree: Tree, work: UnitOfWork, folder: Folder) -> None:
    """Have those who use a mailbox hear that it is gone: another may have its name."""
    folder.is_removed = True
    tree.folders.pop(folder.folder, None)
    work.record(folder, MailboxDeleted(folder.name))


def _free(moved: dict[bytes, Folder]) -> bytes:
    """Return a new place that no other mailbox is to leave first, if there is one."""
    left = {folder.folder for folder in moved.values()}
    return min(moved, key=lambda place: (place in left, place))


def _rename(tree: Tree, work: UnitOfWork, moved: dict[bytes, Folder], place: bytes) -> None:
    folder = moved.pop(place)
    name = folder.name
    if tree.folders.get(folder.folder) is folder:
        del tree.folders[folder.folder]
    folder.move(tree.maildir, place)
    tree.folders[place] = folder
    work.record(folder, MailboxRenamed(name, folder.name))
