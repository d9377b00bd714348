"""Moving messages from one mailbox to another, or within one.

The steps, in this order: their new UIDs are in the target's list, synced; each file is renamed into the
target's cur; both folders are synced; the index knows it. One rename moves one message, so wherever a
crash stops the work, each is in the one place or the other (RFC 6851 §3.3). What fails takes all back.
Thousands are moved some at a time, and the folders synced when all are.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.index.rows import Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.append import note_in_index
from twisted_mail.store.work.reconcile import ready, scan
from twisted_mail.store.work.set_flags import admit
from twisted_mail.store.work.transfer.steps import (
    Numbers,
    RowPairs,
    bring_all,
    copy_to_cur,
    faulty_messages,
    numbered,
    rows_there,
)


@dataclass(frozen=True, slots=True)
class MovedMessages:
    """What a call of ``move_some`` did: UIDs here and there, and the places that they left."""

    uidvalidity: int
    pairs: tuple[tuple[int, int], ...] = ()
    places: frozenset[bytes] = frozenset()

    def __add__(self, other: "MovedMessages") -> "MovedMessages":
        return MovedMessages(self.uidvalidity, self.pairs + other.pairs, self.places | other.places)

    @property
    def result(self) -> CopyResult:
        """Return the UIDs as a copy returns them."""
        return CopyResult(
            self.uidvalidity,
            tuple(old for old, _ in self.pairs),
            tuple(new for _, new in self.pairs),
        )


def move(source: Folder, target: Folder, work: UnitOfWork, uids: Sequence[int]) -> CopyResult:
    """Move messages, durably, all or none."""
    moved = move_some(source, work, target, uids)
    make_durable(source, work, target, moved)
    return moved.result


def make_durable(source: Folder, work: UnitOfWork, target: Folder, moved: MovedMessages) -> None:
    """Make a move durable."""
    if moved.pairs:
        target.sync({b"cur"})
        source.sync(set(moved.places))


def move_some(
    source: Folder, work: UnitOfWork, target: Folder, uids: Sequence[int]
) -> MovedMessages:
    """Move messages, all or none; ``make_durable`` is to be called when all of them are moved."""
    state = scan(target, work)
    rows = rows_there(source, work, ready(source, work), set(uids))
    if not rows:
        return MovedMessages(target.uidvalidity)
    admit(target, work, state, flag.NONE.union(*(row.flags for row in rows)))
    names = target.namer.series(target.clock.now())
    numbers = numbered(target, work, state, rows, names)
    moved = _move_all(source, target, work, rows, numbers)
    pairs = sorted((old.uid, new.uid) for old, new in moved)
    return MovedMessages(target.uidvalidity, tuple(pairs), frozenset(old.place for old, _ in moved))


def _move_all(
    source: Folder, target: Folder, work: UnitOfWork, rows: Sequence[Row], numbers: Numbers
) -> RowPairs:
    """Move the files; return the rows, here and there, of those that were found."""
    origin, state = mailbox_row(source, work), mailbox_row(target, work)

    def bring(pairs: RowPairs) -> RowPairs:
        done = [pair for pair in pairs if _rename(source, target, work, *pair)]
        _record(source, target, work, done)
        return done

    with source.renaming(origin), target.renaming(state):
        return bring_all(source, target, work, rows, numbers, bring)


def _rename(source: Folder, target: Folder, work: UnitOfWork, old: Row, new: Row) -> bool:
    """Rename one file; return whether it was where it was thought to be."""
    path, new_path = source.file(old), target.file(new)
    try:
        _carry(source.disk, path, new_path)
    except FileNotFoundError:
        return False
    except OSError as error:
        source.note_faulty(old, error)
        raise faulty_messages() from error
    work.undo.append(partial(_carry, source.disk, new_path, path))
    return True


def _carry(disk: Disk, path: bytes, new_path: bytes) -> None:
    """Rename a file; where the new place is on another file system, copy and remove it."""
    try:
        disk.rename(path, new_path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_to_cur(disk, path, new_path)
        disk.sync_folder(os.path.dirname(new_path))
        disk.unlink(path)


def _record(
    source: Folder, target: Folder, work: UnitOfWork, done: Sequence[tuple[Row, Row]]
) -> None:
    """Have the index know what was moved, and publish that it is gone from the source."""
    if done:
        origin, state = mailbox_row(source, work), mailbox_row(target, work)
        note_in_index(target, work, state, [new for _, new in done])
        work.index.rendered.move(origin, state, [(old.uid, new.uid) for old, new in done])
        uids = [old.uid for old, _ in done]
        work.index.remove(origin, uids, origin.next_modseq())
        work.record(source, EntriesExpunged(source.name, tuple(uids), origin.highest_modseq))
