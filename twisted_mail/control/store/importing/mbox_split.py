"""Finding the messages of an mbox file, without ever joining two of them in silence.

A message whose Content-Length ends where the next one begins reaches so far (mboxcl, mboxcl2), whatever
its text looks like. All others reach to the next From line.
"""

import os
import re
from dataclasses import dataclass, field
from typing import BinaryIO

from twisted_mail.control.store.importing import from_lines

_LINE = 1024 * 1024  # octets read of a line at a time
_BOM = b"\xef\xbb\xbf"
_CONTENT_LENGTH = re.compile(
    rb"Content-Length[ \t]*:[ \t]*([0-9]{1,15})[ \t\r\n]*\Z", re.IGNORECASE
)
_LINE_ENDS = re.compile(rb"(?:\r?\n){0,2}")
_WITHIN = "was taken as text: it lies within the Content-Length of the message before"
_UNDATED = "begins a message, and tells no date as the first From line does"
_BEFORE = "was left out, with what follows up to the first From line"


@dataclass(slots=True)
class MboxIndex:
    """Start and end of each message with its From line, and lines that could be read otherwise.

    Line numbers begin with 1. Behind a line of ``hiding`` there may be a message that was not found.
    """

    ranges: list[tuple[int, int]] = field(default_factory=list)
    hiding: list[tuple[int, str]] = field(default_factory=list)
    doubtful: list[tuple[int, str]] = field(default_factory=list)


def split(file: BinaryIO) -> MboxIndex:
    """Find the messages of a file. Raises OSError."""
    return _Splitter(file).run()


def begins_like_mbox(file: BinaryIO) -> bool:
    """Return whether the first line that is not empty begins a message."""
    data = file.read(_LINE).removeprefix(_BOM).lstrip(b"\r\n")
    line, end, head = data.partition(b"\n")
    is_from = line.startswith(b"From ") and bool(end)
    return is_from and from_lines.judge(line, head[: from_lines.HEAD], True).is_separator


class _Splitter:
    """One way through a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self._index = MboxIndex()
        self._starts: list[int] = []
        self._at = 0  # where the line begins
        self._number = 0  # of the line
        self._is_after_blank = True
        self._is_header = False
        self._is_dated = False  # the first From line
        self._length: int | None = None  # told by the header that is being read
        self._protected = 0  # up to there the text of a message is known to reach

    def run(self) -> MboxIndex:
        if self._file.read(3) == _BOM:
            self._at = 3
        self._file.seek(self._at)
        is_whole = True
        while line := self._file.readline(_LINE):
            self._number += is_whole
            if is_whole:
                self._take(line)
            is_blank = is_whole and line in (b"\n", b"\r\n")
            is_whole = line.endswith(b"\n")
            self._at += len(line)
            self._is_after_blank = is_blank
            if is_blank and self._is_header:
                self._end_header()
        stops = [*self._starts[1:], self._at]
        self._index.ranges = list(zip(self._starts, stops, strict=False))  # none where none begins
        return self._index

    def _take(self, line: bytes) -> None:
        if line.startswith(b"From "):
            self._take_from(line)
        elif self._is_header and line[:1] in b"Cc":
            match = _CONTENT_LENGTH.match(line)
            if match is not None:
                self._length = int(match[1])
        elif not self._starts and not self._index.hiding and line.strip():
            self._index.hiding.append((self._number, _BEFORE))

    def _take_from(self, line: bytes) -> None:
        found = from_lines.judge(line, self._head(), self._is_after_blank)
        if self._at < self._protected:
            if found.is_separator and not found.doubt:
                self._index.hiding.append((self._number, _WITHIN))
            return
        if found.doubt:
            doubts = self._index.hiding if found.is_hiding else self._index.doubtful
            doubts.append((self._number, found.doubt))
        elif found.is_separator and self._is_odd(line):
            self._index.doubtful.append((self._number, _UNDATED))
        if found.is_separator:
            self._starts.append(self._at)
            self._is_header, self._length = True, None

    def _is_odd(self, line: bytes) -> bool:
        """Return whether a line names somebody and no date, where the first From line has one."""
        if not self._starts:
            self._is_dated = from_lines.date_of(line) is not None
        return (
            self._is_dated
            and len(line.split()) > 1
            and line.split()[1] != b"-"
            and from_lines.date_of(line) is None
        )

    def _head(self) -> bytes:
        """Return the octets behind the line that was read last."""
        here = self._file.tell()
        head = self._file.read(from_lines.HEAD)
        self._file.seek(here)
        return head

    def _end_header(self) -> None:
        self._is_header = False
        if self._length is not None and self._fits(self._at + self._length):
            self._protected = self._at + self._length

    def _fits(self, end: int) -> bool:
        """Return whether the file or a message ends there."""
        if end >= self._size:
            return end == self._size
        here = self._file.tell()
        self._file.seek(end)
        head = self._file.read(2 * from_lines.HEAD)
        self._file.seek(here)
        matched = _LINE_ENDS.match(head)
        rest = head[matched.end() if matched else 0 :]
        line, _, behind = rest.partition(b"\n")
        if not rest:
            return True
        is_from = line.startswith(b"From ")
        return is_from and from_lines.judge(line, behind, True).is_separator
