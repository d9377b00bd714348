"""Looking at one account on disk without changing anything: what is not as it should be.

Other programs and the server may be at work meanwhile, so what is found once is looked for again, and
only what is found twice is reported.
"""

import os
import stat
from collections.abc import Callable, Iterator

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import read_file
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.format import filename, keywords, layout, subscriptions, uidlist
from twisted_mail.store.format.dotlock import PREFIX
from twisted_mail.store.index import read_only
from twisted_mail.store.index.read_only import IndexedMailbox, IndexSnapshot
from twisted_mail.store.repair.findings import MessageFile, StoreFinding, of_index, of_list, shown

OLD_SECONDS = 36 * 3600  # maildir(5): then a file in tmp belongs to nobody
DAMAGED = b"index.sqlite3.damaged"
HIDDEN_SECONDS = 3600  # no mailbox takes longer to make or to remove
_PIECE = 1024 * 1024


class MaildirCheck:
    """A look at one account; with ``reads`` every message is read to its end.

    ``step`` is called for each file. ``mailboxes`` and ``messages`` count what was seen.
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
        self._is_whole = True  # so far all of a mailbox could be read

    def findings(self) -> list[StoreFinding]:
        """Return what is not as it should be."""
        self.mailboxes = self.messages = 0
        found: list[StoreFinding] = []
        seen = IndexSnapshot()
        try:
            seen = read_only.read_index(self._disk, self._path)
        except OSError as error:
            found.append(_unreadable("", self._path, error))
        found += self._readable("", self._path, self._of_account(seen))
        found += self._readable("", self._maildir, self._of_mailboxes(seen))
        return found

    def _readable(
        self, mailbox: str, path: bytes, found: Iterator[StoreFinding]
    ) -> Iterator[StoreFinding]:
        """Yield findings; what cannot be read is the last one of them, and ends nothing else."""
        try:
            yield from found
        except OSError as error:
            if not is_of_one_file(error):
                raise
            self._is_whole = False
            yield _unreadable(mailbox, path, error)

    # ------------------------------------------------------------ the account

    def _of_account(self, seen: IndexSnapshot) -> Iterator[StoreFinding]:
        if seen.fault:
            yield StoreFinding("", "index", seen.fault)
        for name in self._disk.names(self._path):
            if name.startswith(DAMAGED):
                text = f"{shown(name)} is left of an index that was damaged; it holds no mail"
                yield StoreFinding("", "leftover", text, os.path.join(self._path, name))
        yield from self._readable("", self._maildir, self._of_subscriptions())

    def _of_subscriptions(self) -> Iterator[StoreFinding]:
        listed = read_file(self._disk, os.path.join(self._maildir, subscriptions.FILE))
        if listed and not subscriptions.parse(listed) and listed.strip(b"V\t2\n"):
            yield StoreFinding(
                "", "subscriptions", "the file of subscriptions cannot be understood"
            )

    def _of_mailboxes(self, seen: IndexSnapshot) -> Iterator[StoreFinding]:
        for name in sorted([layout.INBOX, *self._disk.names(self._maildir)]):
            path = os.path.join(self._maildir, name) if name else self._maildir
            yield from self._readable("", path, self._of_name(name, path, seen))

    def _of_name(self, name: bytes, path: bytes, seen: IndexSnapshot) -> Iterator[StoreFinding]:
        if name.startswith(b".."):
            yield from self._hidden(name, path)
        elif not name or (name.startswith(b".") and self._is_folder(path)):
            mailbox = layout.mailbox_name(name)
            if mailbox is None:
                text = f"the folder {shown(name)} has no name that clients can be told"
                yield StoreFinding("", "name", text, path)
            else:
                yield from self._of_mailbox(mailbox, path, seen.known.get(name))

    def _hidden(self, name: bytes, path: bytes) -> Iterator[StoreFinding]:
        if self._is_older(path, HIDDEN_SECONDS):
            text = f"{shown(name)} is left of a mailbox that was being made or removed"
            yield StoreFinding("", "leftover", text, path)

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

    def _of_mailbox(
        self, mailbox: str, path: bytes, known: IndexedMailbox | None
    ) -> Iterator[StoreFinding]:
        self.mailboxes += 1
        missing = [p for p in layout.SUBFOLDERS if not self._is_folder(os.path.join(path, p))]
        for place in missing:
            yield StoreFinding(mailbox, "folder", f"the folder {shown(place)} is missing")
        if b"tmp" not in missing:
            tmp = os.path.join(path, b"tmp")
            yield from self._readable(mailbox, tmp, self._tmp(mailbox, tmp))
        self._sizes = {}
        self._is_whole = True
        self._listed: uidlist.UidList | None = None
        files: list[MessageFile] = []
        for place in (b"new", b"cur"):
            if place not in missing:
                listing = self._list(mailbox, path, place, files)
                yield from self._readable(mailbox, os.path.join(path, place), listing)
        has_all = self._is_whole  # else what the index says cannot be compared
        for file in files:
            yield from self._readable(mailbox, file.path, self._file(mailbox, file))
        for name, check in ((keywords.FILE, self._keywords), (uidlist.FILE, self._uid_list)):
            file_path = os.path.join(path, name)
            yield from self._readable(mailbox, file_path, check(mailbox, file_path, known))
        if known is not None and has_all:
            by_base = {file.base: file for file in files}
            yield from of_index(mailbox, known, by_base, self._sizes, self._listed)

    def _keywords(
        self, mailbox: str, path: bytes, known: IndexedMailbox | None
    ) -> Iterator[StoreFinding]:
        number = keywords.senseless_lines(read_file(self._disk, path) or b"")
        if number:
            text = f"{number} lines of {shown(keywords.FILE)} make no sense: their letters mean nothing"
            yield StoreFinding(mailbox, "keywords", text, path)

    def _uid_list(
        self, mailbox: str, path: bytes, known: IndexedMailbox | None
    ) -> Iterator[StoreFinding]:
        self._listed = None
        data = read_file(self._disk, path)
        yield from of_list(mailbox, data, known)
        self._listed = None if data is None else uidlist.parse(data)

    def _tmp(self, mailbox: str, path: bytes) -> Iterator[StoreFinding]:
        for name in self._disk.names(path):
            file = os.path.join(path, name)
            if not name.startswith(PREFIX) and self._is_older(file, OLD_SECONDS):
                text = f"tmp/{shown(name)} was never finished"
                yield StoreFinding(mailbox, "leftover", text, file)

    def _list(
        self, mailbox: str, path: bytes, place: bytes, files: list[MessageFile]
    ) -> Iterator[StoreFinding]:
        for name in sorted(self._disk.names(os.path.join(path, place))):
            file = os.path.join(path, place, name)
            if filename.is_listable(name):
                base, rest = filename.split(name)
                files.append(MessageFile(base, place[:1] + rest, file))
            elif not name.startswith(b"."):
                text = f"{shown(place)}/{shown(name)} cannot stand in a list of UIDs"
                yield StoreFinding(mailbox, "name", text, file)

    # ------------------------------------------------------------ one file

    def _file(self, mailbox: str, file: MessageFile) -> Iterator[StoreFinding]:
        self.messages += 1
        self._step()
        where = shown(os.path.join(*file.path.split(b"/")[-2:]))
        try:
            found = self._disk.stat(file.path)
        except FileNotFoundError:
            return  # renamed or expunged just now
        if not stat.S_ISREG(found.st_mode):
            yield StoreFinding(mailbox, "strange", f"{where} is no file", file.path)
            return
        stored, wire = filename.sizes(file.base)
        size = self._sizes[file.base] = found.st_size
        try:
            lone = self._lone_line_ends(file.path)
        except FileNotFoundError:
            return
        except OSError as error:
            yield StoreFinding(mailbox, "unreadable", f"{where}: {error.strerror}", file.path)
            return
        if not size:
            yield StoreFinding(mailbox, "empty", f"{where} is empty", file.path)
        elif stored is not None and stored != size:
            less = "its end is missing, or its name is wrong: " if size < stored else ""
            text = f"{where}: {less}the name says {stored} octets, it has {size}"
            yield StoreFinding(mailbox, "size", text, file.path)
        elif wire is not None and lone is not None and wire != size + lone:
            text = f"{where}: the name says {wire} octets on the wire, it has {size + lone}"
            yield StoreFinding(mailbox, "size", text, file.path)

    def _lone_line_ends(self, path: bytes) -> int | None:
        """Return how many LF stand without CR; None when the file is not to be read."""
        fd = self._disk.open(path)
        try:
            return count_lone(self._disk, fd) if self._reads else None
        finally:
            self._disk.close(fd)


def _unreadable(mailbox: str, path: bytes, error: OSError) -> StoreFinding:
    """Return the finding of a file or folder that cannot be read."""
    named = error.filename if isinstance(error.filename, bytes) else path
    return StoreFinding(mailbox, "unreadable", f"{shown(named)}: {error.strerror}", named)


def count_lone(disk: Disk, fd: int) -> int:
    """Return how many LF of a file stand without CR."""
    at = number = 0
    last = b""
    while piece := disk.read(fd, _PIECE, at):
        number += piece.count(b"\n") - piece.count(b"\r\n")
        number -= last == b"\r" and piece.startswith(b"\n")
        at, last = at + len(piece), piece[-1:]
    return number
