"""The one seam between the store and the operating system.

Every system call of the store is a method of ``Disk``, so that a test can make the n-th one fail, or
stop the world there. Paths are bytes: names that other programs chose need not be UTF-8.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import apsw

from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.store import kernel

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO must not stop us
_CLOCK_STEP = 5.0  # seconds that a clock may be set by while the machine starts
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY


class Disk:
    """The system calls, as they are. All raise OSError."""

    def create(self, path: bytes) -> int:
        """Make a file that is not there yet and return its descriptor, for writing."""
        return os.open(path, _CREATE | os.O_EXCL, 0o600)

    def overwrite(self, path: bytes) -> int:
        """Make a file, or empty it if it is there, and return its descriptor, for writing."""
        return os.open(path, _CREATE | os.O_TRUNC, 0o600)

    def extend(self, path: bytes) -> int:
        """Open a file that is there for writing at its end."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)

    def write(self, fd: int, data: bytes) -> None:
        """Write all of the data."""
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]

    def date(self, fd: int, seconds: float) -> None:
        """Set the time of last modification."""
        nanoseconds = int(seconds * 1_000_000) * 1000
        os.utime(fd, ns=(nanoseconds, nanoseconds))

    def sync_file(self, fd: int) -> None:
        """Wait until the file's contents are on disk."""
        os.fsync(fd)

    def sync_data(self, fd: int) -> None:
        """Wait until the file's contents and length are on disk, its dates perhaps not."""
        os.fdatasync(fd)

    def sync_folder(self, path: bytes) -> None:
        """Wait until the names in a folder are on disk."""
        fd = os.open(path, _FOLDER)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def open_folder(self, path: bytes) -> int:
        """Open a folder, and so the file system it is on."""
        return os.open(path, _FOLDER)

    def sync_all(self, fd: int) -> None:
        """Wait until all files and names of a file system are on disk, whoever wrote them."""
        kernel.sync_file_system(fd)

    def sync_all_for_good(self, fd: int) -> None:
        """Wait as ``sync_all`` does, and raise OSError too if the file system has given up."""
        kernel.sync_file_system(fd)
        kernel.sync_if_doubtful(fd)

    def keeps_all(self, fd: int) -> bool:
        """Say whether ``sync_all`` does what it says on this file system."""
        return kernel.keeps_all(fd)

    def device(self, fd: int) -> int:
        """Return the number of the file system that a descriptor is on."""
        return os.fstat(fd).st_dev

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def lock(self, fd: int) -> bool:
        """Lock an open file, until it is closed, if nobody else has; say whether that was so."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def link(self, path: bytes, new_path: bytes) -> None:
        """Give a file another name; the new name must be free."""
        os.link(path, new_path, follow_symlinks=False)

    def rename(self, path: bytes, new_path: bytes) -> None:
        """Rename, replacing what has the new name."""
        os.rename(path, new_path)

    def rename_to_free(self, path: bytes, new_path: bytes) -> None:
        """Rename; the new name must be free. Raises FileExistsError."""
        kernel.rename_to_free(path, new_path)

    def unlink(self, path: bytes) -> None:
        """Take a name away."""
        os.unlink(path)

    def make_folder(self, path: bytes) -> None:
        """Make a folder."""
        os.mkdir(path, 0o700)

    def remove_folder(self, path: bytes) -> None:
        """Remove an empty folder."""
        os.rmdir(path)

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a folder, in no order."""
        return os.listdir(path)

    def files(self, path: bytes) -> list[bytes]:
        """Return the names of the regular files in a folder, in no order."""
        with os.scandir(path) as found:
            return [each.name for each in found if each.is_file(follow_symlinks=False)]

    def stat(self, path: bytes) -> os.stat_result:
        """Describe a path itself, not what a symbolic link leads to."""
        return os.stat(path, follow_symlinks=False)

    def open(self, path: bytes) -> int:
        """Open a file for reading."""
        return os.open(path, _READ)

    def read(self, fd: int, size: int, offset: int) -> bytes:
        """Read at most ``size`` octets from an offset."""
        return os.pread(fd, size, offset)

    def touch(self, path: bytes) -> None:
        """Have those who watch a folder hear of it; its times of access and modification stay."""
        os.chmod(path, stat.S_IMODE(os.stat(path).st_mode))

    def pause(self, seconds: float) -> None:
        """Wait, in a lane, for another program."""
        time.sleep(seconds)

    def is_running(self, process: int, since: float) -> bool:
        """Say whether there is a process of this number that may have been there since a time."""
        if hasattr(time, "CLOCK_BOOTTIME"):
            started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
            if since < started - _CLOCK_STEP:
                return False
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            return True
        return True

    def commit(self, connection: apsw.Connection) -> None:
        """Commit a transaction. Raises apsw.Error."""
        connection.execute("COMMIT")


