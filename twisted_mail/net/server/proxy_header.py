"""The header of the PROXY protocol, in which a proxy names its client (HAProxy, proxy-protocol.txt).

| version | the header | its end |
| --- | --- | --- |
| 1 (§2.1) | a line of text: ``PROXY TCP4 192.0.2.1 192.0.2.9 40000 25`` | CRLF, within 107 octets |
| 2 (§2.2) | a signature, 4 octets, addresses, further values | as long as it says |

A header that breaks its grammar ends the connection: there is nobody to answer.
"""

import ipaddress
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
MAX_LINE = 107  # octets of version 1, CRLF included (§2.1)
MAX_VALUES = 4096  # octets of version 2 after its first 16; the addresses take 216 at most

_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?|(TCP[46]) ([0-9.:A-Fa-f]+) ([0-9.:A-Fa-f]+)"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4}))"
)
_HEAD = struct.Struct("!12sBBH")
_LOCAL, _PROXY = 0, 1
_CRC32C = 0x03
_UNIX = 108  # octets of a path


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """One end of a connection: numeric address and port, or nothing for a UNIX socket."""

    host: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class ProxyAddresses:
    """Both ends of the client's connection to the proxy, or None for a connection of the proxy itself."""

    source: SocketAddress | None = None
    destination: SocketAddress | None = None


NO_ADDRESSES = ProxyAddresses()


class HeaderReader:
    """Reads a header that comes in any pieces."""

    __slots__ = ("_held", "rest")

    def __init__(self) -> None:
        self._held = b""
        self.rest = b""  # what followed the header, once it is whole

    def feed(self, data: bytes) -> ProxyAddresses | None:
        """Take bytes; return what the header says once it is whole. Raises ValueError."""
        self._held += data
        if self._held.startswith(SIGNATURE[: len(self._held)]):
            return self._read_octets()
        if self._held.startswith(b"PROXY "[: len(self._held)]):
            return self._read_line()
        raise ValueError("this is no header of the PROXY protocol")

    def _read_line(self) -> ProxyAddresses | None:
        end = self._held.find(b"\r\n", 0, MAX_LINE)
        if end >= 0:
            self.rest = self._held[end + 2 :]
            return parse_line(self._held[:end])
        if len(self._held) >= MAX_LINE:
            raise ValueError("the line is too long")
        return None

    def _read_octets(self) -> ProxyAddresses | None:
        if len(self._held) < _HEAD.size:
            return None
        length = _HEAD.unpack_from(self._held)[3]
        if length > MAX_VALUES:
            raise ValueError("the header is too long")
        end = _HEAD.size + length
        if len(self._held) < end:
            return None
        self.rest = self._held[end:]
        return parse_octets(self._held[:end])


# ---------------------------------------------------------------- version 1


