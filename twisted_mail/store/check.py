"""Looking at one account on disk without changing anything: what is not as it should be.

Other programs and the server may be at work meanwhile, so what is found once is looked for again, and
only what is found twice is told.
"""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from twisted_mail.mail.entry import UNKNOWN
from twisted_mail.mail.numbers import MAX_NUMBER
from twisted_mail.store import filename, layout, peek, subscriptions, uidlist
from twisted_mail.store.durable import Disk, read_file
from twisted_mail.store.peek import Known, Peek
from twisted_mail.store.rows import Row

OLD_SECONDS = 36 * 3600  # maildir(5): then a file in tmp belongs to nobody
DAMAGED = b"index.sqlite3.damaged"
HIDDEN_SECONDS = 3600  # no mailbox takes longer to make or to remove
_PIECE = 1024 * 1024


class Finding(NamedTuple):
    """One thing: the mailbox (empty for the account), its kind, what it is in words, and its file."""

    mailbox: str
    kind: str
    text: str
    subject: bytes = b""


class File(NamedTuple):
    """One message file: its base name, tail, and path."""

    base: bytes
    tail: bytes
    path: bytes


class Check:
    """A look at one account; with ``reads`` every message is read to its end.

    ``step`` is told of each file. ``mailboxes`` and ``messages`` count what was seen.
    """

    def __init__(
        self,
        disk: Disk,
        path: bytes,
        now: float,
        reads: bool = True,
        step: Callable[[], object] = lambda: None,
    ) -> None:
        self._disk = disk
        self._path = path
        self._maildir = os.path.join(path, b"Maildir")
        self._now = now
        self._reads = reads
        self._step = step
        self.mailboxes = 0
        self.messages = 0
        self._sizes: dict[bytes, int] = {}  # of one mailbox's files

    def findings(self) -> list[Finding]:
        """Return what is not as it should be."""
        self.mailboxes = self.messages = 0
        seen = peek.look(self._disk, self._path)
        return [*self._of_account(seen), *self._of_mailboxes(seen)]

    # ------------------------------------------------------------ the account

    def _of_account(self, seen: Peek) -> Iterator[Finding]:
        if seen.fault:
            yield Finding("", "index", seen.fault)
        for name in self._disk.names(self._path):
            if name.startswith(DAMAGED):
                text = f"{_shown(name)} is left of an index that was damaged; it holds no mail"
                yield Finding("", "leftover", text, os.path.join(self._path, name))
        listed = read_file(self._disk, os.path.join(self._maildir, subscriptions.FILE))
        if listed and not subscriptions.parse(listed) and listed.strip(b"V\t2\n"):
            yield Finding("", "subscriptions", "the file of subscriptions cannot be understood")

    def _of_mailboxes(self, seen: Peek) -> Iterator[Finding]:
        for name in sorted([layout.INBOX, *self._disk.names(self._maildir)]):
            path = os.path.join(self._maildir, name) if name else self._maildir
            if name.startswith(b".."):
                yield from self._hidden(name, path)
            elif not name or (name.startswith(b".") and self._is_folder(path)):
                mailbox = layout.mailbox_name(name)
                if mailbox is None:
                    text = f"the folder {_shown(name)} has no name that clients can be told"
                    yield Finding("", "name", text, path)
                else:
                    yield from self._of_mailbox(mailbox, path, seen.known.get(name))

    def _hidden(self, name: bytes, path: bytes) -> Iterator[Finding]:
        if self._is_older(path, HIDDEN_SECONDS):
            text = f"{_shown(name)} is left of a mailbox that was being made or removed"
            yield Finding("", "leftover", text, path)

    def _is_folder(self, path: bytes) -> bool:
        try:
            return stat.S_ISDIR(self._disk.stat(path).st_mode)
        except FileNotFoundError:
            return False

    def _is_older(self, path: bytes, seconds: float) -> bool:
        try:
            return self._disk.stat(path).st_mtime < self._now - seconds
        except FileNotFoundError:
            return False

    # ------------------------------------------------------------ one mailbox

    def _of_mailbox(self, mailbox: str, path: bytes, known: Known | None) -> Iterator[Finding]:
        self.mailboxes += 1
        missing = [p for p in layout.PLACES if not self._is_folder(os.path.join(path, p))]
        for place in missing:
            yield Finding(mailbox, "folder", f"the folder {_shown(place)} is missing")
        if b"tmp" not in missing:
            yield from self._tmp(mailbox, os.path.join(path, b"tmp"))
        self._sizes = {}
        files: list[File] = []
        for place in (b"new", b"cur"):
            if place not in missing:
                yield from self._list(mailbox, path, place, files)
        for file in files:
            yield from self._file(mailbox, file)
        data = read_file(self._disk, os.path.join(path, uidlist.FILE))
        yield from _list_findings(mailbox, data, known)
        listed = None if data is None else uidlist.parse(data)
        if known is not None:
            by_base = {file.base: file for file in files}
            yield from _index_findings(mailbox, known, by_base, self._sizes, listed)

    def _tmp(self, mailbox: str, path: bytes) -> Iterator[Finding]:
        for name in self._disk.names(path):
            file = os.path.join(path, name)
            if self._is_older(file, OLD_SECONDS):
                text = f"tmp/{_shown(name)} was never finished"
                yield Finding(mailbox, "leftover", text, file)

    def _list(
        self, mailbox: str, path: bytes, place: bytes, files: list[File]
    ) -> Iterator[Finding]:
        for name in sorted(self._disk.names(os.path.join(path, place))):
            file = os.path.join(path, place, name)
            if filename.is_listable(name):
                base, rest = filename.split(name)
                files.append(File(base, place[:1] + rest, file))
            elif not name.startswith(b"."):
                text = f"{_shown(place)}/{_shown(name)} cannot stand in a list of UIDs"
                yield Finding(mailbox, "name", text, file)

    # ------------------------------------------------------------ one file

    def _file(self, mailbox: str, file: File) -> Iterator[Finding]:
        self.messages += 1
        self._step()
        where = _shown(os.path.join(*file.path.split(b"/")[-2:]))
        try:
            found = self._disk.stat(file.path)
        except FileNotFoundError:
            return  # renamed or expunged just now
        if not stat.S_ISREG(found.st_mode):
            yield Finding(mailbox, "strange", f"{where} is no file", file.path)
            return
        stored, wire = filename.sizes(file.base)
        size = self._sizes[file.base] = found.st_size
        try:
            lone = self._lone_line_ends(file.path)
        except FileNotFoundError:
            return
        except OSError as error:
            yield Finding(mailbox, "unreadable", f"{where}: {error.strerror}", file.path)
            return
        if not size:
            yield Finding(mailbox, "empty", f"{where} is empty", file.path)
        elif stored is not None and stored != size:
            less = "its end is missing, or its name is wrong: " if size < stored else ""
            text = f"{where}: {less}the name says {stored} octets, it has {size}"
            yield Finding(mailbox, "size", text, file.path)
        elif wire is not None and lone is not None and wire != size + lone:
            text = f"{where}: the name says {wire} octets on the wire, it has {size + lone}"
            yield Finding(mailbox, "size", text, file.path)

    def _lone_line_ends(self, path: bytes) -> int | None:
        """Return how many LF stand without CR; None when the file is not to be read."""
        fd = self._disk.open(path)
        try:
            return count_lone(self._disk, fd) if self._reads else None
        finally:
            self._disk.close(fd)


