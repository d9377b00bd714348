"""The content of a message as DATA sends it (RFC 5321 §4.5.2): whole chunks, no work for each line.

What is sent has no CR or LF that stands alone (``fitting``), so every host finds the same lines in it.
All the same a dot is doubled after every LF, and not only after CRLF.
"""

from collections.abc import Iterator

from twisted_mail.mail.message import Blob

CHUNK = 64 * 1024  # octets of content that are in hand at a time
END = b".\r\n"

_LF, _DOT = 10, 46


class DotDoubling:
    """Doubles the dots at the beginning of lines, in whatever pieces the content comes."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b"\r\n"  # the line of the DATA command has just ended

    def feed(self, data: bytes) -> bytes:
        """Return the next piece as it is sent."""
        if not data:
            return data
        is_after_line = self._last.endswith(b"\n")
        self._last = (self._last + data[-2:])[-2:]
        stuffed = data.replace(b"\n.", b"\n..") if b"\n." in data else data
        return b"." + stuffed if is_after_line and data[0] == _DOT else stuffed

    def end(self) -> bytes:
        """Return what ends the content: the last line is ended if it is open."""
        return END if self._last == b"\r\n" else b"\r\n" + END


def stuffed(content: bytes) -> bytes:
    """Return the whole content of a message, with its end."""
    stuffing = DotDoubling()
    return stuffing.feed(content) + stuffing.end()


def chunk(blob: Blob, start: int) -> bytes:
    """Return the octets of a blob from ``start`` on, ``CHUNK`` at most. May block. Raises OSError."""
    return b"".join(blob.pieces(start, min(start + CHUNK, blob.size)))


def in_chunks(data: bytes) -> Iterator[bytes]:
    """Yield octets that are in memory, ``CHUNK`` at a time."""
    for at in range(0, len(data), CHUNK):
        yield data[at : at + CHUNK]
