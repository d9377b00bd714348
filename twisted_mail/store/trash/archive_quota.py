"""How much of an account's expunged mail is kept: as much as its quota once more, the oldest out first.

Without this, whoever appends and expunges again and again fills the disk within their quota. What an
account without a quota expunges is bounded by its days alone. Everything here runs in the account's lane.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from twisted_mail.store.disk.durable import remove_tree
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.quota import Quota, Usage
from twisted_mail.store.trash import expunged_archive

MEASURE_SECONDS = 3600.0  # after which it is measured again, with what the purge has removed
_SPARE = 10  # a tenth of the quota is made free at once, so that it is not measured each time


class _Kept(NamedTuple):
    """An expunged file, or a mailbox that was deleted: since when it is here, and what it takes."""

    when: int
    path: bytes
    usage: Usage


class ArchiveQuota:
    """The expunged files of one account, in its folder for these, within its quota."""

    def __init__(self, environment: StoreEnvironment, path: bytes) -> None:
        self._disk = environment.disk
        self._clock = environment.clock
        self._faults = environment.faults
        self._path = path
        self._usage = Usage()
        self._measured_at: float | None = None

    def keep_within(self, quota: Quota, coming: Usage) -> None:
        """Remove the oldest until what comes has room beside the rest, and count it in.

        Errors are reported, and keep nobody from expunging.
        """
        if not quota.is_set:
            return
        try:
            if self._is_due():
                self._measure()
            if not quota.holds(self._usage.plus(coming)):
                self._free(_smaller(quota), coming, self._measure())
        except OSError as error:
            self._faults.note(self._path, error)
        self._usage = self._usage.plus(coming)

    def _is_due(self) -> bool:
        now = self._clock.monotonic()
        return self._measured_at is None or not 0 <= now - self._measured_at < MEASURE_SECONDS

    def _measure(self) -> list[_Kept]:
        """Find all that is kept, the oldest first, and count it."""
        found = sorted(self._find())
        self._usage = _sum(found)
        self._measured_at = self._clock.monotonic()
        return found

    def _free(self, quota: Quota, coming: Usage, found: list[_Kept]) -> None:
        for kept in found:
            if quota.holds(self._usage.plus(coming)):
                return
            with suppress(FileNotFoundError):  # purged meanwhile
                if stat.S_ISDIR(self._disk.stat(kept.path).st_mode):
                    remove_tree(self._disk, kept.path)
                else:
                    self._disk.unlink(kept.path)
            octets, messages = self._usage
            self._usage = Usage(octets - kept.usage.octets, messages - kept.usage.messages)

    def _find(self) -> Iterator[_Kept]:
        for day in self._names(self._path):
            for inner in self._names(day):
                name = os.path.basename(inner)
                if name == expunged_archive.INBOX or name.startswith(b"."):
                    yield from self._files(inner)
                else:  # a mailbox that was deleted: its name begins with the time
                    seconds = name.partition(b".")[0]
                    yield _Kept(int(seconds) if seconds.isdigit() else 0, inner, self._tree(inner))

    def _files(self, folder: bytes) -> Iterator[_Kept]:
        for path in self._names(folder):
            parsed = expunged_archive.parse(os.path.basename(path))
            usage = self._tree(path)
            yield _Kept(parsed.when if parsed is not None else 0, path, usage)

    def _tree(self, path: bytes) -> Usage:
        """Return what a file takes, or all files below a folder."""
        try:
            found = self._disk.stat(path)
        except FileNotFoundError:
            return Usage()
        if not stat.S_ISDIR(found.st_mode):
            return Usage(found.st_size, 1)
        usage = Usage()
        for inner in self._names(path):
            usage = usage.plus(self._tree(inner))
        return usage

    def _names(self, folder: bytes) -> list[bytes]:
        try:
            return [os.path.join(folder, name) for name in self._disk.names(folder)]
        except (FileNotFoundError, NotADirectoryError):
            return []


def _sum(found: list[_Kept]) -> Usage:
    octets = sum(kept.usage.octets for kept in found)
    return Usage(octets, sum(kept.usage.messages for kept in found))


def _smaller(quota: Quota) -> Quota:
    """Return a little less than a quota; what is not set stays so."""
    return Quota(_less(quota.octets), _less(quota.messages))


def _less(limit: int) -> int:
    return max(1, limit - limit // _SPARE) if limit else 0