def count_lone(disk: Disk, fd: int) -> int:
    """Return how many LF of a file stand without CR."""
    at = number = 0
    last = b""
    while piece := disk.read(fd, _PIECE, at):
        number += piece.count(b"\n") - piece.count(b"\r\n")
        number -= last == b"\r" and piece.startswith(b"\n")
        at, last = at + len(piece), piece[-1:]
    return number


# ---------------------------------------------------------------- lists of UIDs


def _list_findings(mailbox: str, data: bytes | None, known: Known | None) -> Iterator[Finding]:
    if data is None:
        if known is not None and known.rows:
            yield Finding(mailbox, "list", "the list of UIDs is missing")
        return
    header, _, rest = data.partition(b"\n")
    listed = uidlist.parse(data)
    if listed is None:
        yield Finding(mailbox, "list", "the list of UIDs has no valid first line")
        return
    if not header.startswith(b"3 "):
        return  # an older format, which is read as it is
    yield from _line_findings(mailbox, rest)
    if known is not None and listed.uidvalidity != known.uidvalidity:
        text = (
            f"the list of UIDs has UIDVALIDITY {listed.uidvalidity}, the index {known.uidvalidity}"
        )
        yield Finding(mailbox, "list", text)


def _line_findings(mailbox: str, rest: bytes) -> Iterator[Finding]:
    lines = rest.split(b"\n")
    if lines.pop():
        yield Finding(mailbox, "list", "the last line of the list of UIDs is torn")
    highest = torn = falling = 0
    uids: Counter[int] = Counter()
    bases: Counter[bytes] = Counter()
    for line in lines:
        number, base = _record(line)
        uid = int(number) if number.isdigit() and len(number) <= 10 else 0
        if not base or not 0 < uid <= MAX_NUMBER:
            torn += 1
            continue
        falling += uid < highest
        highest = max(highest, uid)
        uids[uid] += 1
        bases[base] += 1
    twice = [uid for uid, number in uids.items() if number > 1]
    doubled = sum(number > 1 for number in bases.values())
    if torn:
        yield Finding(mailbox, "list", f"{torn} lines of the list of UIDs cannot be read")
    if twice:
        some = ", ".join(map(str, twice[:5]))
        yield Finding(mailbox, "list", f"UIDs stand for two messages each in the list: {some}")
    if doubled:
        yield Finding(mailbox, "list", f"{doubled} messages stand in the list of UIDs twice")
    if falling:
        yield Finding(mailbox, "list", f"UIDs fall {falling} times in the list of UIDs")


