"""The pages of an SQLite database as files have them, its log included, without SQLite.

For a database that SQLite cannot read any more (https://www.sqlite.org/fileformat2.html, sections 1.3,
1.5, 1.8 and 4).
"""

import os
from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

_MAGIC = b"SQLite format 3\0"
_LOG_MAGIC = (0x377F0682, 0x377F0683)  # checksums of little-endian words, of big-endian ones
_LOG_HEADER, _FRAME_HEADER = 32, 24  # octets
_MAP_ENTRY = 5  # octets in a page that says what the pages behind it are
_FREE = 2  # the kind of a page without use
_PENDING_OCTET = 1 << 30  # the page with this octet is never used
_U32 = Struct(">I")
_FRAME = Struct(">6I")


class DatabasePages:
    """The pages of a database, by number from 1 on. A page of ``page_size`` if the header is damaged.

    Closed by ``close``. Raises OSError.
    """

    def __init__(self, path: str, page_size: int) -> None:
        self._file = open(path, "rb")  # noqa: SIM115
        self.page_size = self._header_page_size() or page_size
        self._log: BinaryIO | None = None
        self._frames: dict[int, int] = {}
        octets = os.path.getsize(path)
        self.count = -(-octets // self.page_size)
        if os.path.exists(path + "-wal"):
            self._log = open(path + "-wal", "rb")  # noqa: SIM115
            self._frames, pages = committed_frames(self._log, self.page_size)
            self.count = pages or self.count

    def _header_page_size(self) -> int | None:
        header = self._file.read(100)
        size = int.from_bytes(header[16:18])
        size = 65536 if size == 1 else size
        is_whole = header.startswith(_MAGIC) and size >= 512 and size & (size - 1) == 0
        return size if is_whole else None

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._log is not None:
            self._log.close()

    def read(self, number: int) -> bytes:
        """Return a page as the last commit left it; shorter than a page, or empty, where it is gone."""
        if not 0 < number <= self.count:
            return b""
        if self._log is not None and number in self._frames:
            return _at(self._log, self._frames[number], self.page_size)
        return _at(self._file, (number - 1) * self.page_size, self.page_size)

    def used(self) -> Iterator[int]:
        """Yield the numbers of all pages but those that are known to be free."""
        free = self._free_list()
        map_page = b""
        for number in range(1, self.count + 1):
            if number >= 2 and self._is_map(number):
                map_page, first = self.read(number), number + 1
            elif number not in free and not (number > 2 and _is_free(map_page, number - first)):
                yield number

    def _is_map(self, number: int) -> bool:
        """Return whether a page maps those behind it (of a database with auto_vacuum)."""
        group = self.page_size // _MAP_ENTRY + 1
        pending = _PENDING_OCTET // self.page_size + 1
        at = (number - 2) // group * group + 2
        return number == (at + 1 if at == pending else at)

    def _free_list(self) -> set[int]:
        """Return the pages that the chain of free ones names, as far as it can be followed."""
        free: set[int] = set()
        header = self.read(1)[:100]
        trunk = _U32.unpack_from(header, 32)[0] if header.startswith(_MAGIC) else 0
        while trunk and trunk not in free:
            page = self.read(trunk)
            if len(page) < self.page_size:
                break
            following, number = _U32.unpack_from(page)[0], _U32.unpack_from(page, 4)[0]
            if number > self.page_size // 4 - 2:
                break
            free.add(trunk)
            free.update(_U32.unpack_from(page, 8 + 4 * index)[0] for index in range(number))
            trunk = following
        return free


def _at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _is_free(map_page: bytes, index: int) -> bool:
    """Return whether a page of the map says that another is free: then it has no parent."""
    entry = map_page[index * _MAP_ENTRY : (index + 1) * _MAP_ENTRY]
    return entry == bytes((_FREE, 0, 0, 0, 0))


def committed_frames(log: BinaryIO, page_size: int) -> tuple[dict[int, int], int]:
    """Return where the log has the newest version of pages, and how many pages the database has.

    Frames count up to the last commit before the first that is not whole. 0 pages: nothing was committed.
    """
    header = log.read(_LOG_HEADER)
    if len(header) < _LOG_HEADER or _U32.unpack_from(header)[0] not in _LOG_MAGIC:
        return {}, 0
    words = "<" if _U32.unpack_from(header)[0] == _LOG_MAGIC[0] else ">"
    sums = _checksum(header[:24], (0, 0), words)
    if sums != _two(header, 24) or _U32.unpack_from(header, 8)[0] != page_size:
        return {}, 0
    committed: dict[int, int] = {}
    pages = 0
    gathered: dict[int, int] = {}
    while len(frame := log.read(_FRAME_HEADER + page_size)) == _FRAME_HEADER + page_size:
        number, size, salt, other_salt, *found = _FRAME.unpack_from(frame)
        sums = _checksum(frame[:8], sums, words)
        sums = _checksum(frame[_FRAME_HEADER:], sums, words)
        if (salt, other_salt) != _two(header, 16) or tuple(found) != sums:
            break
        gathered[number] = log.tell() - page_size
        if size:  # a commit
            committed.update(gathered)
            gathered.clear()
            pages = size
    return committed, pages


def _two(data: bytes, at: int) -> tuple[int, int]:
    return _U32.unpack_from(data, at)[0], _U32.unpack_from(data, at + 4)[0]


def _checksum(data: bytes, sums: tuple[int, int], order: str) -> tuple[int, int]:
    """Return the running checksum of a log (section 4.2)."""
    one, two = sums
    words = Struct(f"{order}{len(data) // 4}I").unpack(data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
