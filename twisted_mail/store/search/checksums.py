"""Databases whose pages carry checksums, so that no damage to the file goes unseen.

A virtual file system of SQLite: what is written to the database's file gets a CRC at the end of each
page, in octets that SQLite leaves free, and what is read from it is compared. Frames in the log before
it have checksums of SQLite's own. A page that is not as it was written raises apsw.CorruptError.
"""

import ctypes
import zlib

import apsw

from twisted_mail.store.disk.calls import Disk

NAME = "twisted-mail-checked"
PAGE = 16384
_RESERVED = 8  # octets at the end of a page, of which we use four


class _ChecksumVfs(apsw.VFS):
    """The operating system's files, and those of databases with checksums."""

    def __init__(self) -> None:
        super().__init__(NAME, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        """Open a file for SQLite."""
        kind = _ChecksumFile if flags[0] & apsw.SQLITE_OPEN_MAIN_DB else apsw.VFSFile
        return kind("", name, flags)


class _ChecksumFile(apsw.VFSFile):
    """The file of a database."""

    def xRead(self, amount: int, offset: int) -> bytes:
        """Read; whole pages are compared with their checksums."""
        data = super().xRead(amount, offset)
        if amount == PAGE and len(data) == PAGE:
            body = memoryview(data)[: PAGE - _RESERVED]
            if _sum(body, offset) != data[PAGE - _RESERVED : PAGE - 4]:
                raise apsw.CorruptError("a page is not as it was written")
        return data

    def xWrite(self, data: bytes, offset: int) -> None:
        """Write; whole pages get their checksums."""
        if len(data) == PAGE:
            body = bytes(data[: PAGE - _RESERVED])
            data = body + _sum(body, offset) + bytes(4)
        super().xWrite(data, offset)


def _sum(body: bytes | memoryview, offset: int) -> bytes:
    """The page's place counts: pages that changed places are damage as well."""
    return zlib.crc32(body, offset // PAGE).to_bytes(4, "little")


_vfs = _ChecksumVfs()


def connect(disk: Disk, path: str) -> apsw.Connection:
    """Open or make a database with checksums. Raises apsw.Error.

    One that was made without them seems damaged as soon as it is read.
    """
    connection = disk.connect(path, vfs=NAME)
    try:
        reserved = ctypes.c_int(_RESERVED)
        connection.file_control("main", apsw.SQLITE_FCNTL_RESERVE_BYTES, ctypes.addressof(reserved))
        connection.pragma("page_size", PAGE)
    except BaseException:
        connection.close()
        raise
    return connection