def _record(line: bytes) -> tuple[bytes, bytes]:
    """Return the UID, as it is written, and the base name of a line."""
    head, _, name = line.partition(b" :")
    return head.partition(b" ")[0], name.partition(b":")[0]


# ---------------------------------------------------------------- the index


def _index_findings(
    mailbox: str,
    known: Known,
    files: dict[bytes, File],
    sizes: dict[bytes, int],
    listed: uidlist.UidList | None,
) -> Iterator[Finding]:
    letters = known.letters
    for row in known.rows:
        where = f"the message with UID {row.uid}"
        file = files.get(row.base)
        uid = None if listed is None else listed.uid(row.base)
        if file is None:
            text = f"{where} has no file: another program removed it, or it is lost"
            yield Finding(mailbox, "missing", text, row.base)
            continue
        if listed is not None and listed.uidvalidity == known.uidvalidity and uid != row.uid:
            says = f"says {uid}" if uid else "does not know it"
            yield Finding(mailbox, "uid", f"{where}: the list of UIDs {says}", row.base)
        size = sizes.get(row.base, row.stored)
        if row.date != UNKNOWN and row.stored != size:
            text = f"{where}: the index says {row.stored} octets, its file has {size}"
            yield Finding(mailbox, "stored", text, row.base)
        if row.tail == file.tail and _told(row, letters) != {*filename.letters(row.tail)}:
            text = f"{where}: the index has other flags than the name of its file"
            yield Finding(mailbox, "flags", text, row.base)


def _told(row: Row, letters: dict[str, str]) -> set[str]:
    """Return the letters that a row's flags ask for, with those nobody knows."""
    return {*filename.letters(filename.tail_of(row.flags, letters, row.tail))}


def _shown(name: bytes) -> str:
    return os.fsdecode(name).encode("utf-8", "replace").decode()
