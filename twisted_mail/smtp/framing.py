"""Cutting the stream into command lines.

A line ends with CRLF and nothing else (RFC 5321 §2.3.8). A line that cannot be a command is named once,
as soon as that is known, and skipped up to its CRLF: nothing inside it is ever run.
"""

import re
from enum import Enum

_BARE = re.compile(rb"\r[^\n]|(?<!\r)\n")


class BadLine(Enum):
    """Why a line is no command."""

    BARE = "a CR or LF that stands alone"
    LONG = "longer than allowed"


class Framer:
    """The bytes that came and were not yet taken, as lines.

    Holds at most one line's limit and what was fed last. ``line_limit`` is in octets without the CRLF;
    a line that begins with AUTH may have ``auth_limit`` (RFC 4954 §4).
    """

    __slots__ = ("_at", "_auth_limit", "_buffer", "_is_skipping", "_line_limit")

    def __init__(self, line_limit: int, auth_limit: int) -> None:
        self._buffer = b""
        self._at = 0
        self._line_limit = line_limit
        self._auth_limit = auth_limit
        self._is_skipping = False  # up to the next CRLF, after a bad line

    @property
    def is_empty(self) -> bool:
        """Return whether everything that was fed has been returned."""
        return self._at == len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes from the stream."""
        self._buffer = data if self.is_empty else self._buffer[self._at :] + data
        self._at = 0

    def take(self) -> bytes:
        """Return all bytes not yet returned as lines."""
        rest = self._buffer[self._at :]
        self._buffer = b""
        self._at = 0
        return rest

    def take_up_to(self, most: int) -> bytes:
        """Return bytes not yet returned as lines, no more than ``most``."""
        start = self._at
        self._at = min(start + most, len(self._buffer))
        taken = self._buffer[start : self._at]
        if self._at == len(self._buffer):
            self._buffer, self._at = b"", 0
        return taken

    def next(self, limit: int | None = None) -> bytes | BadLine | None:
        """Return the next line without its CRLF, its flaw, or None when more bytes are needed.

        ``limit`` stands for both limits, for this line.
        """
        while (end := self._buffer.find(b"\r\n", self._at)) >= 0:
            start, self._at = self._at, end + 2
            if self._is_skipping:
                self._is_skipping = False
                continue
            line = self._buffer[start:end]
            if len(line) > self._line_limit or b"\n" in line or b"\r" in line:
                flaw = self._flaw(line + b"\r\n", len(line), limit)
                return flaw or line
            return line if limit is None or len(line) <= limit else BadLine.LONG
        return self._partial(limit)

    def _partial(self, limit: int | None) -> BadLine | None:
        """Name the flaw of a line whose end has not come; forget what is skipped."""
        rest = self._buffer[self._at :]
        if not self._is_skipping:
            flaw = self._flaw(rest, len(rest) - 1, limit)  # the last octet may be the end's CR
            if flaw is None:
                return None
            self._is_skipping = True
        else:
            flaw = None
        self._buffer = b"\r" if rest.endswith(b"\r") else b""
        self._at = 0
        return flaw

    def _flaw(self, line: bytes, length: int, limit: int | None) -> BadLine | None:
        """Return the first flaw: which one does not depend on how much of the line is here."""
        if limit is None:
            is_auth = line[:5].upper() == b"AUTH "
            limit = self._auth_limit if is_auth else self._line_limit
        bare = _BARE.search(line)
        if bare is not None and bare.start() < limit:
            return BadLine.BARE
        return BadLine.LONG if length > limit else None
