"""The parts of a report, and how they become one MIME entity (RFC 2046 §5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

MAX_LINE = 998  # octets without the line end, RFC 5322 §2.1.1


@dataclass(frozen=True, slots=True)
class Entity:
    """One part: its type with parameters, what it is in a word, and its octets as they are sent.

    ``encoding`` is the Content-Transfer-Encoding that they are in.
    """

    kind: str
    description: str
    data: bytes
    encoding: str = "7bit"

    @property
    def octets(self) -> bytes:
        """Return the part with its header."""
        encoding = (
            "" if self.encoding == "7bit" else f"Content-Transfer-Encoding: {self.encoding}\r\n"
        )
        head = f"Content-Description: {self.description}\r\nContent-Type: {self.kind}\r\n{encoding}"
        return head.encode("ascii") + b"\r\n" + self.data


def multipart(parts: Sequence[Entity], boundary: str) -> bytes:
    """Return the body of a multipart entity; no part has the boundary in it (see ``free_boundary``)."""
    delimiter = f"\r\n--{boundary}".encode("ascii")
    pieces = [delimiter + b"\r\n" + part.octets for part in parts]
    return (b"".join(pieces) + delimiter + b"--\r\n").removeprefix(b"\r\n")


def free_boundary(parts: Sequence[Entity], id: str) -> str:
    """Return a boundary made of an id that none of the parts has in it."""
    boundary = f"=_{id}"
    while any(boundary.encode("ascii") in part.data for part in parts):
        boundary += "_"
    return boundary
