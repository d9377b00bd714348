"""Copying messages from one mailbox to another by links; several all or none: see ``unfinished_copy``.

The steps, in this order: their new UIDs are in the target's list, synced; each file has a link in the
target's cur; the index knows them; cur is synced. Whatever fails takes all back.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format.filename import NameSeries
from twisted_mail.store.index.rows import Row
from twisted_mail.store.quota import Usage
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
    faulty_messages,
    link_in_cur,
    numbered,
    rows_there,
)
from twisted_mail.store.work.usage import claim

Pairs = list[tuple[int, int]]  # UIDs in the source and in the target, ascending


def copy(source: Folder, target: Folder, work: UnitOfWork, uids: Sequence[int]) -> CopyResult:
    """Copy a message, durably. Of several, a crash may leave some."""
    pairs = copy_some(source, work, target, uids, target.namer.series(target.clock.now()))
    if pairs:
        target.sync({b"cur"})
    return result(target, pairs)


def result(target: Folder, pairs: Pairs) -> CopyResult:
    """Return the UIDs of what was copied."""
    sources, targets = tuple(here for here, _ in pairs), tuple(there for _, there in pairs)
    return CopyResult(target.uidvalidity, sources, targets)


def copy_some(
    source: Folder, work: UnitOfWork, target: Folder, uids: Sequence[int], names: NameSeries
) -> Pairs:
    """Copy messages, all or none; cur is to be synced when all of them are copied.

    Raises Refused: OVERQUOTA, LIMIT.
    """
    state = scan(target, work)
    rows = rows_there(source, work, ready(source, work), set(uids))
    if not rows:
        return []
    claim(work, Usage(sum([row.size for row in rows]), len(rows)))
    admit(target, work, state, flag.NONE.union(*{row.flags for row in rows}))
    with target.uids.lock.held():  # until the files lie where the list says
        numbers = numbered(target, work, state, rows, names)
        copied = _link_all(source, target, work, rows, numbers)
    return sorted((old.uid, new.uid) for old, new in copied)


def _link_all(
    source: Folder, target: Folder, work: UnitOfWork, rows: Sequence[Row], numbers: Numbers
) -> RowPairs:
    """Link the files; return the rows, here and there, of those that were found."""
    origin, state = mailbox_row(source, work), mailbox_row(target, work)
    linked: list[bytes] = []
    work.undo.append(partial(_unlink_all, target.disk, linked))

    def bring(pairs: RowPairs) -> RowPairs:
        done = _link_each(source, target, pairs, linked)
        note_in_index(target, work, state, [new for _, new in done])
        work.index.rendered.copy(origin, state, [(old.uid, new.uid) for old, new in done])
        return done

    with target.renaming(state):
        return bring_all(source, target, work, rows, numbers, bring)


def _link_each(
    source: Folder, target: Folder, pairs: Sequence[tuple[Row, Row]], linked: list[bytes]
) -> list[tuple[Row, Row]]:
    """Link files to their new names; return those that were where they were thought to be."""
    done = []
    for pair in pairs:
        old, new = pair
        path = target.file(new)
        try:
            link_in_cur(target.disk, source.file(old), path)
        except FileNotFoundError:
            continue
        except OSError as error:
            source.note_faulty(old, error)
            raise faulty_messages() from error
        linked.append(path)
        done.append(pair)
    return done


def _unlink_all(disk: Disk, paths: Sequence[bytes]) -> None:
    for path in paths:
        with suppress(OSError):
            disk.unlink(path)
