"""An mbox file, or a folder tree of them, as a source."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from twisted_mail.control.output import CommandError
from twisted_mail.control.store import mbox
from twisted_mail.control.store.importing import mbox_split
from twisted_mail.control.store.importing.mbox_split import MboxIndex
from twisted_mail.control.store.importing.source import MAX_MESSAGE, SourceMessage
from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.control.store.mbox import Dialect, MboxMessage
from twisted_mail.control.store.progress import GO_ON
from twisted_mail.control.store.skipped import BadItem, reason_of
from twisted_mail.store.format import mailbox_names

_PASSED_OVER = (b".msf", b".lock", b".dat", b".html", b".json", b".journal", b".sqlite")
_IN_PACKAGE = b"mbox"
MAX_DEPTH = 20


class _Range(NamedTuple):
    start: int
    stop: int


class MboxSource:
    """Fulfils ``source.ImportSource``. A file is the mailbox INBOX; in a folder each file is one.

    Raises CommandError where a file alone is no mbox.
    """

    def __init__(self, files: SourceFiles, dialect: Dialect = "mboxrd") -> None:
        self._files = files
        self._dialect = dialect
        self._bad: list[tuple[str, str]] = []
        self._paths: dict[str, bytes] = {}
        self._indexes: dict[str, MboxIndex] = {}
        self._states: dict[str, tuple[int, int, int]] = {}
        self._places: dict[bytes, _Range] = {}
        if files.file:
            self._take(files.file, "INBOX")
            for where, why in self._bad:
                raise CommandError(f"{where}: {why}")
            self._paths["INBOX"] = files.file
        else:
            self._find(b"", "", 0)

    def _find(self, folder: bytes, above: str, depth: int) -> None:
        names = self._names(folder)
        if self._is_package(folder, names):
            self._take(os.path.join(folder, _IN_PACKAGE), above.removesuffix("/") or "INBOX")
            names = [name for name in names if name not in (_IN_PACKAGE, b"table_of_contents")]
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith(b".") or name.endswith(_PASSED_OVER):
                continue
            plain = os.fsdecode(name.removesuffix(b".mbox").removesuffix(b".sbd"))
            mailbox = above + mailbox_names.printable(plain)
            if not self._files.is_folder(path):
                self._take(path, mailbox)
            elif depth < MAX_DEPTH:
                self._find(path, mailbox + "/", depth + 1)
            else:
                self._bad.append((self._files.shown(path), "it lies too deep in the source"))

    def _is_package(self, folder: bytes, names: Sequence[bytes]) -> bool:
        """Return whether a folder is one mailbox, as Apple Mail exports it: ``Sent.mbox/mbox``."""
        path = os.path.join(self._files.path, folder).rstrip(b"/")
        return path.endswith(b".mbox") and _IN_PACKAGE in names

    def _names(self, folder: bytes) -> list[bytes]:
        try:
            return self._files.names(folder)
        except (BadItem, OSError) as error:
            self._bad.append((self._files.shown(folder), reason_of(error)))
            return []

    def _take(self, path: bytes, mailbox: str) -> None:
        if mailbox.upper() == "INBOX":
            mailbox = "INBOX"
        where = self._files.shown(path)
        try:
            if not self._files.described(path).st_size:
                return
            with self._files.open(path) as file:
                is_mbox = mbox_split.begins_like_mbox(file)
        except (BadItem, OSError) as error:
            self._bad.append((where, reason_of(error)))
            return
        if not is_mbox:
            self._bad.append((where, "it is no mbox file: it does not begin with a From line"))
        elif mailbox in self._paths:
            first = self._files.shown(self._paths[mailbox])
            self._bad.append((where, f"{first} is {mailbox} already"))
        else:
            self._paths[mailbox] = path

    def mailboxes(self) -> Sequence[str]:
        """Return the names of the files, without ``.mbox``, as levels."""
        return list(self._paths)

    def subscribed(self) -> Iterable[str]:
        """Return all mailboxes."""
        return self.mailboxes()

    def numbering(self, mailbox: str) -> None:
        """Return None: there are no UIDs."""

    # ------------------------------------------------------------ messages

    @contextmanager
    def _opened(self, mailbox: str) -> Iterator[BinaryIO]:
        """Open a file. Raises BadItem where it is not as it was when it was read first."""
        path = self._paths[mailbox]
        try:
            file = self._files.open(path)
        except OSError as error:
            raise BadItem(reason_of(error)) from None
        with file:
            found = os.fstat(file.fileno())
            state = (found.st_ino, found.st_size, found.st_mtime_ns)
            if self._states.setdefault(mailbox, state) != state:
                raise BadItem(f"it was altered meanwhile; {GO_ON}")
            yield file

    def _read(self, file: BinaryIO, place: _Range) -> MboxMessage | BadItem:
        """Read a message, or the beginning of one that is too large."""
        try:
            file.seek(place.start)
            data = file.read(min(place.stop - place.start, MAX_MESSAGE))
        except OSError as error:
            return BadItem(reason_of(error))
        return mbox.read(data, self._dialect)

    def count(self, mailbox: str) -> int:
        """Return how many messages there are."""
        return len(self._index(mailbox).ranges)

    def _index(self, mailbox: str) -> MboxIndex:
        if mailbox not in self._indexes:
            with self._opened(mailbox) as file:
                try:
                    self._indexes[mailbox] = mbox_split.split(file)
                except OSError as error:
                    raise BadItem(reason_of(error)) from None
        return self._indexes[mailbox]

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages in the order of the file."""
        self._places.clear()
        seen: Counter[bytes] = Counter()
        ranges = self._index(mailbox).ranges
        shown = self._files.shown(self._paths[mailbox])
        with self._opened(mailbox) as file:
            for number, (start, stop) in enumerate(ranges, 1):
                where = f"{shown}, message {number} at octet {start}"
                mail = self._read(file, _Range(start, stop))
                if isinstance(mail, BadItem):
                    self._bad.append((where, str(mail)))
                    continue
                if mail.is_internal:
                    continue
                digest = hashlib.sha256(mail.data).digest()
                key = digest + b"%d" % seen[digest]
                seen[digest] += 1
                self._places[key] = _Range(start, stop)
                yield SourceMessage(key, where, mail.flags, mail.date, stop - start)

    def load(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Read the messages."""
        with self._opened(mailbox) as file:
            for item in items:
                place = self._places[item.key]
                if place.stop - place.start > MAX_MESSAGE:
                    yield item, BadItem(f"larger than {MAX_MESSAGE} octets")
                    continue
                mail = self._read(file, place)
                if isinstance(mail, BadItem):
                    yield item, mail
                else:
                    yield item, (mail.data if mail.data.strip() else BadItem("it is empty"))

    # ------------------------------------------------------------ the end

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return the files that are no mboxes, and lines behind which a message may be hidden."""
        for mailbox, index in self._indexes.items():
            for number, why in index.hiding:
                yield f"{self._files.shown(self._paths[mailbox])}, line {number}", why
        yield from dict.fromkeys(self._bad)

    def remarks(self) -> Iterable[str]:
        """Return the lines that could be read otherwise."""
        for mailbox, index in self._indexes.items():
            for number, why in index.doubtful:
                yield f"{self._files.shown(self._paths[mailbox])}, line {number} {why}"

    def close(self) -> None:
        """Close the folders."""
        self._files.close()
