"""Reading on the reactor thread what is in memory already, and nothing else.

A file is opened by the name that it had when it was last read, with the flags that it has now, and is the
message if its size and its date are those of the message: a file of a message never changes, and is
replaced by none. Whatever is not so is no error: the lane reads it, looks for its name, and reports its
faults.
"""

import stat
from collections.abc import Mapping, Sequence

from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, EntryColumns, MessageRange
from twisted_mail.mail.message import without_nul
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.file_names import FileName
from twisted_mail.store.tree.folder import Folder

# Read in one go: more would keep others waiting.
MAX_OCTETS = 256 * 1024
MAX_PIECES = 250


def read_at_once(
    folder: Folder,
    columns: EntryColumns,
    names: Mapping[int, FileName],
    pieces: Sequence[MessageRange],
) -> list[bytes]:
    """Return the first of these ranges, as many as can be had without waiting."""
    found: list[bytes] = []
    left = MAX_OCTETS
    for piece in pieces[:MAX_PIECES]:
        name, row = names.get(piece.uid), columns.row(piece.uid)
        if name is None or row is None or columns.dates[row] == UNKNOWN_DATE:
            break
        size = columns.sizes[row]
        stop = size if piece.stop is None else min(piece.stop, size)
        path = name.path(folder.path, columns.flags[row], folder.keywords.letter_of)
        expected = size, columns.dates[row]
        part = _range(folder.disk, path, expected, range(piece.start, stop), left)
        if part is None:
            break
        data, octets = part
        left -= octets
        found.append(data)
    return found


def _range(
    disk: Disk, path: bytes, expected: tuple[int, int], wanted: range, most: int
) -> tuple[bytes, int] | None:
    """Return octets of a message, and how many were read for them: at most so many."""
    if not wanted:
        return b"", 0
    if len(wanted) > most:
        return None
    try:
        fd = disk.open_at_once(path)
    except OSError:
        return None
    try:
        return _octets(disk, fd, *expected, wanted, most)
    except OSError:
        return None
    finally:
        disk.close(fd)


def _octets(
    disk: Disk, fd: int, size: int, date: int, wanted: range, most: int
) -> tuple[bytes, int] | None:
    """Do what ``_range`` does; return None if it is another message's file, or not all in memory."""
    described = disk.describe(fd)
    stored = described.st_size
    if not stat.S_ISREG(described.st_mode) or described.st_mtime_ns // 1_000_000_000 != date:
        return None
    if stored == size:
        data = disk.read_at_once(fd, len(wanted), wanted.start)
        return (without_nul(data), len(data)) if len(data) == len(wanted) else None
    if stored > size or size > most:
        return None
    # Bare LF, each of which is an octet more on the wire: all of it is read.
    text = with_crlf(disk.read_at_once(fd, stored, 0))
    return (without_nul(text[wanted.start : wanted.stop]), size) if len(text) == size else None
