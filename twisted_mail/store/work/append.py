"""Putting messages into mailboxes, by APPEND and by undeletion.

The steps, in this order: the file lies in the target's tmp, synced; its UID is in the list, synced; it
is renamed into cur, and cur is synced; the index knows it. Whatever fails takes all back.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import EntriesAdded
from twisted_mail.mail.mailbox.entry import CopyResult, Entry, NewMessage
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.disk.message_file import write_message
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.quota import Usage
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import give_uids
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.set_flags import admit
from twisted_mail.store.work.usage import claim


@dataclass(frozen=True, slots=True)
class TmpFile:
    """A file at ``path``, in the target's tmp, on its way into the target.

    ``flags`` are as the source spells them.
    """

    path: bytes
    base: bytes
    flags: Flags
    date: int
    size: int
    stored: int


# ---------------------------------------------------------------- append


def append_to(
    tree: Tree,
    work: UnitOfWork,
    name: str,
    drafts: Sequence[NewMessage],
    marks: Sequence[bytes] = (),
) -> CopyResult:
    """Put messages into the mailbox of this name as ``append`` does. Raises Refused: TRYCREATE."""
    return append(tree.target(name), work, drafts, marks)


def append(
    folder: Folder, work: UnitOfWork, drafts: Sequence[NewMessage], marks: Sequence[bytes] = ()
) -> CopyResult:
    """Put messages into a mailbox, all or none; ``marks`` stand in their files' names, pairwise."""
    state = scan(folder, work)
    admit(folder, work, state, flag.NONE.union(*(draft.flags for draft in drafts)))
    claim(work, Usage(sum(draft.message.size for draft in drafts), len(drafts)))
    marked = zip(drafts, marks or itertools.repeat(b""), strict=bool(marks))
    arrivals = [_written(folder, work, draft, mark) for draft, mark in marked]
    rows = publish(folder, work, state, arrivals)
    return CopyResult(state.uidvalidity, (), tuple(row.uid for row in rows))


def _written(folder: Folder, work: UnitOfWork, draft: NewMessage, mark: bytes) -> TmpFile:
    now = folder.clock.now()
    seconds = now if draft.date is None else draft.date.timestamp()
    size = draft.message.size
    base = folder.namer.base(now, size, size, mark)
    path = folder.subfolder(b"tmp") + b"/" + base
    write_message(folder.disk, path, draft.message, seconds)
    work.undo.append(partial(folder.disk.unlink, path))
    return TmpFile(path, base, draft.flags, math.floor(seconds), size, size)


# ---------------------------------------------------------------- the end, also of undeletion


def publish(
    folder: Folder, work: UnitOfWork, state: MailboxRow, arrivals: Sequence[TmpFile]
) -> list[Row]:
    """Give UIDs to files that lie in tmp, and move them to cur, durably."""
    if not arrivals:
        return []
    with folder.uids.lock.held():
        if folder.uids.is_stale():
            scan(folder, work, is_forced=True)
        rows = _numbered(folder, work, state, arrivals)
    folder.sync({b"cur"})
    return rows


def _numbered(
    folder: Folder, work: UnitOfWork, state: MailboxRow, arrivals: Sequence[TmpFile]
) -> list[Row]:
    uids = give_uids(folder, work, state, [arrival.base for arrival in arrivals])
    modseq = state.next_modseq()
    rows = [_row(folder, uid, modseq, arrival) for uid, arrival in zip(uids, arrivals, strict=True)]
    with folder.renaming(state):
        for row, arrival in zip(rows, arrivals, strict=True):
            path = folder.file(row)
            folder.disk.rename(arrival.path, path)
            work.undo.append(partial(folder.disk.rename, path, arrival.path))
    add_to_index(folder, work, state, rows)
    return rows


def add_to_index(folder: Folder, work: UnitOfWork, state: MailboxRow, rows: Sequence[Row]) -> None:
    """Have the index know messages that came to a mailbox, with UIDs of its list, and publish it."""
    note_in_index(folder, work, state, rows)
    work.record(folder, added(folder, rows))


def note_in_index(folder: Folder, work: UnitOfWork, state: MailboxRow, rows: Sequence[Row]) -> None:
    """Have the index know messages that came; that they are ``added`` is to be published."""
    state.uidnext = max(state.uidnext, folder.uids.uidnext)
    state.list_seen = folder.uids.stamp
    work.index.add(state, rows)
    if any(
        name not in folder.keywords.letter_of for row in rows for name in flag.keywords(row.flags)
    ):
        work.index.need_full_sync()


def added(folder: Folder, rows: Sequence[Row]) -> EntriesAdded:
    """Return what sessions are sent of ascending messages that came to a mailbox."""
    entries = tuple(Entry(row.uid, row.flags, row.modseq, row.date, row.size) for row in rows)
    return EntriesAdded(folder.name, entries)


def _row(folder: Folder, uid: int, modseq: int, arrival: TmpFile) -> Row:
    flags, tail = folder.keywords.written(arrival.flags)
    return Row(uid, arrival.base, tail, flags, modseq, arrival.date, arrival.size, arrival.stored)