def parse_line(line: bytes) -> ProxyAddresses:
    """Read a header of version 1 without its CRLF. Raises ValueError."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("the line is malformed")
    if match[1] is None:
        return NO_ADDRESSES  # UNKNOWN: the rest does not count
    version = 4 if match[1] == b"TCP4" else 6
    return ProxyAddresses(_place(version, match[2], match[4]), _place(version, match[3], match[5]))


def _place(version: int, host: bytes, port: bytes) -> SocketAddress:
    address = ipaddress.ip_address(host.decode())
    if address.version != version or int(port) > 65535:
        raise ValueError("an address or a port is malformed")
    return SocketAddress(str(address), int(port))


def format_line(addresses: ProxyAddresses) -> bytes:
    """Write a header of version 1. Raises ValueError where the ends are of two kinds."""
    source, destination = addresses.source, addresses.destination
    if source is None or destination is None or not source.host:
        return b"PROXY UNKNOWN\r\n"
    version = _version(source, destination)
    text = f"{source.host} {destination.host} {source.port} {destination.port}"
    return f"PROXY TCP{version} {text}\r\n".encode()


def _version(source: SocketAddress, destination: SocketAddress) -> int:
    versions = {ipaddress.ip_address(one.host).version for one in (source, destination)}
    if len(versions) != 1:
        raise ValueError("both ends have addresses of one kind")
    return versions.pop()


# ---------------------------------------------------------------- version 2


def parse_octets(header: bytes) -> ProxyAddresses:
    """Read a whole header of version 2. Raises ValueError."""
    signature, command, family, length = _HEAD.unpack_from(header)
    if signature != SIGNATURE or command >> 4 != 2 or len(header) != _HEAD.size + length:
        raise ValueError("this is no header of version 2")
    if command & 15 not in (_LOCAL, _PROXY):
        raise ValueError("the command is unknown")
    kind, values = family >> 4, header[_HEAD.size :]
    if command & 15 == _LOCAL or kind == 0 or family & 15 == 0:
        return NO_ADDRESSES  # the rest is to be skipped (§2.2)
    if kind not in _READERS or family & 15 > 2:
        raise ValueError("the family of addresses is unknown")
    size, read = _READERS[kind]
    if len(values) < size:
        raise ValueError("the addresses are cut off")
    _check(header, _HEAD.size + size)
    return read(values)


def _read_internet(values: bytes, octets: int) -> ProxyAddresses:
    source, destination = values[:octets], values[octets : 2 * octets]
    ports = struct.unpack_from("!HH", values, 2 * octets)
    return ProxyAddresses(
        SocketAddress(str(ipaddress.ip_address(source)), ports[0]),
        SocketAddress(str(ipaddress.ip_address(destination)), ports[1]),
    )


_READERS: dict[int, tuple[int, Callable[[bytes], ProxyAddresses]]] = {
    1: (12, lambda values: _read_internet(values, 4)),
    2: (36, lambda values: _read_internet(values, 16)),
    3: (2 * _UNIX, lambda values: ProxyAddresses(SocketAddress(), SocketAddress())),
}


def _check(header: bytes, start: int) -> None:
    """Skip the values after the addresses; a checksum among them must be right (§2.2.3)."""
    for kind, at, stop in _values(header, start):
        if kind == _CRC32C:
            if stop - at != 4:
                raise ValueError("the checksum is malformed")
            blank = header[:at] + bytes(4) + header[stop:]
            if crc32c(blank) != int.from_bytes(header[at:stop], "big"):
                raise ValueError("the checksum is wrong")


def _values(header: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Yield the type of each value, and its start and end (§2.2)."""
    while at < len(header):
        if at + 3 > len(header):
            raise ValueError("a value is cut off")
        kind, length = struct.unpack_from("!BH", header, at)
        at += 3 + length
        if at > len(header):
            raise ValueError("a value is cut off")
        yield kind, at - length, at


def format_octets(
    addresses: ProxyAddresses, values: bytes = b"", has_checksum: bool = False
) -> bytes:
    """Write a header of version 2; ``values`` follow the addresses, each with its type.

    Raises ValueError where the ends are of two kinds.
    """
    family, packed = _addresses(addresses)
    if has_checksum:
        values += struct.pack("!BHI", _CRC32C, 4, 0)
    command = 0x20 | (_PROXY if family else _LOCAL)
    header = _HEAD.pack(SIGNATURE, command, family, len(packed) + len(values))
    header += packed + values
    return header[:-4] + crc32c(header).to_bytes(4, "big") if has_checksum else header


def _addresses(addresses: ProxyAddresses) -> tuple[int, bytes]:
    source, destination = addresses.source, addresses.destination
    if source is None or destination is None:
        return 0, b""
    if not source.host and not destination.host:
        return 0x31, bytes(2 * _UNIX)
    family = 0x11 if _version(source, destination) == 4 else 0x21
    packed = [ipaddress.ip_address(one.host).packed for one in (source, destination)]
    return family, b"".join(packed) + struct.pack("!HH", source.port, destination.port)


def _table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Return the checksum of Castagnoli (RFC 3720 §B.4)."""
    value = 0xFFFFFFFF
    for octet in data:
        value = (value >> 8) ^ _TABLE[(value ^ octet) & 0xFF]
    return value ^ 0xFFFFFFFF
