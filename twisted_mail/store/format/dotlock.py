"""The lock file that Dovecot makes before it writes a mailbox's lists: ``dovecot-uidlist.lock``.

It holds ``<process>:<host>``. As with Dovecot, a lock of this host is void when its process is gone,
and never before; any other when neither it nor the list was touched for two minutes. It is made by a
link to a file that has its contents already, so that only a power cut leaves an empty one, which is void
after ten seconds. A lock from before the machine's start names a process that is gone, whichever has its
number now.
"""

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import time

from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import read_file
from twisted_mail.store.disk.faults import give_name

PREFIX = b"lock."  # of files in tmp that are linked to be locks, and stay while a mailbox is in use
STALE_SECONDS = 120.0
EMPTY_SECONDS = 10.0
KEPT_SECONDS = (
    60.0  # of one file: once the clock was set, its locks would seem to precede the start
)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.002, 0.1  # seconds
_PAUSES = 60  # 5 seconds in all

# The locks that this process holds, by path: a lock with its number that is not among them was left
# by another process, which had the same number.
_held: set[bytes] = set()
_guard = threading.Lock()


class Dotlock:
    """The lock of the list at ``path``. Its holder may take it again.

    Our file in tmp stays there until ``forget``, to be linked again for a minute: to make one for each
    lock takes nine system calls, and ext4 without a journal looks, for each new file, at all inodes that
    were freed in the last minute: after a thousand locks, that took a millisecond.
    """

    def __init__(self, disk: Disk, path: bytes) -> None:
        self._disk = disk
        self._depth = 0
        self._is_ours = False
        self._name = b""  # of our file in tmp, while there is one
        self._inode = 0  # of that file, and so of the lock while it is held
        self._made_at = 0.0  # of that file, too
        self.move(path)

    def move(self, path: bytes) -> None:
        """Follow the list to another place."""
        self._list, self._path = path, path + b".lock"
        self._tmp = os.path.join(os.path.dirname(path), b"tmp/")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock. Raises Unavailable when another program does not release it in time."""
        self._depth += 1
        try:
            if self._depth == 1:
                self._take()
            yield
        finally:
            self._depth -= 1
            if self._depth == 0 and self._is_ours:
                self._release()

    def forget(self) -> None:
        """Remove our file in tmp."""
        if self._name:
            with suppress(OSError):
                self._disk.unlink(self._tmp + self._name)
            self._name = b""

    # ------------------------------------------------------------ taking

    def _take(self) -> None:
        if self._name:
            with suppress(FileNotFoundError):  # somebody has cleaned tmp
                if abs(time() - self._made_at) < KEPT_SECONDS and self._is_taken():
                    return
            self.forget()  # the next is as young as whoever waits has to know
        try:
            self._wait(self._written())
        except BaseException:
            self.forget()
            raise

    def _written(self) -> os.stat_result:
        """Write the contents of the lock to a file in tmp, and describe it."""
        self._name = PREFIX + b"%d.%s" % (os.getpid(), secrets.token_hex(8).encode())
        path = self._tmp + self._name
        fd = self._disk.create(path)
        try:
            self._disk.write(fd, _signature())
        except OSError as error:
            give_name(error, path)
            raise
        finally:
            self._disk.close(fd)
        made = self._disk.stat(path)
        self._inode, self._made_at = made.st_ino, made.st_mtime
        return made

    def _wait(self, made: os.stat_result) -> None:
        now = made.st_mtime  # the file system's time
        pause = _FIRST_PAUSE
        for _ in range(_PAUSES):
            if self._is_taken():
                return
            found = self._stale(now)
            if found is not None:
                self._override(found, self._tmp + self._name + b".old")
                continue
            self._disk.pause(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        raise Unavailable("The mailbox is being changed by another program.")

    def _is_taken(self) -> bool:
        with _guard:
            if self._path in _held:  # by another store of this process
                return False
            try:
                self._disk.link(self._tmp + self._name, self._path)
            except FileExistsError:
                return False
            _held.add(self._path)
            self._is_ours = True
        return True

    # ------------------------------------------------------------ stale locks

    def _stale(self, now: float) -> os.stat_result | None:
        """Describe the lock that is there, if no process can hold it any more."""
        try:
            found = self._disk.stat(self._path)
            data = read_file(self._disk, self._path, 512) or b""
        except FileNotFoundError:
            return None
        process = _process(data)
        if process == os.getpid():
            with _guard:
                return None if self._path in _held else found
        if process is not None:
            return None if self._disk.is_running(process, found.st_mtime) else found
        if not data:
            return found if now - found.st_mtime > EMPTY_SECONDS else None
        return found if now - self._touched(found) > STALE_SECONDS else None

    def _touched(self, lock: os.stat_result) -> float:
        times = [lock.st_mtime, lock.st_ctime]
        with suppress(FileNotFoundError):
            times.append(self._disk.stat(self._list).st_mtime)
        return max(times)

    def _override(self, found: os.stat_result, aside: bytes) -> None:
        """Put a stale lock aside, and back if it has become another one meanwhile."""
        with suppress(FileNotFoundError):
            self._disk.rename(self._path, aside)
            if self._disk.stat(aside).st_ino != found.st_ino:
                with suppress(FileExistsError):
                    self._disk.link(aside, self._path)
            self._disk.unlink(aside)

    # ------------------------------------------------------------ releasing

    def _release(self) -> None:
        """Remove the lock, unless another program thought it stale and has made another."""
        _held.discard(self._path)
        self._is_ours = False
        with suppress(OSError):
            if self._disk.stat(self._path).st_ino == self._inode:
                self._disk.unlink(self._path)


def _signature() -> bytes:
    return b"%d:%s" % (os.getpid(), os.fsencode(socket.gethostname()))


def _process(data: bytes) -> int | None:
    """Return the process that a lock names, if it is one of this host."""
    number, _, host = data.rstrip(b"\n").partition(b":")
    is_ours = host == os.fsencode(socket.gethostname())
    return (int(number) or None) if is_ours and number.isdigit() and len(number) <= 10 else None