def exists(disk: Disk, path: bytes) -> bool:
    """Say whether anything has this name."""
    try:
        disk.stat(path)
    except FileNotFoundError:
        return False
    return True


def read_file(disk: Disk, path: bytes, limit: int = 256 * 1024 * 1024) -> bytes | None:
    """Return the contents of a file of ours, or None where there is none."""
    try:
        fd = disk.open(path)
    except FileNotFoundError:
        return None
    try:
        parts: list[bytes] = []
        size = 0
        while size < limit and (part := disk.read(fd, 1024 * 1024, size)):
            parts.append(part)
            size += len(part)
        return b"".join(parts)
    finally:
        disk.close(fd)


def write_file(
    disk: Disk,
    path: bytes,
    pieces: Iterable[bytes],
    seconds: float,
    seal: Callable[[int], None] | None = None,
) -> None:
    """Write a new file, dated, and sync it, or else ``seal`` it. Nothing stays when that fails."""
    fd = disk.create(path)
    try:
        try:
            for piece in pieces:
                disk.write(fd, piece)
            disk.date(fd, seconds)
            (seal or disk.sync_file)(fd)
        finally:
            disk.close(fd)
    except Exception:
        with suppress(OSError):
            disk.unlink(path)
        raise


def replace_file(disk: Disk, path: bytes, data: bytes, seconds: float | None = None) -> None:
    """Put new contents in the place of a file, durably: afterwards either all is new or all old.

    ``seconds`` is its time of last modification, if not now.
    """
    beside = path + b".new"
    fd = disk.overwrite(beside)
    try:
        disk.write(fd, data)
        if seconds is not None:
            disk.date(fd, seconds)
        disk.sync_file(fd)
    finally:
        disk.close(fd)
    disk.rename(beside, path)
    disk.sync_folder(os.path.dirname(path))


def extend_file(
    disk: Disk, path: bytes, data: bytes, meanwhile: Callable[[], object] | None = None
) -> None:
    """Write at the end of a file, durably; do something else while the disk is at it."""
    fd = disk.extend(path)
    try:
        disk.write(fd, data)
        if meanwhile is None:
            disk.sync_data(fd)
        else:
            _sync_and(disk, fd, meanwhile)
    finally:
        disk.close(fd)


def _sync_and(disk: Disk, fd: int, meanwhile: Callable[[], object]) -> None:
    """Sync a file in a thread; whatever else happens, return or raise only when that is done."""
    with ThreadPoolExecutor(1, "sync") as thread:
        synced = thread.submit(disk.sync_data, fd)
        try:
            meanwhile()
        finally:
            synced.result()


def make_folders(disk: Disk, path: bytes) -> None:
    """Make a folder and those above it, durably, where they are missing."""
    missing = []
    while not exists(disk, path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        with suppress(FileExistsError):
            disk.make_folder(folder)
        disk.sync_folder(os.path.dirname(folder))


def remove_tree(disk: Disk, path: bytes) -> None:
    """Remove a folder and all in it, without following links."""
    for name in disk.names(path):
        inner = os.path.join(path, name)
        try:
            disk.unlink(inner)
        except (IsADirectoryError, PermissionError):
            remove_tree(disk, inner)
    disk.remove_folder(path)


@contextmanager
def faults() -> Iterator[None]:
    """Turn what the disk and the index raise into Unavailable."""
    try:
        yield
    except OSError as error:
        raise unavailable(error) from error
    except apsw.FullError as error:
        raise unavailable(OSError(errno.ENOSPC, "")) from error
    except apsw.Error as error:
        raise Unavailable("The mail store has trouble; try again later.") from error


def unavailable(error: OSError) -> Unavailable:
    """Return how a failed system call is told."""
    if error.errno == errno.EDQUOT:
        outcome = Outcome(452, "4.3.1", "The account's share of the disk is used up.")
        return Unavailable(outcome, "OVERQUOTA")
    if error.errno == errno.ENOSPC:
        return Unavailable(Outcome(452, "4.3.1", "There is no room on the disk now."))
    return Unavailable("The mail store has trouble; try again later.")
