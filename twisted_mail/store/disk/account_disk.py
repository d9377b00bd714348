"""The disk as one account's lane uses it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.own_file_events import OwnFileEvents, RecordingDisk


class AccountDisk(RecordingDisk):
    """The system calls of a disk, recorded; looks can be done at once. For one thread at a time."""

    def __init__(self, disk: Disk, own: OwnFileEvents) -> None:
        super().__init__(disk, own)
        self._stat = disk.stat

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
