"""Disks that stop, fail, or lose what was not synced, for tests of what must survive."""

import errno
import fcntl
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import apsw

from twisted_mail.store.disk.calls import Disk

STEPS = [
    "create",
    "create_unnamed",
    "overwrite",
    "extend",
    "write",
    "date",
    "sync_file",
    "sync_data",
    "sync_folder",
    "sync_all",
    "sync_all_verified",
    "link",
    "link_open",
    "rename",
    "rename_to_free",
    "unlink",
    "make_folder",
    "remove_folder",
    "connect",
    "commit",
    "checkpoint",
]
ON_DATABASES = frozenset({"connect", "commit", "checkpoint"})
TAKING_ROOM = frozenset(
    {
        "create",
        "create_unnamed",
        "overwrite",
        "extend",
        "write",
        "link",
        "make_folder",
        "connect",
        "commit",
        "checkpoint",
    }
)
SYNCING = frozenset({"sync_file", "sync_data", "sync_folder", "sync_all", "sync_all_verified"})
AT_ONCE = ["stat_at_once", "open_at_once", "describe", "read_at_once"]
READING = ["names", "files", "stat", "open", "open_folder", "read", "read_ahead", *AT_ONCE]
OPENING = frozenset(
    {
        "create",
        "create_unnamed",
        "overwrite",
        "extend",
        "open",
        "open_folder",
        "names",
        "files",
        "connect",
    }
)

# What apsw raises where a system call of SQLite's own fails.
DATABASE_ERRORS = {
    errno.EIO: apsw.IOError,
    errno.ENOSPC: apsw.FullError,
    errno.EDQUOT: apsw.FullError,
    errno.EROFS: apsw.ReadOnlyError,
    errno.EMFILE: apsw.CantOpenError,
}

_one_at_a_time = Lock()


class Stopped(BaseException):
    """The process is no more."""


class QuickDisk(Disk):
    """Waits for nothing, and asks the system once which start of the machine this is."""

    boot = Disk().boot_id()

    def boot_id(self) -> str:
        return self.boot

    def sync_file(self, fd: int) -> None: ...

    def sync_data(self, fd: int) -> None: ...

    def sync_folder(self, path: bytes) -> None:
        os.stat(path)

    def sync_all(self, fd: int) -> None: ...

    def sync_all_verified(self, fd: int) -> None: ...

    def is_syncfs_reliable(self, fd: int) -> bool:
        return True

    def is_local(self, fd: int) -> bool:
        return True

    def stat_at_once(self, path: bytes) -> os.stat_result:
        return self.stat(path)


class CachedDisk(QuickDisk):
    """Has all files in memory; what is opened and read at once is counted."""

    def __init__(self) -> None:
        self.opens_at_once = self.reads_at_once = 0
        self.reads_ahead = 0
        self.can_read_ahead = True

    def open_at_once(self, path: bytes) -> int:
        self.opens_at_once += 1
        return self.open(path)

    def read_at_once(self, fd: int, size: int, offset: int) -> bytes:
        self.reads_at_once += 1
        return self.read(fd, size, offset)

    def read_ahead(self, fd: int, size: int) -> None:
        if not self.can_read_ahead:
            raise OSError(errno.EIO, "cannot be read ahead")
        self.reads_ahead += 1


