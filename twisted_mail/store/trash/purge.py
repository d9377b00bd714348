"""Removing what was expunged long ago: all accounts, one after the other, a little at a time.

It needs no account's lane and no index. It may stop anywhere, and several processes may do it at once.
"""

import os
from contextlib import suppress

from twisted_mail.interfaces import Blocking, Clock
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import UNREPORTED, DiskFaults
from twisted_mail.store.trash import expunged_archive

FIRST_SECONDS = 60.0  # after the start
PASS_SECONDS = 3600.0  # from the beginning of one pass to that of the next
ACCOUNTS = 200  # looked at in one step
FILES = 500  # removed in one step


class ExpungedPurge:
    """Goes through all accounts below ``root``; to be asked for a step every second or so."""

    def __init__(
        self,
        disk: Disk,
        clock: Clock,
        blocking: Blocking,
        root: bytes,
        days: int,
        faults: DiskFaults = UNREPORTED,
    ) -> None:
        self._disk = disk
        self._faults = faults
        self._clock = clock
        self._blocking = blocking
        self._root = root
        self._days = days
        self._due = clock.monotonic() + FIRST_SECONDS
        self._domains: list[bytes] = []
        self._accounts: list[bytes] = []  # of the last domain

    async def step(self) -> int:
        """Do a little, unless there is nothing to do; return how many files were removed."""
        now = self._clock.monotonic()
        with suppress(Unavailable):
            if not self._domains and now >= self._due:
                self._due = now + PASS_SECONDS
                self._domains = await self._blocking.run(self._names, self._root)
            if self._domains:
                return await self._blocking.run(self._purge_some)
        return 0

    def _purge_some(self) -> int:
        domain = os.path.join(self._root, self._domains[-1])
        if not self._accounts:
            self._accounts = self._names(domain)
        left = FILES
        for _ in range(min(ACCOUNTS, len(self._accounts))):
            account = os.path.join(domain, self._accounts[-1])
            now = self._clock.now()
            left -= expunged_archive.purge(self._disk, account, self._days, now, left, self._faults)
            if left <= 0:
                return FILES
            self._accounts.pop()
        if not self._accounts:
            self._domains.pop()
        return FILES - left

    def _names(self, path: bytes) -> list[bytes]:
        try:
            return sorted(self._disk.names(path))
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            self._faults.note(path, error)
        return []
