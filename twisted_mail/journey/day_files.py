"""Files of lines, some for each day, bounded in days and octets.

Several processes may write to one file: each write is at its end, and whole. What a process that was
killed has left unfinished is a torn line, which readers pass over; what follows begins a new line.
"""

import errno
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

PARTS = 16  # into which the octets are divided: so much is removed at a time
DAY = 86400.0
_APPEND = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_NAME = re.compile(r"([a-z]+)-(\d{4}-\d{2}-\d{2})\.(\d{4,9})\.jsonl")


@dataclass(frozen=True, slots=True, order=True)
class DayFile:
    """One file: the kind of its lines, its day, its number within the day."""

    day: str
    number: int
    kind: str

    @property
    def name(self) -> str:
        """Return its name in the folder."""
        return f"{self.kind}-{self.day}.{self.number:04}.jsonl"


def day_files(folder: str, kind: str) -> list[DayFile]:
    """Return the files of a kind, the oldest first; none where there is no folder. Raises OSError."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = filter(None, map(_NAME.fullmatch, names))
    return sorted(DayFile(one[2], int(one[3]), one[1]) for one in found if one[1] == kind)


class DayFiles:
    """Writes the files of one kind, and removes the oldest. One thread at a time.

    Nothing is written while the file system has less than ``min_free`` octets left: mail needs them more.
    All raise OSError.
    """

    def __init__(self, folder: str, kind: str, days: int, octets: int, min_free: int = 0) -> None:
        self._folder = folder
        self._kind = kind
        self._days = days
        self._octets = octets
        self._part = octets // PARTS
        self._min_free = min_free
        self._fd = -1
        self._file = DayFile("", 0, kind)
        self._is_torn = False

    def append(self, data: bytes, now: float) -> None:
        """Write whole lines."""
        day = time.strftime("%Y-%m-%d", time.gmtime(now))
        if not self._takes(day):
            self._open(day, now)
        room = os.fstatvfs(self._fd)
        if room.f_bavail * room.f_frsize < self._min_free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path(self._file))
        left = memoryview(b"\n" + data if self._is_torn else data)
        self._is_torn = True
        while left:
            left = left[os.write(self._fd, left) :]
        self._is_torn = False

    def _takes(self, day: str) -> bool:
        """Return whether the file that is open is still the one to be written."""
        if self._fd < 0 or self._file.day != day:
            return False
        status = os.fstat(self._fd)
        return status.st_nlink > 0 and status.st_size < self._part

    def _open(self, day: str, now: float) -> None:
        self.close()
        os.makedirs(self._folder, 0o700, exist_ok=True)
        self.expire(now)
        self._file = self._next(day)
        self._fd = os.open(self._path(self._file), _APPEND, 0o640)
        size = os.fstat(self._fd).st_size
        self._is_torn = bool(size) and os.pread(self._fd, 1, size - 1) != b"\n"

    def _next(self, day: str) -> DayFile:
        """Return the last file of a day if it takes more, else a new one."""
        there = [one for one in day_files(self._folder, self._kind) if one.day == day]
        if not there:
            return DayFile(day, 1, self._kind)
        is_full = self._size(there[-1]) >= self._part
        return DayFile(day, there[-1].number + 1, self._kind) if is_full else there[-1]

    def expire(self, now: float) -> None:
        """Remove what is too old, and of what is too much the oldest."""
        first = time.strftime("%Y-%m-%d", time.gmtime(now - (self._days - 1) * DAY))
        files = day_files(self._folder, self._kind)
        sizes = {one: self._size(one) for one in files}
        total = sum(sizes.values())
        for one in files:
            if one.day >= first and total + self._part <= self._octets:
                break
            total -= sizes[one]
            with suppress(FileNotFoundError):  # another process was faster
                os.unlink(self._path(one))

    def _size(self, file: DayFile) -> int:
        try:
            return os.stat(self._path(file)).st_size
        except FileNotFoundError:
            return 0

    def _path(self, file: DayFile) -> str:
        return os.path.join(self._folder, file.name)

    def close(self) -> None:
        """Close the file; the next line opens one."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with suppress(OSError):
                os.close(fd)


def line_chunks(folder: str, file: DayFile, size: int = 4 * 1024 * 1024) -> Iterator[bytes]:
    """Yield the contents of a file in large pieces that end with a line. Raises OSError.

    The last line is yielded even if it has no end; a file that was removed meanwhile has none.
    """
    try:
        opened = open(os.path.join(folder, file.name), "rb", buffering=0)  # noqa: SIM115
    except FileNotFoundError:
        return
    with opened:
        rest = b""
        while data := opened.read(size):
            end = data.rfind(b"\n") + 1
            if not end:
                rest += data
                continue
            yield rest + data[:end] if rest else data[:end]
            rest = data[end:]
        if rest:
            yield rest
