"""The header of a message or of a part: fields in order, with their octets.

Lines end with CRLF or with LF alone; a lone CR is an octet like any other. Reading takes time linear in
the header's length and never raises.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from twisted_mail.mail.mime.encoding import decode_words

MAX_FIELDS = 10_000  # of one header; further ones stay in the octets and are not looked at
MAX_VALUE = 256 * 1024  # octets of one value that ``values`` returns

_EMPTY_LINE = re.compile(rb"\n\r?\n")
_FIELD_BREAK = re.compile(rb"\n(?![ \t])")


class Field(NamedTuple):
    """One field: its name as spelled, its value with folding, and its position.

    ``start`` and ``stop`` are offsets into the octets the header was read from, the field's line ends
    included.
    """

    name: bytes
    value: bytes
    start: int
    stop: int


def end(data: bytes, start: int = 0, stop: int | None = None) -> int:
    """Return the offset after the empty line that ends the header beginning at ``start``.

    Without an empty line the header reaches to ``stop``.
    """
    stop = len(data) if stop is None else stop
    if data.startswith((b"\r\n", b"\n"), start, stop):
        return start + (2 if data[start] == 13 else 1)
    match = _EMPTY_LINE.search(data, start, stop)
    return stop if match is None else match.end()


def fields(data: bytes, start: int = 0, stop: int | None = None) -> list[Field]:
    """Return the fields of the header that begins at ``start``, at most ``MAX_FIELDS``.

    Lines that are no fields are ignored.
    """
    return [field for field in lines(data, start, stop) if field.name]


def lines(data: bytes, start: int = 0, stop: int | None = None) -> list[Field]:
    """Return all lines of a header as ``fields`` does; those that are no fields have no name.

    Folded lines are one, and empty ones are left out.
    """
    found = []
    for piece in raw_lines(data, start, end(data, start, stop)):
        next_start = min(start + len(piece) + 1, len(data))
        name, value = _divided(piece)
        if name or value.strip():
            found.append(Field(name, value, start, next_start))
        start = next_start
    return found


def pairs(data: bytes, start: int, stop: int) -> list[tuple[bytes, bytes]]:
    """Return name and value of each of ``lines``, in two thirds of the time."""
    divided = map(_divided, raw_lines(data, start, end(data, start, stop)))
    return [pair for pair in divided if pair[0] or pair[1].strip()]


def _divided(piece: bytes) -> tuple[bytes, bytes]:
    """Return the name and the value of a line; no name where it is no field."""
    name, colon, value = piece.partition(b":")
    name = name.rstrip(b" \t")
    if not (colon and name) or b" " in name:
        return b"", piece
    return name, value


def values(data: bytes, start: int, stop: int, names: frozenset[bytes]) -> dict[bytes, list[bytes]]:
    """Return all values, with folding, of the fields with one of these lower-case names.

    A list has at least one value; they are in the header's order. The header ends at ``stop``. A name
    that no colon follows has an empty value. Cheaper than ``fields``, in time and in memory.
    """
    octets = data[start:stop]
    if len(octets) > MAX_FIELDS:  # perhaps more fields than are looked at
        octets = b"\n".join(raw_lines(data, start, stop))
    found: dict[bytes, list[bytes]] = {}
    for name, value in _named(names).findall(b"\n" + octets):
        found.setdefault(name.lower(), []).append(value[:MAX_VALUE])
    return found


@lru_cache(20)
def _named(names: frozenset[bytes]) -> re.Pattern[bytes]:
    """Return what finds name and value of fields with one of a few names, which are never a peer's."""
    any_name = b"|".join(map(re.escape, sorted(names)))
    value = rb":([^\n]*(?:\n[ \t][^\n]*)*)"
    return re.compile(rb"\n((?i:%b))[ \t]*+(?:%b|(?=\n(?![ \t])|\Z))" % (any_name, value))


def raw_lines(data: bytes, start: int, stop: int) -> list[bytes]:
    """Return the lines of a header, at most ``MAX_FIELDS``.

    Each has its folded ones, and lacks its last LF.
    """
    pieces = _FIELD_BREAK.split(data[start:stop], MAX_FIELDS)
    del pieces[MAX_FIELDS:]
    return pieces


def unfolded(value: bytes) -> bytes:
    """Return a field's value on one line, without the blanks around it.

    The white space at a fold is one space, be it tabs or several (RFC 5322 §3.2.2).
    """
    if b"\n" in value:
        value = _joined(value)
    return value.strip(b" \t\r")


def _joined(value: bytes) -> bytes:
    """Join the lines of a value, in the usual way in a third of the time."""
    usual = value.replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ")
    if not (b"\n" in usual or b"  " in usual or b"\t" in usual):
        return usual
    lines = [line.strip(b" \t\r") for line in value.split(b"\n")]
    return b" ".join([line for line in lines if line])


def text(value: bytes) -> str:
    """Return a field's value as a person reads it: unfolded, encoded words decoded."""
    plain = unfolded(value)
    # Most are ASCII, which every way of decoding reads alike.
    if plain.isascii() and b"=?" not in plain:
        return plain.decode("ascii")
    return decode_words(plain)
