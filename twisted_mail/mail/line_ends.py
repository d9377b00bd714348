"""Line ends of messages: CRLF on the wire and in all files of this server (RFC 5322 §2.3)."""


def with_crlf(chunk: bytes, last: bytes = b"") -> bytes:
    """Return a chunk of a message with CRLF for every LF that stands alone.

    ``last`` is the octet before the chunk. A CR that stands alone stays: it ends no line, and text that
    was cut from a binary file would be broken by more than it is.
    """
    if last == b"\r" and chunk.startswith(b"\n"):
        return b"\n" + with_crlf(chunk[1:])
    if b"\r" in chunk:
        chunk = chunk.replace(b"\r\n", b"\n")
    return chunk.replace(b"\n", b"\r\n")


def octets_with_crlf(chunk: bytes, last: bytes = b"") -> int:
    """Return how many octets ``with_crlf`` would return.

    Making them takes less time than counting line ends: ``bytes.count`` looks at each octet by itself.
    """
    return len(with_crlf(chunk, last))


class LfRepair:
    """Writes CRLF for every LF of a stream, in whatever pieces it comes."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b""  # the octet before the piece: an LF after a CR does not stand alone

    def __call__(self, data: bytes) -> bytes:
        """Return the next piece of the stream, repaired; its pieces end where they did."""
        if not data:
            return data
        text = with_crlf(data, self._last)
        self._last = data[-1:]
        return text
