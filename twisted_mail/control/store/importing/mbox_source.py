"""An mbox file, or a folder tree of them, as a source."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from twisted_mail.control.output import CommandError
from twisted_mail.control.store import mbox
from twisted_mail.control.store.importing.source import MAX_MESSAGE, SourceMessage
from twisted_mail.control.store.mbox import Dialect
from twisted_mail.control.store.skipped import BadItem

_PASSED_OVER = (".msf", ".lock", ".dat", ".html", ".json", ".journal", ".sqlite")
_MAX_DEPTH = 20


class _Range(NamedTuple):
    start: int
    stop: int


class MboxSource:
    """Fulfils ``source.ImportSource``. A file is the mailbox INBOX; in a folder each file is one."""

    def __init__(self, path: str, dialect: Dialect = "mboxrd") -> None:
        self._dialect = dialect
        self._bad: list[tuple[str, str]] = []
        self._paths: dict[str, str] = {}
        self._ranges: dict[str, list[tuple[int, int]]] = {}
        self._places: dict[bytes, _Range] = {}
        if os.path.isdir(path):
            self._find(path, "", 0)
        else:
            self._paths["INBOX"] = path

    def _find(self, folder: str, above: str, depth: int) -> None:
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if name.startswith(".") or name.endswith(_PASSED_OVER):
                continue
            plain = name.removesuffix(".mbox").removesuffix(".sbd")
            mailbox = above + "".join(sign if sign.isprintable() else "_" for sign in plain)
            if os.path.isdir(path) and not os.path.islink(path):
                if depth < _MAX_DEPTH:
                    self._find(path, mailbox + "/", depth + 1)
            elif os.path.isfile(path) and os.path.getsize(path):
                self._take(path, mailbox)

    def _take(self, path: str, mailbox: str) -> None:
        if mailbox.upper() == "INBOX":
            mailbox = "INBOX"
        if not is_mbox(path):
            self._bad.append((path, "it is no mbox file"))
        elif mailbox in self._paths:
            self._bad.append((path, f"{self._paths[mailbox]} is {mailbox} already"))
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

    def count(self, mailbox: str) -> int:
        """Return how many messages there are."""
        return len(self._split(mailbox))

    def _split(self, mailbox: str) -> list[tuple[int, int]]:
        if mailbox not in self._ranges:
            with open(self._paths[mailbox], "rb") as file:
                self._ranges[mailbox] = mbox.split(file)
        return self._ranges[mailbox]

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages in the order of the file."""
        self._places.clear()
        seen: Counter[bytes] = Counter()
        with open(self._paths[mailbox], "rb") as file:
            for number, (start, stop) in enumerate(self._split(mailbox), 1):
                where = f"{self._paths[mailbox]}, message {number} at octet {start}"
                file.seek(start)
                mail = mbox.read(file.read(min(stop - start, MAX_MESSAGE)), self._dialect)
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
        with open(self._paths[mailbox], "rb") as file:
            for item in items:
                start, stop = self._places[item.key]
                if stop - start > MAX_MESSAGE:
                    yield item, BadItem(f"larger than {MAX_MESSAGE} octets")
                    continue
                file.seek(start)
                data = mbox.read(file.read(stop - start), self._dialect).data
                yield item, (data if data.strip() else BadItem("it is empty"))

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return the files that are no mboxes."""
        return self._bad

    def remarks(self) -> Iterable[str]:
        """Return nothing."""
        return ()

    def close(self) -> None:
        """Do nothing: no file stays open."""


def is_mbox(path: str) -> bool:
    """Return whether a file begins like an mbox."""
    try:
        with open(path, "rb") as file:
            line = file.readline(1000)
    except OSError:
        return False
    return line.startswith(b"From ") and mbox.is_from(line)


def open_mboxes(path: str, dialect: Dialect) -> MboxSource:
    """Open an mbox file or a folder of them. Raises CommandError, OSError."""
    if os.path.isfile(path) and os.path.getsize(path) and not is_mbox(path):
        raise CommandError(f"{path} is no mbox file: it does not begin with a From line")
    return MboxSource(path, dialect)
