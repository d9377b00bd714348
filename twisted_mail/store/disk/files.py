"""Durable files by their paths, for rooms that do not know the disk."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from threading import Semaphore

from twisted_mail.mail.message import Blob
from twisted_mail.store.disk.blob import Descriptor, FileBlob, read_pieces
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import (
    extend_file,
    make_folders,
    overwrite_file,
    read_file,
    replace_file,
)

MAX_OPEN = 256  # files that stay open as long as their blobs are used


def _nothing() -> None:
    pass


class PathBlob:
    """A file that stays open until the blob is closed: who reads it does so to its end, removed or not.

    Without ``file``, and once it is closed, it is open only while it is read. ``closed`` is called once
    ``file`` is closed. Fulfils ``mail.message.Blob``.
    """

    def __init__(
        self,
        disk: Disk,
        path: bytes,
        size: int,
        file: Descriptor | None = None,
        closed: Callable[[], object] = _nothing,
    ) -> None:
        self._disk = disk
        self._path = path
        self._size = size
        self._file = file
        self._closed = closed

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return self._size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop``. Raises OSError."""
        stop = self._size if stop is None else min(stop, self._size)
        with self._opened() as fd:
            yield from read_pieces(self._disk, fd, start, stop)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        if self._file is not None:
            with self._file.use() as fd:
                yield fd
            return
        fd = self._disk.open(self._path)
        try:
            yield fd
        finally:
            self._disk.close(fd)

    def close(self) -> None:
        """Close the file, which stays where it is; harmless when done twice."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
            self._closed()

    def __del__(self) -> None:
        self.close()


class DiskFiles:
    """Fulfils ``interfaces.DurableFiles``."""

    def __init__(self, disk: Disk | None = None) -> None:
        self._disk = disk or Disk()
        self._may_open = Semaphore(MAX_OPEN)

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file, new or not, and sync its octets; its name may not last yet."""
        overwrite_file(self._disk, os.fsencode(path), pieces)

    def replace(self, path: str, data: bytes) -> None:
        """Put new contents in the place of a file, durably: afterwards all is new, or all old."""
        replace_file(self._disk, os.fsencode(path), data)

    def append(self, path: str, data: bytes) -> None:
        """Write at the end of a file, which is made when it is not there, and sync its octets."""
        try:
            extend_file(self._disk, os.fsencode(path), data)
        except FileNotFoundError:
            self.write(path, [data])

    def read(self, path: str, limit: int) -> bytes | None:
        """Return the first ``limit`` octets of a file, or None where there is none."""
        data = read_file(self._disk, os.fsencode(path), limit)
        return None if data is None else data[:limit]

    def blob(self, path: str) -> Blob:
        """Return a file as a blob, which closing does not remove."""
        name = os.fsencode(path)
        file = Descriptor(self._disk.open(name), self._disk)
        with file.use() as fd:
            size = self._disk.describe(fd).st_size
        if self._may_open.acquire(blocking=False):
            return PathBlob(self._disk, name, size, file, self._may_open.release)
        file.close()
        return PathBlob(self._disk, name, size)

    def adopt(self, blob: Blob, path: str) -> bool:
        """Give the file that a blob is in a name; return whether that was possible."""
        return isinstance(blob, FileBlob) and blob.take_name(os.fsencode(path))

    def room(self, folder: str) -> tuple[int, int]:
        """Return how many octets and how many files a file system has room for."""
        name = os.fsencode(folder)
        return self._disk.room(name)[0], self._disk.free_inodes(name)

    def link(self, path: str, new_path: str) -> None:
        """Give a file another name. Raises FileExistsError."""
        self._disk.link(os.fsencode(path), os.fsencode(new_path))

    def rename(self, path: str, new_path: str) -> None:
        """Rename a file, replacing what has the new name."""
        self._disk.rename(os.fsencode(path), os.fsencode(new_path))

    def remove(self, path: str) -> None:
        """Remove a file; harmless when it is not there."""
        with suppress(FileNotFoundError):
            self._disk.unlink(os.fsencode(path))

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder, in no order: none where it is not there."""
        try:
            return [os.fsdecode(name) for name in self._disk.names(os.fsencode(folder))]
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return []
            raise

    def make_folder(self, folder: str) -> None:
        """Make a folder and those above it, durably, where they are missing."""
        make_folders(self._disk, os.fsencode(folder))

    def sync_folder(self, folder: str) -> None:
        """Wait until the names in a folder are on disk."""
        self._disk.sync_folder(os.fsencode(folder))
