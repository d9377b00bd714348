"""Cutting the stream into command lines, and a line into verb and argument.

A line ends with LF, and is a command only if it ends with CRLF (RFC 5321 §2.3.8). One that cannot be a
command is named once, as soon as that is certain, and nothing of it is run; the next one begins after its
LF. So each line has its answer, whatever the line before was: a client that ends its lines with LF alone
is refused each time, and never waits for an answer that does not come.
"""

import re
from dataclasses import dataclass
from enum import Enum

from twisted_mail.mail.foreign_protocol import TLS_HANDSHAKE

_USUAL = re.compile(rb"[A-Za-z][^\0\r]*\r")  # what nearly all lines are, known in one look
_COMMAND = re.compile(rb"[ \t]*([^ \t]*)[ \t]*(.*)", re.DOTALL)
_HEAD = 64  # octets of a bad line that are kept


class Flaw(Enum):
    """Why a line is no command."""

    BARE = "a CR or LF that stands alone"
    LONG = "longer than allowed"
    NUL = "a NUL"
    TLS = "the beginning of TLS"


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no command: why, and what it begins with."""

    flaw: Flaw
    head: bytes = b""


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
        self._is_skipping = False  # up to the next LF, after a line that was named before its end

    @property
    def is_empty(self) -> bool:
        """Return whether everything that was fed has been returned."""
        return self._at == len(self._buffer)

    @property
    def held(self) -> int:
        """Return how many octets were fed and not returned."""
        return len(self._buffer) - self._at

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
        while (end := self._buffer.find(b"\n", self._at)) >= 0:
            start, self._at = self._at, end + 1
            if self._is_skipping:
                self._is_skipping = False
                continue
            line = self._buffer[start:end]
            text = line.removesuffix(b"\r")
            if limit is None and len(text) <= self._line_limit and _USUAL.fullmatch(line):
                return text
            return self._early_flaw(text, limit) or _flaw(line, text) or text
        return self._partial(limit)

    def _partial(self, limit: int | None) -> BadLine | None:
        """Name the flaw of a line whose end has not come; forget what is skipped."""
        self._buffer, self._at = self._buffer[self._at :], 0  # what was returned is not kept
        if not self._buffer:
            return None
        bad = None
        if not self._is_skipping:
            # The last octet may be the end's CR.
            bad = self._early_flaw(self._buffer.removesuffix(b"\r"), limit)
            if bad is None:
                return None
            self._is_skipping = True
        self._buffer = b""
        return bad

    def _early_flaw(self, text: bytes, limit: int | None) -> BadLine | None:
        """Return the flaw that does not depend on how much of the line is here."""
        if text[:1] == TLS_HANDSHAKE:
            return BadLine(Flaw.TLS)
        if limit is None:
            is_auth = text[:5].upper() == b"AUTH "
            limit = self._auth_limit if is_auth else self._line_limit
        return BadLine(Flaw.LONG, text[: min(limit, _HEAD)]) if len(text) > limit else None


def _flaw(line: bytes, text: bytes) -> BadLine | None:
    """Return the flaw of a line that is here up to its LF; ``text`` is without the end's CR."""
    if b"\0" in text:
        return BadLine(Flaw.NUL, text[:_HEAD])
    if b"\r" in text or len(line) == len(text):
        return BadLine(Flaw.BARE, text[:_HEAD])
    return None


def parse_command(line: bytes) -> tuple[bytes, bytes]:
    """Return the verb in upper case and the argument, without the spaces around them."""
    match = _COMMAND.match(line)
    assert match is not None  # it takes any line
    return match[1].upper(), match[2].rstrip(b" \t")
