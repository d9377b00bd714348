"""Packets: a length of four octets, one octet for the kind, and data."""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from twisted_mail.mail.outcome import ProtocolError

MAX_PACKET = 1024 * 1024  # octets of an answer: a body comes in packets of 64 KiB

_LENGTH = struct.Struct(">I")


class Packet(NamedTuple):
    """The kind, one octet, and the data."""

    kind: bytes
    data: bytes = b""


def encode(packet: Packet) -> bytes:
    """Return the octets of a packet."""
    return _LENGTH.pack(1 + len(packet.data)) + packet.kind + packet.data


def texts(*parts: bytes) -> bytes:
    """Return texts as data, each followed by a NUL; NULs inside are removed."""
    return b"".join(part.replace(b"\0", b"") + b"\0" for part in parts)


def split(data: bytes) -> list[bytes]:
    """Return the texts in data. Raises ProtocolError when the last has no end."""
    *found, rest = data.split(b"\0")
    if rest:
        raise ProtocolError("a text in a packet has no end")
    return found


def pairs(named: Iterable[tuple[str, str]]) -> bytes:
    """Return names and values as data."""
    return b"".join(
        texts(name.encode("utf-8", "replace"), value.encode("utf-8", "replace"))
        for name, value in named
    )


class Framer:
    """Cuts a stream into packets, whichever pieces it comes in."""

    def __init__(self, most: int = MAX_PACKET) -> None:
        self._most = most
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """Take octets."""
        self._held += data

    def next(self) -> Packet | None:
        """Return the next packet, or None before it has come. Raises ProtocolError for one too long."""
        held = self._held
        if len(held) < _LENGTH.size:
            return None
        [length] = _LENGTH.unpack_from(held)
        if not 1 <= length <= self._most:
            raise ProtocolError("a packet is empty, or too long")
        end = _LENGTH.size + length
        if len(held) < end:
            return None
        packet = Packet(bytes(held[4:5]), bytes(held[5:end]))
        del held[:end]
        return packet
