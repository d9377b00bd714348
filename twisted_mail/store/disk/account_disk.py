"""The disk as one account's lane uses it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.recording import OwnFileEvents, RecordingDisk


class AccountDisk(RecordingDisk):
    """The system calls of a disk, recorded; syncs can be joined, and looks be done at once.

    For one thread at a time.
    """

    def __init__(self, disk: Disk, own: OwnFileEvents) -> None:
        super().__init__(disk, own)
        self._joined: int | None = None  # the file system that is synced at the end, if one is
        self._stat = disk.stat

    @contextmanager
    def joined_syncs(self, path: bytes) -> Iterator[None]:
        """Make durable at the end, by one sync, what is written meanwhile on the file system of a folder.

        Only what nobody hears of, or relies on, before the end may be written. Where a file system cannot
        be synced as one, everything is synced by itself, as elsewhere. An exception leaves it unsynced.
        """
        fd = self.open_folder(path)
        try:
            if self.is_syncfs_reliable(fd):
                self._joined = self.device(fd)
            try:
                yield
            finally:
                is_joined, self._joined = self._joined is not None, None
            if is_joined:
                self.sync_all_verified(fd)
        finally:
            self.close(fd)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have ``stat`` never wait meanwhile: it raises BlockingIOError where it would."""
        self._stat = self._disk.stat_at_once
        try:
            yield
        finally:
            self._stat = self._disk.stat

    def stat(self, path: bytes) -> os.stat_result:
        """Describe a path itself, not what a symbolic link leads to."""
        return self._stat(path)

    def sync_file(self, fd: int) -> None:
        """Wait until the file's contents are on disk."""
        if self._joined is None or self.device(fd) != self._joined:
            self._disk.sync_file(fd)

    def sync_data(self, fd: int) -> None:
        """Wait until the file's contents and length are on disk, its dates perhaps not."""
        if self._joined is None or self.device(fd) != self._joined:
            self._disk.sync_data(fd)

    def sync_folder(self, path: bytes) -> None:
        """Wait until the names in a folder are on disk."""
        if self._joined is None or self.stat(path).st_dev != self._joined:
            self._disk.sync_folder(path)
