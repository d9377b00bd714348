"""Where expunged files stay for some days: the folder ``expunged`` next to an account's maildir.

    expunged/2026-11-23/            the day, in UTC
        INBOX/  .Sent.2024/         files, by the folder of the mailbox that they were expunged from:
            1795423000.17.<base>:2,FS,$Work
        1795423000.M1P2Q3R4/        a mailbox that was deleted, as it was:
            .Sent.2024/

A file's name says when it was expunged, its UID, its base name, its letters, and its keywords, so that
no index is needed to bring it back. A file comes here by one rename, as durable as the removal from
its mailbox. Where that is not possible, or the disk is all but full, it is deleted instead, and the log
says so: the user asked for space.
"""

import errno
import hashlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from twisted_mail.interfaces import Clock
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, make_folders
from twisted_mail.store.disk.faults import UNREPORTED, DiskFaults
from twisted_mail.store.format import filename, layout
from twisted_mail.store.index.rows import Row

FOLDER = b"expunged"
INBOX = b"INBOX"  # the other mailboxes' folders begin with a dot
DAY_SECONDS = 86_400
# Octets that are to stay free on the disk, or a hundredth of a small one: with less, nothing is kept.
LEAST_ROOM = 64 * 1024 * 1024

# Errors that prevent keeping a file, but not removing it.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EXDEV, errno.EMLINK, errno.ENAMETOOLONG)
_DAY = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(rb"([0-9]{1,12})\.([0-9]{1,10})\.([^:]+):2,([^,]*)((?:,[^,]*)*)")


# ---------------------------------------------------------------- names


class ExpungedName(NamedTuple):
    """What the name of an expunged file says."""

    when: int
    uid: int
    base: bytes
    flags: Flags


def name(row: Row, when: float) -> bytes:
    """Return the name that the file of a message gets."""
    letters = filename.tail_of(row.flags, {})[4:]
    start, end = b"%d.%d." % (when, row.uid), b":2," + letters
    limit = layout.MAX_FILE_NAME - len(start) - len(end)
    base = row.base
    if len(base) > limit:
        base = hashlib.sha256(base).hexdigest().encode()
    for keyword in sorted(flag.keywords(row.flags)):
        coded = b"," + quote_from_bytes(keyword.encode(), safe="$+!#&@=^{}").encode()
        if len(base) + len(end) + len(start) + len(coded) <= layout.MAX_FILE_NAME:
            end += coded
    return start + base + end


def parse(label: bytes) -> ExpungedName | None:
    """Read the name of an expunged file; None for any other name."""
    match = _NAME.fullmatch(label)
    if match is None:
        return None
    keywords = (unquote_to_bytes(each).decode("utf-8", "replace") for each in match[5].split(b","))
    flags = filename.flags_of(b"c:2," + match[4], {})
    flags |= {keyword for keyword in keywords if flag.is_keyword(keyword)}
    return ExpungedName(int(match[1]), int(match[2]), match[3], flag.intern(flags))


def mailbox_folder(name: bytes) -> bytes:
    """Return the name, here, of a mailbox's folder in the maildir."""
    return name or INBOX


def _day(seconds: float) -> bytes:
    return time.strftime("%Y-%m-%d", time.gmtime(max(0, seconds))).encode()


# ---------------------------------------------------------------- keeping


class ArchiveFolder:
    """Where expunged files of one mailbox go today; ``path`` is empty when they can only be removed."""

    def __init__(self, disk: Disk, path: bytes, when: float, faults: DiskFaults) -> None:
        self._disk = disk
        self._faults = faults
        self._path = path
        self._when = when
        self._is_used = False

    def take(self, path: bytes, row: Row) -> Callable[[], object] | None:
        """Move the file of a message here; return what brings it back, if anything can.

        Raises OSError: FileNotFoundError where the file has another name now.
        """
        if self._path:
            kept = os.path.join(self._path, name(row, self._when))
            try:
                self._rename(path, kept)
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                self._faults.note(self._path, error)  # removed, and not kept
            else:
                self._is_used = True
                return partial(self._disk.rename, kept, path)
        self._disk.unlink(path)
        return None

    def _rename(self, path: bytes, kept: bytes) -> None:
        try:
            self._disk.rename(path, kept)
        except FileNotFoundError:
            if exists(self._disk, self._path):
                raise
            make_folders(self._disk, self._path)  # the folder was purged
            self._disk.rename(path, kept)

    def sync(self) -> None:
        """Make what was moved durable here, before its removal from the mailbox is."""
        if self._is_used:
            self._disk.sync_folder(self._path)


