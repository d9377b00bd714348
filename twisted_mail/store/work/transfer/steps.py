"""The steps that COPY and MOVE have in common: which messages there are, and their new numbers."""

import os
from collections.abc import Callable, Mapping, Sequence

from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.message_file import NO_LINK, link_or_copy
from twisted_mail.store.format.filename import NameSeries
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import ChangeEvent
from twisted_mail.store.tree.mailbox_row import give_uids, mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.append import added
from twisted_mail.store.work.measure import all_measured
from twisted_mail.store.work.reconcile import scan

ATTEMPTS = 8  # at finding files that other programs rename meanwhile

Numbers = Mapping[int, tuple[int, bytes]]  # by UID in the source: UID and base name in the target
RowPairs = Sequence[tuple[Row, Row]]  # a message here and there


def rows_there(source: Folder, work: UnitOfWork, origin: MailboxRow, uids: set[int]) -> list[Row]:
    """Return the messages that are in the source, measured."""
    before = source.faulty.count
    for _ in range(ATTEMPTS):
        rows = all_measured(source, work, work.index.rows(origin, uids))
        if all(row.date != UNKNOWN_DATE for row in rows):
            return rows
        require_usable(source, before, uids)
        scan(source, work, is_forced=True)
    raise changing()


def numbered(
    target: Folder, work: UnitOfWork, state: MailboxRow, rows: Sequence[Row], names: NameSeries
) -> Numbers:
    """Give the messages names, and UIDs in the target, durably."""
    bases = [names.base(row.stored, row.size, row.base) for row in rows]
    with target.uids.lock.held():
        if target.uids.is_stale():
            scan(target, work, is_forced=True)
        given = give_uids(target, work, state, bases)
    return {
        row.uid: number for row, number in zip(rows, zip(given, bases, strict=True), strict=True)
    }


def new_row(target: Folder, row: Row, number: tuple[int, bytes], modseq: int) -> Row:
    """Return what a message is in the target, where it has this number and base name."""
    uid, base = number
    flags, tail = target.keywords.written(row.flags)
    return Row(uid, base, tail, flags, modseq, row.date, row.size, row.stored)


def bring_all(
    source: Folder,
    target: Folder,
    work: UnitOfWork,
    rows: Sequence[Row],
    numbers: Numbers,
    bring: Callable[[RowPairs], RowPairs],
) -> RowPairs:
    """Have ``bring`` bring messages to the target, and again those that it did not find; return all.

    It takes rows here and there, and returns those whose files were where they were thought to be, with
    the index knowing them. ``renaming`` is held by the caller.
    """
    origin, state = mailbox_row(source, work), mailbox_row(target, work)
    brought: list[tuple[Row, Row]] = []
    began = len(work.events)
    for _ in range(ATTEMPTS):
        modseq = state.next_modseq()
        pairs = [(row, new_row(target, row, numbers[row.uid], modseq)) for row in rows]
        done = bring(pairs)
        brought += done
        if len(done) == len(pairs):
            publish_added(target, work, [new for _, new in brought], began)
            return brought
        lost = {row.uid for row in rows}.difference(old.uid for old, _ in done)
        scan(source, work, is_forced=True)
        rows = work.index.rows(origin, lost)
    raise changing()


def publish_added(target: Folder, work: UnitOfWork, rows: Sequence[Row], began: int) -> None:
    """Publish what came to the target, ascending, at its place among the events.

    Those that were found later have lower UIDs than others; and whatever a look at the folder found
    meanwhile has higher ones, where the target is the source.
    """
    if rows:
        work.events.insert(began, ChangeEvent(target, added(target, sorted(rows))))


def link_in_cur(disk: Disk, path: bytes, new_path: bytes) -> None:
    """Link a file to a name in cur, or have a copy there, synced, where it cannot be linked."""
    try:
        disk.link(path, new_path)
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        copy_to_cur(disk, path, new_path)


def copy_to_cur(disk: Disk, path: bytes, new_path: bytes) -> None:
    """Copy a file, synced, by way of tmp to a name in cur, which is to be synced."""
    folder, name = os.path.split(new_path)
    aside = os.path.join(os.path.dirname(folder), b"tmp", name)
    link_or_copy(disk, path, aside)
    disk.rename(aside, new_path)


# ---------------------------------------------------------------- what goes wrong


def faulty_messages() -> Unavailable:
    """Return the error for messages that cannot be copied or moved all, so that none is."""
    return Unavailable("Some of the messages cannot be read from the disk.", "CONTACTADMIN")


def require_usable(source: Folder, count: int, uids: Sequence[int] | set[int]) -> None:
    """Raise Unavailable if any of these messages had a fault since there were ``count``."""
    if source.faulty.since(count, uids):
        raise faulty_messages()


def changing() -> Unavailable:
    """Return the error for a mailbox whose files are renamed as soon as they are found."""
    return Unavailable("The mailbox is being changed by another program.")
