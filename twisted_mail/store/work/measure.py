"""Dates and sizes of messages, from their files.

A mailbox is opened by the names of its files alone. What only the files know, the internal date and,
where the name does not say it, the size on the wire, is looked up when somebody asks, and kept.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import filename
from twisted_mail.store.index.rows import Row
from twisted_mail.store.tree.first_look import CHUNK, counted_size, named_size
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork

PIECE = 250  # messages measured before others have their turn


def wire_size(disk: Disk, path: bytes, base: bytes, stored: int) -> int:
    """Return the size of a message on the wire: from its file's name, or by reading it."""
    named = named_size(base, stored)
    if named is not None:
        return named
    fd = disk.open(path)
    try:
        return counted_size(disk, fd, disk.read(fd, CHUNK, 0), stored)
    finally:
        disk.close(fd)


# ---------------------------------------------------------------- rows


def measured(folder: Folder, row: Row) -> Row:
    """Return a row with date and sizes. Raises FileNotFoundError when its file has another name now."""
    if row.date != UNKNOWN_DATE:
        return row
    path = folder.file(row)
    described = folder.is_message(path)
    if described is None:
        raise FileNotFoundError
    size = wire_size(folder.disk, path, row.base, described.st_size)
    date = described.st_mtime_ns // 1_000_000_000
    return row._replace(date=date, size=size, stored=described.st_size)


def all_measured(folder: Folder, work: UnitOfWork, rows: Iterable[Row]) -> list[Row]:
    """Return rows with dates and sizes, and keep what was found.

    Of files that are not found, or cannot be read, they stay UNKNOWN.
    """
    found = []
    fresh = []
    for row in rows:
        if row.date == UNKNOWN_DATE:
            try:
                row = measured(folder, row)
                fresh.append(row)
            except FileNotFoundError:
                pass
            except OSError as error:
                folder.note_faulty(row, error)
        found.append(row)
    keep(folder, work, fresh)
    return found


def keep(folder: Folder, work: UnitOfWork, rows: Sequence[Row]) -> None:
    """Keep the dates and sizes of messages in the index, and publish them."""
    if rows:
        work.index.measure(mailbox_row(folder, work), rows)
        work.record_measures(folder, rows)


# ---------------------------------------------------------------- some at a time


def measured_if_cheap(folder: Folder, row: Row) -> Row:
    """Return the row of a newcomer, with date and sizes if little is to be read for them."""
    with suppress(OSError):
        if is_cheap(folder, row):
            return measured(folder, row)
    return row


def is_cheap(folder: Folder, row: Row) -> bool:
    """Return whether little of a message is to be read to measure it. Raises OSError."""
    if filename.sizes(row.base)[1] is not None:
        return True
    described = folder.is_message(folder.file(row))
    return described is not None and described.st_size <= CHUNK


def measure(folder: Folder, work: UnitOfWork, uids: Sequence[int]) -> list[int]:
    """Measure messages; return those whose files were not found.

    All dates and sizes are published: another process may know them already.
    """
    before = folder.faulty.count
    rows = all_measured(folder, work, work.index.rows(mailbox_row(folder, work), uids))
    work.record_measures(folder, [row for row in rows if row.date != UNKNOWN_DATE])
    unknown = [row.uid for row in rows if row.date == UNKNOWN_DATE]
    faulty = folder.faulty.since(before, unknown)
    return [uid for uid in unknown if uid not in faulty]


def measure_next(folder: Folder, work: UnitOfWork, after: int) -> int | None:
    """Measure the next messages after a UID; return how far that went, None: to the end."""
    rows = work.index.unmeasured(mailbox_row(folder, work), after, PIECE)
    all_measured(folder, work, rows)
    return rows[-1].uid if rows else None


def measure_all(folder: Folder, work: UnitOfWork) -> None:
    """Measure all messages of a mailbox that are not measured yet."""
    after: int | None = 0
    while after is not None:
        after = measure_next(folder, work, after)
