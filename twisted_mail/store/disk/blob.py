"""Blobs in files, which several threads may read at once."""

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from twisted_mail.mail.message import PIECE
from twisted_mail.store.disk.calls import Disk

_DISK = Disk()
# Another file system; one that cannot have a name again, or no /proc; hard links not allowed.
_NO_NAME = (errno.EXDEV, errno.ENOENT, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EMLINK)


class Descriptor:
    """An open file that several threads may use.

    It is closed when its owner has closed it and the last use has ended: a number that is closed
    under a thread at work may already stand for another file or a socket. An abandoned one closes
    itself.
    """

    def __init__(self, number: int, disk: Disk = _DISK) -> None:
        self.disk = disk
        self._number = number
        self._uses = 1  # the owner's
        self._is_closed = False
        self._lock = threading.Lock()

    @contextmanager
    def use(self) -> Iterator[int]:
        """Give the number for the time of a ``with``. Raises OSError when closed already."""
        with self._lock:
            if self._is_closed:
                raise OSError(errno.EBADF, "the file is closed")
            self._uses += 1
        try:
            yield self._number
        finally:
            self._leave()

    def close(self) -> None:
        """End the owner's use; harmless when done twice."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._uses -= 1
            is_last = self._uses == 0
        if is_last:
            self.disk.close(self._number)

    def __del__(self) -> None:
        self.close()


def read_pieces(disk: Disk, fd: int, start: int, stop: int) -> Iterator[bytes]:
    """Yield the octets of an open file from ``start`` to ``stop``. Raises OSError."""
    while start < stop:
        data = disk.read(fd, min(PIECE, stop - start), start)
        if not data:
            raise OSError(errno.EIO, "the file is shorter than it was")
        start += len(data)
        yield data


class FileBlob:
    """A blob in a file. Fulfils ``mail.message.Blob``; may be read by several threads at once."""

    def __init__(self, file: Descriptor, size: int) -> None:
        self._file = file
        self._size = size

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return self._size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop``. Raises OSError."""
        stop = self._size if stop is None else min(stop, self._size)
        with self._file.use() as number:
            yield from read_pieces(self._file.disk, number, start, stop)

    def take_name(self, path: bytes) -> bool:
        """Give the file a name, another one if it has any, and sync its octets.

        Returns False where that is not possible: the file is on another file system, or lost its name.
        Raises FileExistsError, OSError.
        """
        with self._file.use() as number:
            try:
                self._file.disk.link_open(number, path)
            except OSError as error:
                if error.errno in _NO_NAME:
                    return False
                raise
            self._file.disk.sync_file(number)
        return True

    def close(self) -> None:
        """Close the file, once those who read it now have ended."""
        self._file.close()
