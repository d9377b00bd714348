"""The first look at a message's file: its date, its sizes and its header, by opening it once."""

import stat
from typing import NamedTuple

from twisted_mail.mail.line_ends import octets_with_crlf, with_crlf
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.message import without_nul
from twisted_mail.mail.mime import header
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import filename
from twisted_mail.store.index.rows import Row
from twisted_mail.store.tree.folder import Folder

CHUNK = 64 * 1024  # octets of a file that are read at once
FIRST = 16 * 1024  # octets that are read for a header at first: few are longer
MAX_HEADER = 256 * 1024  # octets in which its end is looked for


class FirstLook(NamedTuple):
    """A message's row with date and sizes, and its header as it is on the wire.

    The header has the empty line at its end. It is None where that is not in the first ``MAX_HEADER``
    octets.
    """

    row: Row
    header: bytes | None


def look_at(folder: Folder, row: Row) -> FirstLook:
    """Look at a message. Raises FileNotFoundError when its file has another name now."""
    fd = _opened(folder, row)
    try:
        if row.date != UNKNOWN_DATE:
            return _with_header(folder.disk, fd, row, folder.disk.read(fd, FIRST, 0))
        return _measured(folder.disk, fd, row)
    finally:
        folder.disk.close(fd)


def _opened(folder: Folder, row: Row) -> int:
    path = folder.file(row)
    try:
        return folder.disk.open(path)
    except OSError:
        if row.date == UNKNOWN_DATE and folder.is_message(path) is None:
            raise FileNotFoundError from None  # a link, say, which was never a message
        raise


def _measured(disk: Disk, fd: int, row: Row) -> FirstLook:
    described = disk.describe(fd)
    if not stat.S_ISREG(described.st_mode):
        raise FileNotFoundError
    size = named_size(row.base, described.st_size)
    first = disk.read(fd, CHUNK if size is None else FIRST, 0)
    if size is None:
        size = counted_size(disk, fd, first, described.st_size)
    date = described.st_mtime_ns // 1_000_000_000
    row = row._replace(date=date, size=size, stored=described.st_size)
    return _with_header(disk, fd, row, first)


def _with_header(disk: Disk, fd: int, row: Row, data: bytes) -> FirstLook:
    """Find the end of the header, reading on where it is not in what was read at first."""
    end = header.end(data)
    while end == len(data) < row.stored:  # it may be the end of the octets alone
        if len(data) >= MAX_HEADER:
            return FirstLook(row, None)
        more = disk.read(fd, CHUNK, len(data))
        if not more:
            break
        data += more
        end = header.end(data)
    octets = data[:end] if row.size == row.stored else with_crlf(data[:end])
    return FirstLook(row, without_nul(octets))


# ---------------------------------------------------------------- sizes


def named_size(base: bytes, stored: int) -> int | None:
    """Return the size of a message on the wire if its file's name has it."""
    found, wire = filename.sizes(base)
    return wire if found == stored else None


def counted_size(disk: Disk, fd: int, first: bytes, stored: int) -> int:
    """Return the size on the wire of a message, whose ``stored`` octets begin with ``first``."""
    size, at, last, chunk = 0, 0, b"", first
    while chunk:
        size += octets_with_crlf(chunk, last)
        at, last = at + len(chunk), chunk[-1:]
        chunk = disk.read(fd, CHUNK, at) if at < stored else b""
    return size
