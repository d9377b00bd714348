"""The one seam between the store and the operating system.

Every system call of the store is a method of ``Disk``, so that a test can make the n-th one fail, or
stop the world there. Paths are bytes: names that other programs chose need not be UTF-8.

SQLite makes its own system calls. The seam sees the three moments at which they matter: when a database
is opened, when a transaction is committed, and when its log is synced. What SQLite reads and writes in
between it does not see; that a database is full, damaged or unreadable shows in the errors of apsw, which
are those that the three calls raise too.
"""

import fcntl
import os
import stat
import sys
import tempfile
import time
import uuid
from contextlib import suppress

import apsw

from twisted_mail.store.disk import libc_calls
from twisted_mail.store.disk.faults import give_name

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO must not block us
_DESCRIBED = getattr(os, "O_PATH", 0) | os.O_CLOEXEC | os.O_NOFOLLOW
_CLOCK_STEP = 5.0  # seconds that a clock may be set by while the machine starts
_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
_DATABASE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


class Disk:
    """The system calls, as they are. All raise OSError, those on databases apsw.Error."""

    def create(self, path: bytes) -> int:
        """Make a file that is not there yet and return its descriptor, for writing."""
        return os.open(path, _CREATE | os.O_EXCL, 0o600)

    def overwrite(self, path: bytes) -> int:
        """Make a file, or empty it if it is there, and return its descriptor, for writing."""
        return os.open(path, _CREATE | os.O_TRUNC, 0o600)

    def extend(self, path: bytes) -> int:
        """Open a file that is there for writing at its end."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)

    def create_unnamed(self, folder: bytes) -> int:
        """Make a file without a name, gone when it is closed; return its descriptor."""
        try:
            return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except (AttributeError, OSError):  # not on this system, not on this file system
            fd, path = tempfile.mkstemp(dir=folder)
        try:
            os.unlink(path)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def write(self, fd: int, data: bytes | bytearray) -> None:
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
        except OSError as error:
            give_name(error, path)
            raise
        finally:
            os.close(fd)

    def open_folder(self, path: bytes) -> int:
        """Open a folder, and so the file system it is on."""
        return os.open(path, _FOLDER)

    def sync_all(self, fd: int) -> None:
        """Wait until all files and names of a file system are on disk, whichever program wrote them."""
        libc_calls.sync_file_system(fd)

    def sync_all_verified(self, fd: int) -> None:
        """Wait as ``sync_all`` does, and raise OSError too if the file system has given up."""
        libc_calls.sync_file_system(fd)
        libc_calls.sync_if_doubtful(fd)

    def is_syncfs_reliable(self, fd: int) -> bool:
        """Return whether ``sync_all`` does what it says on this file system."""
        return libc_calls.is_syncfs_reliable(fd)

    def device(self, fd: int) -> int:
        """Return the number of the file system that a descriptor is on."""
        return os.fstat(fd).st_dev

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def lock(self, fd: int) -> bool:
        """Lock an open file, until it is closed, if no other process has; return whether that was so."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def link(self, path: bytes, new_path: bytes) -> None:
        """Give a file another name; the new name must be free."""
        os.link(path, new_path, follow_symlinks=False)

    def link_open(self, fd: int, new_path: bytes) -> None:
        """Give an open file a name, also one that was made without; the name must be free (open(2))."""
        # With a descriptor of a folder, though none is needed, Python calls linkat(2): link(2) would not
        # follow.
        os.link(b"/proc/self/fd/%d" % fd, new_path, src_dir_fd=fd, follow_symlinks=True)

    def rename(self, path: bytes, new_path: bytes) -> None:
        """Rename, replacing what has the new name."""
        os.rename(path, new_path)

    def rename_to_free(self, path: bytes, new_path: bytes) -> None:
        """Rename; the new name must be free. Raises FileExistsError."""
        libc_calls.rename_to_free(path, new_path)

    def unlink(self, path: bytes) -> None:
        """Remove a name."""
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

    def open_at_once(self, path: bytes) -> int:
        """Open a file for reading; raise BlockingIOError where that takes a disk."""
        return libc_calls.open_at_once(path, _READ)

    def stat_at_once(self, path: bytes) -> os.stat_result:
        """Describe a path as ``stat`` does; raise BlockingIOError where that takes a disk.

        For file systems that are ``is_local``: others would ask another machine.
        """
        fd = libc_calls.open_at_once(path, _DESCRIBED)
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)

    def is_local(self, fd: int) -> bool:
        """Return whether a file system is known to be on disks of this machine alone."""
        return libc_calls.is_local(fd)

    def describe(self, fd: int) -> os.stat_result:
        """Describe an open file."""
        return os.fstat(fd)

    def read_at_once(self, fd: int, size: int, offset: int) -> bytes:
        """Read at most ``size`` octets from an offset, as many as are in memory; else OSError."""
        return libc_calls.read_at_once(fd, size, offset)

    def read_ahead(self, fd: int, size: int) -> None:
        """Have the first ``size`` octets read into memory, without waiting for them."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(fd, 0, size, os.POSIX_FADV_WILLNEED)

    def room(self, path: bytes) -> tuple[int, int]:
        """Return how many octets of a file system are free for this process, and how many it has."""
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize

    def free_inodes(self, path: bytes) -> int:
        """Return how many more files a file system can have; very many where it has no such number."""
        found = os.statvfs(path)
        return found.f_favail if found.f_files else sys.maxsize

    def touch(self, path: bytes) -> None:
        """Notify those who watch a folder; its times of access and modification stay."""
        os.chmod(path, stat.S_IMODE(os.stat(path).st_mode))

    def pause(self, seconds: float) -> None:
        """Wait, in a lane, for another program."""
        time.sleep(seconds)

    def is_running(self, process: int, since: float) -> bool:
        """Return whether there is a process of this number that may have run since a time."""
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

    def boot_id(self) -> str:
        """Return what is different after each start of the machine (or of the process, if unknown)."""
        with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
        return uuid.uuid4().hex

    # ------------------------------------------------------------ databases

    def connect(self, name: str, flags: int = _DATABASE, vfs: str | None = None) -> apsw.Connection:
        """Open a database by its path or URI; it is made where it is missing and ``flags`` say so."""
        return apsw.Connection(name, flags, vfs)

    def commit(self, connection: apsw.Connection) -> None:
        """Commit a transaction."""
        connection.execute("COMMIT")

    def checkpoint(self, connection: apsw.Connection) -> None:
        """Sync a database's log, and write it into the database as far as nobody reads it."""
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