class HalfCachedDisk(CachedDisk):
    """Has files in memory by chance: some calls would wait, some have the beginning only."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        self.chance = random.Random(seed)

    def open_at_once(self, path: bytes) -> int:
        self._wait_by_chance()
        return super().open_at_once(path)

    def read_at_once(self, fd: int, size: int, offset: int) -> bytes:
        self._wait_by_chance()
        return super().read_at_once(fd, self.chance.choice([size, size // 2]), offset)

    def _wait_by_chance(self) -> None:
        if self.chance.random() < 0.3:
            raise BlockingIOError(errno.EAGAIN, "as told")


class StopDisk(QuickDisk):
    """Stops the world before its n-th step; ``done`` are the steps before."""

    def __init__(self, stop_at: int) -> None:
        self.stop_at = stop_at
        self.done: list[str] = []
        self.locked: list[int] = []

    def step(self, name: str) -> None:
        if len(self.done) >= self.stop_at:
            while self.locked:  # the kernel does so when a process ends
                fcntl.flock(self.locked.pop(), fcntl.LOCK_UN)
            raise Stopped(name)
        self.done.append(name)

    def lock(self, fd: int) -> bool:
        self.locked.append(fd)
        return super().lock(fd)

    def close(self, fd: int) -> None:
        if fd in self.locked:
            self.locked.remove(fd)
        super().close(fd)


class VanishDisk(QuickDisk):
    """Before its n-th step, another program removes a folder with all that is in it."""

    def __init__(self, vanish_at: int, folder: Path) -> None:
        self.left = vanish_at
        self.folder = folder

    def step(self, name: str) -> None:
        self.left -= 1
        if self.left == -1:
            shutil.rmtree(self.folder, ignore_errors=True)


class FailDisk(CachedDisk):
    """Has all files in memory. Fails at its n-th step with ``error``: once, or ``for_good`` from then on.

    The steps that count are those ``for_good``, or else ``among``.
    """

    def __init__(
        self,
        fail_at: int,
        error: int,
        for_good: frozenset[str] = frozenset(),
        among: frozenset[str] = frozenset(STEPS),
    ) -> None:
        super().__init__()
        self.left = fail_at
        self.error = error
        self.for_good = for_good
        self.counted = for_good or among
        self.has_failed = False

    def step(self, name: str) -> None:
        if name not in self.counted:
            return
        self.left -= 1
        if self.left == -1 or (self.for_good and self.left < 0):
            self.has_failed = True
            if name in ON_DATABASES:
                raise DATABASE_ERRORS[self.error]("as told")
            raise OSError(self.error, "as told")


class BadFilesDisk(QuickDisk):
    """Calls fail for files with a word in their paths: ``bad[("open", b"word")] = errno.EACCES``."""

    def __init__(self) -> None:
        self.bad: dict[tuple[str, bytes], int] = {}

    def step(self, name: str, path: object) -> None:
        for (call, word), error in self.bad.items():
            if call == name and isinstance(path, bytes) and word in path:
                raise OSError(error, "as told", path)


def _bad(name: str) -> Callable[..., Any]:
    act = getattr(QuickDisk, name)

    def call(self: Any, path: object, *args: Any) -> Any:
        self.step(name, path)
        return act(self, path, *args)

    return call


for _name in (
    "open",
    "stat",
    "rename",
    "rename_to_free",
    "unlink",
    "link",
    "link_open",
    "names",
    "files",
    "remove_folder",
):
    setattr(BadFilesDisk, _name, _bad(_name))


def _stepping(name: str, disk: type[Disk] = QuickDisk) -> Callable[..., Any]:
    act = getattr(disk, name)

    def call(self: Any, *args: Any, **named: Any) -> Any:
        if not (isinstance(args[0], apsw.Connection) and args[0].filename == ""):  # in memory
            with _one_at_a_time:  # some syncs are done in threads
                self.step(name)
        return act(self, *args, **named)

    call.__name__ = name
    return call


for _disk in (StopDisk, FailDisk, VanishDisk):
    for _name in STEPS:
        setattr(_disk, _name, _stepping(_name))
for _name in READING:
    setattr(FailDisk, _name, _stepping(_name, CachedDisk))


@dataclass
class Event:
    """Something that a power cut takes back unless one of ``folders`` is synced first."""

    folders: set[bytes]
    take_back: Callable[[], None]


@dataclass
class Lengths:
    """The length of each file at its last sync."""

    synced: dict[bytes, int] = field(default_factory=dict)
    open: dict[int, bytes] = field(default_factory=dict)


class PowerDisk(StopDisk):
    """A disk that forgets, at ``cut``, every name and octet that was not synced.

    A rename is one event, as on every file system with a journal.
    """

    def __init__(self, stop_at: int, attic: Path) -> None:
        super().__init__(stop_at)
        self.attic = os.fsencode(attic)
        self.events: list[Event] = []
        self.lengths = Lengths()
        self.kept = 0
        self.renames: list[tuple[bytes, bytes]] = []
        os.mkdir(self.attic)

    def keep(self, path: bytes) -> bytes | None:
        """Keep a file that loses its name."""
        self.kept += 1
        kept = os.path.join(self.attic, b"%d" % self.kept)
        try:
            os.link(path, kept, follow_symlinks=False)
        except (FileNotFoundError, PermissionError):
            return None
        return kept

    def note(self, path: bytes, take_back: Callable[[], None], *more: bytes) -> None:
        folders = {os.path.dirname(each) for each in (path, *more)}
        self.events.append(Event(folders, take_back))

    def create(self, path: bytes) -> int:
        return self._opened(super().create(path), path, 0)

    def overwrite(self, path: bytes) -> int:
        return self._opened(super().overwrite(path), path, 0)

    def extend(self, path: bytes) -> int:
        return self._opened(super().extend(path), path, os.stat(path).st_size)

    def _opened(self, fd: int, path: bytes, length: int) -> int:
        self.lengths.open[fd] = path
        self.lengths.synced[path] = length
        if length == 0:
            self.note(path, lambda: _unlink(self.now(path)))
        return fd

    def now(self, path: bytes) -> bytes:
        """Return where something lies whose folder may have been renamed since."""
        for old, new in self.renames:
            if path.startswith(old + b"/") and not os.path.exists(old):
                path = new + path[len(old) :]
        return path

    def sync_file(self, fd: int) -> None:
        super().sync_file(fd)
        path = self.lengths.open[fd]
        self.lengths.synced[path] = os.fstat(fd).st_size

    sync_data = sync_file

    def sync_folder(self, path: bytes) -> None:
        super().sync_folder(path)
        with _one_at_a_time:
            self.events = [event for event in self.events if path not in event.folders]

    def sync_all(self, fd: int) -> None:
        super().sync_all(fd)
        self.events.clear()
        for path in self.lengths.synced:
            if os.path.exists(path):
                self.lengths.synced[path] = os.path.getsize(path)

    def sync_all_verified(self, fd: int) -> None:
        self.step("sync_all_verified")
        self.sync_all(fd)

    def link(self, path: bytes, new_path: bytes) -> None:
        super().link(path, new_path)
        self.note(new_path, lambda: _unlink(new_path))
        self._carry(path, new_path)

    def link_open(self, fd: int, new_path: bytes) -> None:
        super().link_open(fd, new_path)
        self._opened(fd, new_path, 0)

    def rename(self, path: bytes, new_path: bytes) -> None:
        replaced = self.keep(new_path)
        super().rename(path, new_path)

        def take_back() -> None:
            os.rename(new_path, path)
            if replaced:
                os.link(replaced, new_path)

        self.note(path, take_back, new_path)
        self.renames.append((path, new_path))
        self._carry(path, new_path)

    def rename_to_free(self, path: bytes, new_path: bytes) -> None:
        if os.path.lexists(new_path):
            raise FileExistsError(new_path)
        self.rename(path, new_path)

    def _carry(self, path: bytes, new_path: bytes) -> None:
        if path in self.lengths.synced:
            self.lengths.synced[new_path] = self.lengths.synced[path]

    def unlink(self, path: bytes) -> None:
        kept = self.keep(path)
        super().unlink(path)

        def take_back() -> None:
            _unlink(path)  # SQLite may have made another, which nothing here saw
            if kept is not None:
                os.link(kept, path)

        if kept is not None:
            self.note(path, take_back)

    def make_folder(self, path: bytes) -> None:
        super().make_folder(path)
        self.note(path, lambda: shutil.rmtree(self.now(path)))

    def remove_folder(self, path: bytes) -> None:
        super().remove_folder(path)
        self.note(path, lambda: os.mkdir(path))

    def cut(self) -> None:
        """Lose all that was not synced."""
        for path, length in self.lengths.synced.items():
            if os.path.exists(path) and os.path.getsize(path) > length:
                before = os.stat(path).st_mtime - 60  # a machine takes a while to start again
                os.truncate(path, length)
                os.utime(path, (before, before))
        for event in reversed(self.events):
            event.take_back()


def _unlink(path: bytes) -> None:
    if os.path.exists(path):
        os.unlink(path)
