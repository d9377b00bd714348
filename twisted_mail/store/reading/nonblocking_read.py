"""Reading on the reactor thread what is in memory already, and nothing else.

A file is opened by the name that it had when it was last read, with the flags that it has now, and is the
message if its size and its date are those of the message's file: this never changes, and is replaced by
none. Whatever is not so is no error: the lane reads it, looks for its name, and reports its faults.
"""

from collections.abc import Mapping, Sequence
from stat import S_ISREG

from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, MessageRange
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
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
) -> list[bytes | None]:
    """Return the first of these ranges, as many as can be had without waiting; none of them is None."""
    found: list[bytes | None] = []
    try:
        _read_all(folder, columns, names, pieces[:MAX_PIECES], found)
    except OSError:  # one that has to be waited for, or looked for
        return found
    return found


def _read_all(
    folder: Folder,
    columns: EntryColumns,
    names: Mapping[int, FileName],
    pieces: Sequence[MessageRange],
    found: list[bytes | None],
) -> None:
    """Add the ranges to those found, up to the first that has to be waited for. Raises OSError."""
    disk, left = folder.disk, MAX_OCTETS
    for uid, start, stop in pieces:
        name, row = names.get(uid), columns.row(uid)
        if name is None or row is None:
            return
        date, size = columns.dates[row], columns.sizes[row]
        stop = size if stop is None or stop > size else stop
        is_as_stored = name.stored == size
        left -= max(stop - start, 0) if is_as_stored else size
        if left < 0 or date == UNKNOWN_DATE:
            return
        path = _path(folder, name, columns.flags[row])
        if start >= stop:
            data = b""
        elif is_as_stored:
            data = _octets(disk, path, (size, date), start, stop)
        else:
            # Bare LF, each of which is an octet more on the wire: all of it is read.
            text = with_crlf(_octets(disk, path, (name.stored, date), 0, name.stored))
            if len(text) != size:
                return
            data = text[start:stop]
        found.append(without_nul(data))


def _path(folder: Folder, name: FileName, flags: Flags) -> bytes:
    if flags is name.flags or flags == name.flags:
        return folder.path + name.place
    return folder.path + name.place_with(flags, folder.keywords.letter_of)


def _octets(disk: Disk, path: bytes, expected: tuple[int, int], start: int, stop: int) -> bytes:
    """Return octets of a file of a size and date. Raises OSError if it is not, or not all in memory."""
    fd = disk.open_at_once(path)
    try:
        described = disk.describe(fd)
        found = described.st_size, described.st_mtime_ns // 1_000_000_000
        if found != expected or not S_ISREG(described.st_mode):
            raise FileNotFoundError
        data = disk.read_at_once(fd, stop - start, start)
    finally:
        disk.close(fd)
    if len(data) != stop - start:
        raise BlockingIOError
    return data
