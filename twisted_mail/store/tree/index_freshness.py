"""Whether an index is still as it was when it was asked last, by its files alone."""

import os
from dataclasses import dataclass

from twisted_mail.interfaces import Clock
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.index.database import Version
from twisted_mail.store.tree.freshness import RACY_SECONDS


@dataclass(frozen=True, slots=True)
class IndexFiles:
    """Which file the index is, and what its log was like: every commit writes there."""

    file: tuple[int, int]
    log: tuple[int, int, int]  # inode, size, time of modification in nanoseconds


class KnownIndex:
    """The files of an account's index, and the version that it had when they were looked at.

    ``files`` and ``note`` are for the lane. ``version_now`` is for the reactor thread too, on a disk
    that is ``at_once``, while nothing is done in the lane.
    """

    def __init__(self, disk: Disk, account: bytes, clock: Clock) -> None:
        self._disk = disk
        self._clock = clock
        self._folder = account
        self._path = os.path.join(account, b"index.sqlite3")
        self._is_local: bool | None = None  # not asked yet
        self._known: tuple[IndexFiles, Version] | None = None

    def files(self) -> IndexFiles | None:
        """Return what the files are like now; None where there are none, and no log."""
        try:
            file, log = self._disk.stat(self._path), self._disk.stat(self._path + b"-wal")
        except OSError:
            return None
        return IndexFiles((file.st_dev, file.st_ino), (log.st_ino, log.st_size, log.st_mtime_ns))

    def note(self, files: IndexFiles | None, version: Version) -> None:
        """Note which version the index had after its files were like that.

        A log that is so young may be written again within one tick of the file system's clock.
        """
        self._known = None
        if files is None or not self._is_on_local_disk():
            return
        if self._clock.now() - files.log[2] / 1_000_000_000 > RACY_SECONDS:
            self._known = files, version

    def _is_on_local_disk(self) -> bool:
        if self._is_local is None:
            fd = self._disk.open_folder(self._folder)
            try:
                self._is_local = self._disk.is_local(fd)
            finally:
                self._disk.close(fd)
        return self._is_local

    def version_now(self) -> Version | None:
        """Return the version that was noted, if the files are as they were then."""
        if self._known is None:
            return None
        files, version = self._known
        return version if self.files() == files else None