class ExpungedArchive:
    """The expunged files of one account, kept for ``days``; with 0, nothing is kept."""

    def __init__(
        self,
        disk: Disk,
        clock: Clock,
        account: bytes,
        days: int,
        faults: DiskFaults = UNREPORTED,
    ) -> None:
        self.disk = disk
        self._faults = faults
        self.path = os.path.join(account, FOLDER)
        self._clock = clock
        self._days = days

    def todays_folder(self, folder: bytes) -> ArchiveFolder:
        """Return where files of the mailbox in this folder of the maildir go now."""
        now = self._clock.now()
        return ArchiveFolder(
            self.disk, self._made(_day(now), mailbox_folder(folder)), now, self._faults
        )

    def mailbox_path(self, folder: bytes, unique: bytes) -> bytes:
        """Return the path that a whole mailbox can be moved to now, or nothing if there is none.

        ``unique`` is a name that begins with the seconds since 1970.
        """
        path = self._made(_day(self._clock.now()), unique)
        return os.path.join(path, folder) if path else b""

    def _made(self, *names: bytes) -> bytes:
        if self._days == 0:
            return b""
        path = os.path.join(self.path, *names)
        try:
            self._require_room()
            make_folders(self.disk, path)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            self._faults.note(path, error)  # what is expunged is removed, and not kept
            return b""
        return path

    def _require_room(self) -> None:
        """Raise OSError where keeping anything would leave the disk full: a rename needs no room."""
        free, size = self.disk.room(os.path.dirname(self.path))
        if free < min(LEAST_ROOM, size // 100):
            raise OSError(errno.ENOSPC, "the disk is all but full")


# ---------------------------------------------------------------- purging


def purge(
    disk: Disk, account: bytes, days: int, now: float, limit: int, faults: DiskFaults = UNREPORTED
) -> int:
    """Remove files of an account that were expunged more than ``days`` ago, at most ``limit``.

    Returns how many were removed: there may be more if it is ``limit``. What cannot be removed is
    reported, and the rest goes. Needs no lane: a file that is restored meanwhile is back already, or is
    found gone.
    """
    path = os.path.join(account, FOLDER)
    last = _day(now - days * DAY_SECONDS)
    removal = _Removal(disk, faults, limit)
    for day in removal.names(path):
        if _DAY.fullmatch(day) and day < last and removal.left > 0:
            removal.remove_folder(os.path.join(path, day))
    return limit - removal.left


@dataclass(slots=True)
class _Removal:
    """Removes folders with all that is in them, at most ``left`` files."""

    disk: Disk
    faults: DiskFaults
    left: int

    def names(self, path: bytes) -> list[bytes]:
        try:
            return sorted(self.disk.names(path))
        except FileNotFoundError:
            pass
        except OSError as error:
            self.faults.note(path, error)
        return []

    def remove_folder(self, path: bytes) -> None:
        for inner in self.names(path):
            if self.left <= 0:
                return
            self._remove(os.path.join(path, inner))
        if self.left <= 0:
            return
        try:
            self.disk.remove_folder(path)
        except OSError as error:  # of one that is not empty what is in it was reported
            if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                self.faults.note(path, error)

    def _remove(self, path: bytes) -> None:
        try:
            self.disk.unlink(path)
            self.left -= 1
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno == errno.EISDIR:
                self.remove_folder(path)
            else:
                self.faults.note(path, error)
