"""Sections: the texts of a message that a FETCH can ask for, as values, and how they are read.

RFC 3501 §6.4.5. Where they lie is in ``sections``; reading their octets in ``body_sections``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.response_syntax import quoted
from twisted_mail.mail.outcome import ProtocolError

MAX_FIELDS = 500  # header field names in one command
MAX_PATH = 100  # part numbers of one section


class SectionKind(Enum):
    """Which text of a part a section means; ``ALL`` is the part's content in full."""

    ALL = ""
    HEADER = "HEADER"
    FIELDS = "HEADER.FIELDS"
    FIELDS_NOT = "HEADER.FIELDS.NOT"
    TEXT = "TEXT"
    MIME = "MIME"


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """A text of the message, or of the part that the numbers of ``path`` lead to.

    ``fields`` are the names that FIELDS and FIELDS_NOT list.
    """

    path: tuple[int, ...] = ()
    kind: SectionKind = SectionKind.ALL
    fields: tuple[bytes, ...] = ()

    def __bytes__(self) -> bytes:
        """Return the section as it stands between the brackets."""
        words = [*map(str, self.path), *([self.kind.value] if self.kind.value else [])]
        listed = b" (" + b" ".join(map(_astring, self.fields)) + b")" if self.fields else b""
        return ".".join(words).encode("ascii") + listed


@dataclass(frozen=True, slots=True)
class PartialRange:
    """Which octets of a section are wanted (RFC 3501 §6.4.5, partial)."""

    start: int
    count: int


@dataclass(frozen=True, slots=True)
class BodySection:
    r"""A section to send; ``label`` is the name that the answer uses."""

    spec: SectionSpec
    label: bytes
    range: PartialRange | None = None
    marks_seen: bool = False


_SECTION = re.compile(rb"([0-9.]*)([A-Za-z.]*)")
_RANGE = re.compile(rb"<([0-9]{1,19})\.([0-9]{1,19})>")


def _match(reader: Reader, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
    """Take what ``pattern`` finds at the reader's position."""
    found = pattern.match(reader.data, reader.position)
    if found is not None:
        reader.position = found.end()
    return found


def read_body_section(reader: Reader, marks_seen: bool) -> BodySection:
    """Read what follows ``BODY[`` or ``BODY.PEEK[``. Raises ProtocolError."""
    spec = _section(reader)
    reader.take(b"]")
    partial = _range(reader)
    origin = b"" if partial is None else b"<%d>" % partial.start
    return BodySection(spec, b"BODY[" + bytes(spec) + b"]" + origin, partial, marks_seen)


def _section(reader: Reader) -> SectionSpec:
    found = _match(reader, _SECTION)
    path, word = (b"", b"") if found is None else (found[1], found[2].upper())
    if path and word and not path.endswith(b"."):
        raise ProtocolError("A section needs a dot before its last word")
    numbers = tuple(_part_numbers(path[:-1] if word else path)) if path else ()
    kind = _KINDS.get(word)
    if kind is None or (kind is SectionKind.MIME and not numbers):
        raise ProtocolError("Unknown section")
    listed = kind in (SectionKind.FIELDS, SectionKind.FIELDS_NOT)
    return SectionSpec(numbers, kind, tuple(_fields(reader)) if listed else ())


_KINDS = {kind.value.encode("ascii"): kind for kind in SectionKind}


def _part_numbers(path: bytes) -> Iterator[int]:
    words = path.split(b".")
    if len(words) > MAX_PATH:
        raise ProtocolError("The section has too many part numbers")
    for word in words:
        if not 0 < len(word) <= 10 or int(word) == 0:
            raise ProtocolError("Malformed part number")
        yield int(word)


def _fields(reader: Reader) -> Iterator[bytes]:
    """Read the names of a header list."""
    reader.space()
    reader.take(b"(")
    for _ in range(MAX_FIELDS):
        name = reader.astring()
        if not is_field_name(name):
            raise ProtocolError("Malformed header field name")
        yield name
        if reader.accept(b")"):
            return
        reader.space()
    raise ProtocolError(f"A section names at most {MAX_FIELDS} header fields")


def is_field_name(name: bytes) -> bool:
    """Return whether a header field can have this name (RFC 5322 §2.2)."""
    return _FIELD_NAME.fullmatch(name) is not None


_FIELD_NAME = re.compile(rb"[!-9;-~]{1,998}")
_PLAIN = re.compile(rb"[A-Za-z0-9_.-]+")


def _astring(name: bytes) -> bytes:
    return name if _PLAIN.fullmatch(name) else quoted(name.decode("ascii"))


def _range(reader: Reader) -> PartialRange | None:
    found = _match(reader, _RANGE)
    if found is None:
        return None
    if int(found[2]) == 0:
        raise ProtocolError("A range has at least one octet")
    return PartialRange(int(found[1]), int(found[2]))
