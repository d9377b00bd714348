"""The durable list of UIDs of one mailbox: ``dovecot-uidlist``, in Dovecot's version 3 format.

    3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
    25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,
    25017 W2481 :1276533073.M242911P3632.kurkku,S=2433

The header has the UIDVALIDITY, the next UID, and an identifier of the mailbox. What stands between a
UID and its file's base name are extensions, which are kept and not read. Lines are appended and
synced before any client sees a UID; lines of files that are gone stay until the list is rewritten
with a higher N. So the next UID is never below the last line, and no UID is given twice.
"""

import errno
import os
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from twisted_mail.mail.mailbox.numbers import MAX_NUMBER
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, extend_file, read_file, replace_file
from twisted_mail.store.format.dotlock import Dotlock

FILE = b"dovecot-uidlist"
DAMAGED = b".damaged"
# What has this name is no file, and will not become one. Other errors may pass, or be mended: then the
# list is there again, and with it the UIDs.
_NO_FILE = (errno.EISDIR, errno.ELOOP, errno.ENXIO, errno.ESPIPE)
_PIECE = 512  # lines that are made at once

Meanwhile = Callable[[list[int]], object]

_HEADER = re.compile(rb"3 ([^\n]*)")
_GUID = re.compile(rb" G([A-Za-z0-9_-]{1,255})(?![^ ])")
_OLD_HEADER = re.compile(rb"1 ([0-9]{1,10}) ([0-9]{1,10})")
_KNOWN = (b"V", b"N", b"G")
_RECORD = re.compile(rb"([1-9][0-9]{0,9})((?: [A-Za-z][^ \n]*)*) :([^:\n]+)(?::[^\n]*)?")
_OLD_RECORD = re.compile(rb"([1-9][0-9]{0,9})() ([^: \n][^:\n]*)(?::[^\n]*)?")


class UnusableList(Exception):
    """A file of this name gives no UIDs."""


@dataclass(slots=True)
class UidList:
    """What the file says: ``records`` are UID and extensions by base name.

    ``extra`` are fields of the header that mean nothing here, and are kept.

    ``is_sound`` is False when lines were left out that could not be read, the last one mostly: then
    nothing may be appended before the list is rewritten.
    """

    uidvalidity: int
    uidnext: int = 1
    guid: bytes = b""
    records: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    is_sound: bool = True
    extra: bytes = b""

    def uid(self, base: bytes) -> int | None:
        """Return the UID of a file."""
        record = self.records.get(base)
        return None if record is None else record[0]


def parse(data: bytes) -> UidList | None:
    """Read a list; None when it has no header that gives a UIDVALIDITY.

    A torn last line and lines that make no sense are left out.
    """
    header, _, rest = data.partition(b"\n")
    found = _parse_header(header)
    if found is None:
        return None
    pattern = _OLD_RECORD if header.startswith(b"1") else _RECORD
    lines = rest.split(b"\n")
    found.is_sound = pattern is _RECORD and lines.pop() == b"" and data.endswith(b"\n")
    taken: set[int] = set()
    for line in lines:
        match = pattern.fullmatch(line)
        uid = int(match[1]) if match else 0
        if match is None or uid > MAX_NUMBER or uid in taken:
            found.is_sound = False
            continue
        taken.add(uid)
        found.records[match[3]] = uid, match[2]
        found.uidnext = max(found.uidnext, uid + 1)
    return found


def _parse_header(line: bytes) -> UidList | None:
    if old := _OLD_HEADER.fullmatch(line):
        return _checked(UidList(int(old[1]), int(old[2])))
    match = _HEADER.fullmatch(line)
    fields = {part[:1]: part[1:] for part in match[1].split()} if match else {}
    numbers = [fields.get(key, b"") for key in (b"V", b"N")]
    if not all(number.isdigit() and len(number) <= 10 for number in numbers):
        return None
    extra = b" ".join(key + rest for key, rest in fields.items() if key not in _KNOWN)
    return _checked(UidList(int(numbers[0]), int(numbers[1]), fields.get(b"G", b""), extra=extra))


def _checked(found: UidList) -> UidList | None:
    found.uidnext = max(found.uidnext, 1)
    return found if 0 < found.uidvalidity <= MAX_NUMBER else None


def write(found: UidList) -> bytes:
    """Return the list as it stands in the file."""
    guid = b" G" + found.guid if found.guid else b""
    extra = b" " + found.extra if found.extra else b""
    header = b"3 V%d N%d%s%s\n" % (found.uidvalidity, found.uidnext, guid, extra)
    records = sorted((uid, extra, base) for base, (uid, extra) in found.records.items())
    return header + b"".join(b"%d%s :%s\n" % record for record in records)


def _lines(uids: Sequence[int], bases: Sequence[bytes]) -> bytes:
    """Return new lines; some at a time, which fit into a processor's cache."""
    lines = []
    for start in range(0, len(bases), _PIECE):
        some = bases[start : start + _PIECE]
        records: list[int | bytes] = [b""] * (2 * len(some))
        records[::2] = uids[start : start + _PIECE]
        records[1::2] = some
        lines.append(b"%d :%s\n" * len(some) % tuple(records))
    return b"".join(lines)


def new_guid() -> bytes:
    """Return a fresh identifier of a mailbox."""
    return secrets.token_hex(16).encode()


