"""Messages: the bytes of one mail, and the blobs that hold them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

PIECE = 256 * 1024  # octets passed on at a time: many enough to be cheap, few enough to wait for


def without_nul(data: bytes) -> bytes:
    """Return octets of a message with 0x80 for each NUL, which IMAP cannot send (RFC 3501 §4.3.1, §9).

    As many octets come back, so sizes and ranges stay what they are. Dovecot's IMAP puts the same octet
    there, and its POP3 with the work-around ``outlook-no-nuls``.
    """
    return data.replace(b"\0", b"\x80") if b"\0" in data else data


class Blob(Protocol):
    """Bytes in memory or in a file. They are never altered once the blob exists."""

    @property
    def size(self) -> int:
        """Return the number of octets."""

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop`` in pieces of at most ``PIECE``.

        May read a file, so call it where blocking is allowed. Raises OSError.
        """

    def close(self) -> None:
        """Release what the blob holds. The last receiver of a blob owns it and closes it."""


@dataclass(frozen=True, slots=True)
class MemoryBlob:
    """A blob that fits in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return len(self.data)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop``."""
        stop = len(self.data) if stop is None else min(stop, len(self.data))
        for at in range(start, stop, PIECE):
            yield self.data[at : min(at + PIECE, stop)]

    def close(self) -> None:
        """Do nothing: memory is released by itself."""


@dataclass(frozen=True, slots=True)
class SlicedBlob:
    """A part of a blob, which it owns: the octets from ``start`` to ``stop``."""

    blob: Blob
    start: int
    stop: int

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return self.stop - self.start

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop`` of the part. Raises OSError."""
        stop = self.size if stop is None else min(stop, self.size)
        if start < stop:
            yield from self.blob.pieces(self.start + start, self.start + stop)

    def close(self) -> None:
        """Close the whole blob."""
        self.blob.close()


@dataclass(frozen=True, slots=True)
class JoinedBlob:
    """Several blobs as one, all of which it owns."""

    parts: tuple[Blob, ...]

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return sum(part.size for part in self.parts)

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop``. Raises OSError."""
        stop = self.size if stop is None else stop
        for part in self.parts:
            if max(start, 0) < min(stop, part.size):
                yield from part.pieces(max(start, 0), min(stop, part.size))
            start, stop = start - part.size, stop - part.size

    def close(self) -> None:
        """Close all of them."""
        for part in self.parts:
            part.close()


@dataclass(frozen=True, slots=True)
class BorrowedBlob:
    """A blob that several accounts read; its owner closes it."""

    blob: Blob

    @property
    def size(self) -> int:
        """Return the number of octets."""
        return self.blob.size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield the octets from ``start`` to ``stop``."""
        return self.blob.pieces(start, stop)

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """The bytes of one mail as they came in, after our own trace headers.

    Both have CRLF line ends. ``prefix`` is empty or ends with CRLF; it holds Return-Path and Received
    (RFC 5321 §4.4) and what policy adds, so that ``blob`` is never rewritten. ``size`` is the number of
    octets of both together, the size that clients see.
    """

    blob: Blob
    prefix: bytes = b""
    size: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", len(self.prefix) + self.blob.size)

    def pieces(self) -> Iterator[bytes]:
        """Yield prefix and blob. May read a file, as ``Blob.pieces`` may."""
        if self.prefix:
            yield self.prefix
        yield from self.blob.pieces()

    def read(self) -> bytes:
        """Return prefix and blob as one. May read a file, as ``Blob.pieces`` may."""
        return b"".join(self.pieces())
