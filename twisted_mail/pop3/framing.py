"""Cutting the stream into lines, and messages into multi-line replies (RFC 1939 §3).

All work is done on whole pieces of a stream, none for each line; where the stream is cut makes no
difference.
"""

from enum import Enum
from typing import Final, Literal

from twisted_mail.mail.foreign_protocol import TLS_HANDSHAKE

CRLF: Final = b"\r\n"


class BadLine(Enum):
    """Why a line is no command. Nothing of it is ever run."""

    BARE = "A line ends with CR LF; neither may stand alone"
    LONG = "The line is too long"
    NUL = "A line may not hold NUL"
    TLS = "This is the beginning of TLS"


class Framer:
    """Cuts the bytes that came into lines.

    A line ends with LF, and is a command only if it ends with CRLF (RFC 1939 §3); one that cannot be a
    command is named once, as soon as that is certain, and the next begins after its LF. Holds at most one
    line's limit and what was fed last. Limits are in octets with CRLF; ``auth_limit`` is that of AUTH and
    of the responses that follow it.
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
        return self._at == len(self._buffer) and not self._is_skipping

    @property
    def held(self) -> int:
        """Return how many octets were fed and not returned."""
        return len(self._buffer) - self._at

    def feed(self, data: bytes) -> None:
        """Take bytes from the stream."""
        self._buffer = self._buffer[self._at :] + data
        self._at = 0

    def next(self, is_response: bool = False) -> bytes | BadLine | None:
        """Return the next line without its CRLF, its flaw, or None when more bytes are needed.

        ``is_response`` is for a line that belongs to a SASL exchange.
        """
        while (end := self._buffer.find(b"\n", self._at)) >= 0:
            line, self._at = self._buffer[self._at : end], end + 1
            if not self._is_skipping:
                return self._checked(line, is_response)
            self._is_skipping = False
        return self._partial(is_response)

    def _checked(self, line: bytes, is_response: bool) -> bytes | BadLine:
        text = line.removesuffix(b"\r")
        if early := self._early_flaw(text, is_response):
            return early
        if b"\0" in text:
            return BadLine.NUL
        return BadLine.BARE if b"\r" in text or len(text) == len(line) else text

    def _partial(self, is_response: bool) -> BadLine | None:
        """Name the flaw of a line whose end has not come; forget what is skipped."""
        self._buffer, self._at = self._buffer[self._at :], 0  # what was returned is not kept
        if not self._buffer:
            return None
        flaw = None
        if not self._is_skipping:
            # The last octet may be the end's CR.
            flaw = self._early_flaw(self._buffer.removesuffix(b"\r"), is_response)
            if flaw is None:
                return None
            self._is_skipping = True
        self._buffer = b""
        return flaw

    def _early_flaw(self, text: bytes, is_response: bool) -> BadLine | None:
        """Return the flaw that does not depend on how much of the line is here."""
        if text[:1] == TLS_HANDSHAKE:
            return BadLine.TLS
        return BadLine.LONG if len(text) > self._limit(text, is_response) else None

    def _limit(self, line: bytes, is_response: bool) -> int:
        is_long = is_response or line[:5].upper() == b"AUTH "
        return (self._auth_limit if is_long else self._line_limit) - len(CRLF)


class DotStuffing:
    r"""Turns a message, piece by piece, into the body of a multi-line reply.

    A dot is doubled after every LF, not only after CRLF: a message can hold a lone LF, many clients end
    lines there, and ``\n.\r\n`` inside a message would then end the reply, so that the rest would pass
    for other replies.
    """

    __slots__ = ("_end",)

    def __init__(self) -> None:
        self._end = CRLF  # the last two octets, as if a line had ended before the first

    def __call__(self, piece: bytes) -> bytes:
        """Return the next piece as it is sent."""
        if not piece:
            return b""
        stuffed = piece.replace(b"\n.", b"\n..")
        if piece.startswith(b".") and self._end.endswith(b"\n"):
            stuffed = b"." + stuffed
        self._end = (self._end + piece[-2:])[-2:]
        return stuffed

    def finish(self) -> bytes:
        """Return what ends the reply: the dot's line, on a line of its own."""
        return b".\r\n" if self._end == CRLF else b"\r\n.\r\n"


class TopFilter:
    """Cuts a message, piece by piece, after its header, the empty line and some lines (TOP)."""

    __slots__ = ("_end", "_lines", "_where")

    def __init__(self, lines: int) -> None:
        self._lines = lines  # of the body, still wanted
        self._end = CRLF  # the last octets: a message may begin with the empty line
        self._where: Literal["header", "body", "end"] = "header"

    @property
    def is_complete(self) -> bool:
        """Return whether nothing further is wanted."""
        return self._where == "end"

    def __call__(self, piece: bytes) -> bytes:
        """Return what is wanted of the next piece."""
        at = 0
        if self._where == "header":
            at = self._header_end(piece)
        if self._where == "body":
            at = self._body_end(piece, at)
        return piece[:at]

    def _header_end(self, piece: bytes) -> int:
        joined = self._end + piece
        at = joined.find(b"\r\n\r\n")
        if at < 0:
            self._end = joined[-3:]
            return len(piece)
        self._where = "body"
        return at + 4 - len(self._end)

    def _body_end(self, piece: bytes, start: int) -> int:
        lines = piece[start:].split(b"\n", self._lines)
        self._lines -= len(lines) - 1
        if self._lines:
            return len(piece)
        self._where = "end"
        return len(piece) - len(lines[-1])