class UidFile:
    """The list on disk, and what is known of it without reading it again.

    ``uidvalidity`` is 0 until ``load`` or ``start``.
    """

    def __init__(self, disk: Disk, folder: bytes) -> None:
        self._disk = disk
        self._path = os.path.join(folder, FILE)
        self.lock = Dotlock(disk, self._path)
        self.uidvalidity = 0
        self.uidnext = 1
        self.stamp = ""
        self._is_sound = False

    def move(self, folder: bytes) -> None:
        """Follow the mailbox to another folder."""
        self._path = os.path.join(folder, FILE)
        self.lock.move(self._path)

    def current_stamp(self) -> str:
        """Return what changes when another program writes the file; empty when there is none."""
        try:
            stat = self._disk.stat(self._path)
        except FileNotFoundError:
            return ""
        return f"{stat.st_ino}.{stat.st_size}.{stat.st_mtime_ns}"

    def load(self, uidvalidity: int = 0) -> UidList | None:
        """Read the whole file; None where it is missing, cannot be used, or has another UIDVALIDITY.

        Raises OSError when it cannot be read now.
        """
        stamp = self.current_stamp()
        found = self._parsed()
        if found is None or uidvalidity not in (0, found.uidvalidity):
            return None
        self._know(found, stamp)
        return found

    def _parsed(self) -> UidList | None:
        try:
            data = read_file(self._disk, self._path)
        except OSError as error:
            if error.errno not in _NO_FILE:
                raise
            return None
        return None if data is None else parse(data)

    def set_aside(self) -> bytes | None:
        """Rename a file that cannot be used, for people to look at; return its path if there was one."""
        if not exists(self._disk, self._path) or self._parsed() is not None:
            return None
        self._disk.rename(self._path, self._path + DAMAGED)
        return self._path

    def id(self) -> str:
        """Return the identifier in the list's header; the UIDVALIDITY where there is none."""
        header = (read_file(self._disk, self._path, 512) or b"").partition(b"\n")[0]
        match = _GUID.search(header)
        return match[1].decode("ascii") if match else f"V{self.uidvalidity}"

    def trust(self, uidvalidity: int, uidnext: int, stamp: str) -> None:
        """Take what was known when the file had this stamp, instead of reading it."""
        self.uidvalidity, self.uidnext, self.stamp = uidvalidity, uidnext, stamp
        self._is_sound = True

    def start(self, found: UidList) -> None:
        """Write a list, in place of any that is there, durably."""
        self._know(found, "")
        self._is_sound = False  # unless the writing succeeds
        replace_file(self._disk, self._path, write(found))
        self.stamp = self.current_stamp()
        self._is_sound = True

    def append(self, bases: Sequence[bytes], meanwhile: Meanwhile | None = None) -> list[int]:
        """Give UIDs to files, durably; return them in the same order.

        ``meanwhile`` is called with them while the disk syncs: no client may see them yet.

        A caller that holds the lock from before it read the folder, until the files are where they
        belong, keeps Dovecot from giving them others.
        """
        with self.lock.held():
            return self._append(bases, meanwhile)

    def _append(self, bases: Sequence[bytes], meanwhile: Meanwhile | None) -> list[int]:
        self._catch_up()
        uids = list(range(self.uidnext, self.uidnext + len(bases)))
        if uids and uids[-1] >= MAX_NUMBER:
            raise Unavailable("The mailbox has no more numbers for messages.")
        self._is_sound = False  # a failure may leave half a line
        self.uidnext += len(bases)
        act = None if meanwhile is None else partial(meanwhile, uids)
        extend_file(self._disk, self._path, _lines(uids, bases), act)
        self.stamp = self.current_stamp()
        self._is_sound = True
        return uids

    def lines(self) -> int:
        """Return the number of files in the list, including those that are gone."""
        return (read_file(self._disk, self._path) or b"\n").count(b"\n") - 1

    def compact(self, present: Collection[bytes], uidnext: int) -> None:
        """Drop the lines of files below a UID that are gone; the next UID stays."""
        with self.lock.held():
            self._rewrite(present, uidnext)

    @property
    def seen(self) -> str:
        """Return the stamp by which ``trust`` may take the file as known; empty when it may not."""
        return self.stamp if self._is_sound else ""

    def is_stale(self) -> bool:
        """Return whether another program wrote the file since it was read."""
        return self.current_stamp() != self.stamp

    def _catch_up(self) -> None:
        if not self._is_sound or self.is_stale():
            self._rewrite(None)

    def _rewrite(self, present: Collection[bytes] | None, uidnext: int = 0) -> None:
        """Read again; write anew where lines are to go, or the file is damaged."""
        data = read_file(self._disk, self._path)
        found = None if data is None else parse(data)
        if found is None or found.uidvalidity != self.uidvalidity:
            raise Unavailable("The mailbox is being changed by another program.")
        found.uidnext = max(found.uidnext, self.uidnext)
        if present is None and found.is_sound:
            self._know(found, self.current_stamp())
            return
        if present is not None:
            found.records = _only(found, present, uidnext)
        self.start(found)

    def _know(self, found: UidList, stamp: str) -> None:
        self.uidvalidity, self.stamp = found.uidvalidity, stamp
        self.uidnext = max(self.uidnext, found.uidnext)
        self._is_sound = found.is_sound


def _only(
    found: UidList, present: Collection[bytes], uidnext: int
) -> dict[bytes, tuple[int, bytes]]:
    return {
        base: record
        for base, record in found.records.items()
        if record[0] >= uidnext or base in present
    }
