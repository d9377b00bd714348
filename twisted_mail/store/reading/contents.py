"""What is in message files, as it is on the wire.

Files that this server wrote are served as they are. Files with bare LF that other programs put there
are served with CRLF; ``Row.size`` is then larger than ``Row.stored``. No NUL is served, so what is read
here is the same for IMAP, POP3 and search.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, MessageRange
from twisted_mail.mail.message import without_nul
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.file_names import FileName
from twisted_mail.store.index.rows import Row
from twisted_mail.store.reading.nonblocking_read import MAX_OCTETS
from twisted_mail.store.tree.first_look import CHUNK
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.measure import keep, measure, measured
from twisted_mail.store.work.reconcile import scan

T = TypeVar("T")

AHEAD_OCTETS = 1024 * 1024  # of what is asked for, and of what may be next, read at the same time
MAX_AHEAD = 100  # files of it
_ATTEMPTS = 8  # at finding files that other programs rename meanwhile
_RESUMED = 16  # places remembered in files that are converted while they are read


# ---------------------------------------------------------------- ranges


def read_range(folder: Folder, row: Row, start: int, stop: int) -> bytes:
    """Return octets of one message. Raises FileNotFoundError when its file has another name now."""
    fd = folder.disk.open(folder.file(row))
    try:
        if row.size == row.stored:
            return without_nul(_read_fully(folder.disk, fd, start, stop))
        return without_nul(_read_converted(folder, row, fd, start, stop))
    finally:
        folder.disk.close(fd)


def _read_fully(disk: Disk, fd: int, start: int, stop: int) -> bytes:
    parts = []
    while start < stop and (part := disk.read(fd, stop - start, start)):
        parts.append(part)
        start += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _read_converted(folder: Folder, row: Row, fd: int, start: int, stop: int) -> bytes:
    """Read on where the last range of this message ended, so that reading it all stays linear."""
    wire, at, last = folder.resume.pop(row.uid, (0, 0, b""))
    if wire > start:
        wire, at, last = 0, 0, b""
    parts = []
    while wire < stop and (chunk := folder.disk.read(fd, CHUNK, at)):
        text = with_crlf(chunk, last)
        parts.append(text[max(0, start - wire) : stop - wire])
        if wire + len(text) > stop:
            break
        wire, at, last = wire + len(text), at + len(chunk), chunk[-1:]
    folder.resume[row.uid] = wire, at, last
    if len(folder.resume) > _RESUMED:
        del folder.resume[next(iter(folder.resume))]
    return b"".join(parts)


def read_whole(folder: Folder, row: Row) -> bytes:
    """Return one whole message, measured. Raises FileNotFoundError when its file has another name now."""
    return read_whole_file(folder.disk, folder.file(row), row)


def read_whole_file(disk: Disk, path: bytes, row: Row) -> bytes:
    """Return one whole message from its file, in any thread. Raises FileNotFoundError."""
    if row.date == UNKNOWN_DATE:  # it was not found just now
        raise FileNotFoundError
    fd = disk.open(path)
    try:
        if row.size == row.stored:
            return without_nul(_read_fully(disk, fd, 0, row.size))
        return without_nul(with_crlf(_read_fully(disk, fd, 0, row.stored))[: row.size])
    finally:
        disk.close(fd)


# ---------------------------------------------------------------- in bulk


def rows_of(folder: Folder, work: UnitOfWork, uids: Iterable[int]) -> list[Row]:
    """Return the rows of those of the messages that are there."""
    return work.index.rows(mailbox_row(folder, work), uids)


def each(
    folder: Folder,
    work: UnitOfWork,
    rows: Iterable[Row],
    act: Callable[[Row], T],
) -> dict[int, T]:
    """Do something with the file of each message, measured; return what was returned.

    Messages that are gone, and those that cannot be read, are left out (see ``look_at_each``).
    """
    done: dict[int, T] = {}

    def look(row: Row) -> Row:
        row = measured(folder, row)
        done[row.uid] = act(row)
        return row

    look_at_each(folder, work, rows, look)
    return done


def look_at_each(
    folder: Folder, work: UnitOfWork, rows: Iterable[Row], look: Callable[[Row], Row]
) -> None:
    """Look at the file of each message; follow renames by looking at the folder again.

    ``look`` returns the message's row, measured. Messages that are gone are left out, and those that
    cannot be read (see ``Folder.note_faulty``). Raises Unavailable when a file is renamed again and
    again.
    """
    for _ in range(_ATTEMPTS):
        lost = []
        fresh = []
        for row in rows:
            try:
                known = look(row)
            except FileNotFoundError:
                lost.append(row.uid)
            except OSError as error:
                folder.note_faulty(row, error)
            else:
                if row.date == UNKNOWN_DATE:
                    fresh.append(known)
        keep(folder, work, fresh)
        if not lost:
            return
        scan(folder, work, is_forced=True)
        rows = rows_of(folder, work, lost)
    raise Unavailable("The mailbox is being changed by another program.")


def measure_each(folder: Folder, work: UnitOfWork, uids: Sequence[int]) -> None:
    """Measure messages; follow renames by looking at the folder again."""
    lost = uids
    for _ in range(_ATTEMPTS):
        lost = measure(folder, work, lost)
        if not lost:
            return
        scan(folder, work, is_forced=True)


class FoundRanges(NamedTuple):
    """Octets in the order asked, None where a message is gone; and names of files, by UID.

    Not those of large files with bare LF, of which nothing can be read before all is converted.
    """

    octets: list[bytes | None]
    names: dict[int, FileName]


def read(
    folder: Folder,
    work: UnitOfWork,
    pieces: Sequence[MessageRange],
    beside: Sequence[int] = (),
    following: Sequence[int] = (),
) -> FoundRanges:
    """Return ranges of messages, and the names of their files.

    The names of the UIDs ``beside`` and of those ``following`` are returned, too; of the latter, the
    files are on their way from the disk then.
    """
    wanted: dict[int, list[int]] = {}
    for place, piece in enumerate(pieces):
        wanted.setdefault(piece.uid, []).append(place)
    rows: list[Row] = []
    if beside:
        rows += work.index.rows(mailbox_row(folder, work), beside)
    if following:
        rows += work.index.rows(mailbox_row(folder, work), [*wanted, *following])
        _read_ahead(folder, rows)

    def ranges(row: Row) -> list[bytes]:
        found = [_range(folder, row, pieces[place]) for place in wanted[row.uid]]
        rows.append(row)
        return found

    octets: list[bytes | None] = [None] * len(pieces)
    for uid, found in each(folder, work, rows_of(folder, work, wanted), ranges).items():
        for place, data in zip(wanted[uid], found, strict=True):
            octets[place] = data
    return FoundRanges(octets, {row.uid: FileName.of(row) for row in rows if _is_read_at_once(row)})


def _read_ahead(folder: Folder, rows: Sequence[Row]) -> None:
    """Have the kernel read the first of these messages, all at the same time, and do not wait."""
    left = AHEAD_OCTETS
    for row in rows[:MAX_AHEAD]:
        with suppress(OSError):  # whoever needs it finds out why
            fd = folder.disk.open(folder.file(row))
            try:
                folder.disk.read_ahead(fd, left)
            finally:
                folder.disk.close(fd)
        left -= row.stored
        if left <= 0:
            return


def _is_read_at_once(row: Row) -> bool:
    return row.date != UNKNOWN_DATE and (row.stored == row.size or row.size <= MAX_OCTETS)


def _range(folder: Folder, row: Row, piece: MessageRange) -> bytes:
    stop = row.size if piece.stop is None else min(piece.stop, row.size)
    return read_range(folder, row, piece.start, stop) if piece.start < stop else b""
