"""The messages that an import has done: a line for each, next to the account's mail.

The name of each imported file has its message's mark as well, so an import that was stopped between
publishing files and writing the journal still knows them. The journal has those that users have removed
or moved since.
"""

import hashlib
import os
from collections.abc import Iterable

from twisted_mail.store.format import filename, layout

FOLDER = b"imports"
_LENGTH = 20  # of a mark


class ImportJournal:
    """The marks of one source's messages in one account. Raises OSError."""

    def __init__(self, account: bytes, source: str) -> None:
        name = hashlib.sha256(source.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._folder = os.path.join(account, FOLDER)
        self._path = os.path.join(self._folder, name.encode())
        self.done = self._read()

    def _read(self) -> set[bytes]:
        try:
            with open(self._path, "rb") as file:
                return {line for line in file.read().split(b"\n") if len(line) == _LENGTH}
        except FileNotFoundError:
            return set()

    def write(self, marks: Iterable[bytes]) -> None:
        """Record messages as done."""
        marks = [mark for mark in marks if mark not in self.done]
        if not marks:
            return
        self.done.update(marks)
        os.makedirs(self._folder, 0o700, exist_ok=True)
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # The first line end closes a line that was torn.
            os.write(fd, b"\n" + b"".join(mark + b"\n" for mark in marks))
            os.fdatasync(fd)
        finally:
            os.close(fd)


def marks_in(folder: bytes) -> dict[bytes, bytes]:
    """Return the marks in the names of a mailbox's files, with their base names."""
    found = {}
    for place in layout.SUBFOLDERS[1:]:
        try:
            names = os.listdir(os.path.join(folder, place))
        except FileNotFoundError:
            continue
        for name in names:
            base = filename.split(name)[0]
            mark = mark_of(base)
            if mark:
                found[mark] = base
    return found


def mark_of(base: bytes) -> bytes:
    """Return the mark in a base name; empty when it has none."""
    unique = base.split(b".", 2)[1:2]
    _, letter, mark = unique[0].rpartition(filename.MARK) if unique else (b"", b"", b"")
    return mark if letter and len(mark) == _LENGTH else b""
