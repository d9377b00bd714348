"""Rows of an SQLite database, read from its leaf pages alone.

In a damaged database the pages that lead to others may be gone, while those with rows are whole. A leaf
of a table says by itself what is in it: this reads one such page at a time, and trusts nothing that it
finds (https://www.sqlite.org/fileformat2.html, sections 1.5, 1.6, 2.1).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Any

ReadPage = Callable[[int], bytes]  # by number; empty where there is none

_LEAF = 0x0D  # of a table
_FIRST_PAGE_HEADER = 100  # octets of the file's header, in page 1
_MAX_PAYLOAD = 1 << 26  # octets of one row: far more than there ever are
_MAX_COLUMNS = 64
_NUMBERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type: octets
_CONSTANTS = {0: None, 8: 0, 9: 1}
_U16, _U32, _DOUBLE = Struct(">H"), Struct(">I"), Struct(">d")


class _Unreadable(Exception):
    """What is here is no row."""


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A row: its number, and the values of its columns."""

    number: int
    values: tuple[Any, ...]


def leaf_rows(page: bytes, number: int, read_page: ReadPage) -> Iterator[LeafRow]:
    """Yield the rows of a page that can be read; none where it is no leaf of a table.

    What does not fit in the page is read with ``read_page``. Rows may hold anything: somebody has to
    compare them with a checksum.
    """
    start = _FIRST_PAGE_HEADER if number == 1 else 0
    if len(page) < start + 8 or page[start] != _LEAF:
        return
    (cells,) = _U16.unpack_from(page, start + 3)
    for index in range(min(cells, (len(page) - start - 8) // 2)):
        (at,) = _U16.unpack_from(page, start + 8 + 2 * index)
        try:
            yield _row(page, at, read_page)
        except (_Unreadable, IndexError, ValueError, UnicodeDecodeError):
            continue


def _row(page: bytes, at: int, read_page: ReadPage) -> LeafRow:
    size, at = _varint(page, at)
    number, at = _varint(page, at)
    if not 0 < size <= _MAX_PAYLOAD:
        raise _Unreadable
    local = _local(size, len(page))
    payload = page[at : at + local]
    if len(payload) < local:
        raise _Unreadable
    if local < size:
        (more,) = _U32.unpack(_exactly(page[at + local : at + local + 4], 4))
        payload += _overflow(more, size - local, len(page), read_page)
    return LeafRow(_signed(number), _record(payload))


def _local(size: int, usable: int) -> int:
    """Return how many octets of a row are in its page (section 1.6)."""
    most = usable - 35
    if size <= most:
        return size
    least = (usable - 12) * 32 // 255 - 23
    fitting = least + (size - least) % (usable - 4)
    return fitting if fitting <= most else least


def _overflow(number: int, size: int, usable: int, read_page: ReadPage) -> bytes:
    """Return what follows in a chain of pages."""
    parts: list[bytes] = []
    while size > 0:
        page = read_page(number) if number else b""
        part = page[4 : 4 + min(size, usable - 4)]
        if not part:
            raise _Unreadable
        parts.append(part)
        size -= len(part)
        (number,) = _U32.unpack_from(page)
    return b"".join(parts)


def _record(payload: bytes) -> tuple[Any, ...]:
    """Return the values of a record (section 2.1)."""
    size, at = _varint(payload, 0)
    if not at <= size <= len(payload):
        raise _Unreadable
    types: list[int] = []
    while at < size:
        kind, at = _varint(payload, at)
        types.append(kind)
    if at != size or len(types) > _MAX_COLUMNS:
        raise _Unreadable
    values = []
    for kind in types:
        value, at = _value(payload, at, kind)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind >= 12:
        size = (kind - 12) // 2
        octets = _exactly(payload[at : at + size], size)
        return (octets.decode("utf-8", "surrogatepass") if kind % 2 else octets), at + size
    if kind == 7:
        (double,) = _DOUBLE.unpack(_exactly(payload[at : at + 8], 8))
        return double, at + 8
    if kind in _NUMBERS:
        size = _NUMBERS[kind]
        return int.from_bytes(_exactly(payload[at : at + size], size), signed=True), at + size
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    raise _Unreadable


def _exactly(octets: bytes, size: int) -> bytes:
    if len(octets) < size:
        raise _Unreadable
    return octets


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine octets, and where it ends. Raises IndexError."""
    value = 0
    for count in range(8):
        octet = data[at + count]
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            return value, at + count + 1
    return value << 8 | data[at + 8], at + 9


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
