"""Sections: where they lie in a message, and what is taken of them (RFC 3501 §6.4.5)."""

import re
from functools import lru_cache

from twisted_mail.imap.fetch.section_spec import BodySection, SectionKind, SectionSpec
from twisted_mail.mail.mime import sections

MAX_HEADER = 256 * 1024  # octets in which header fields are looked for
MAX_KEPT = 8 * 1024  # octets of fields that are kept of a message
# Names, and their octets, of which an expression is made: that of 16 takes 0.2 ms.
_FEW_NAMES, _FEW_OCTETS = 16, 400

# What the lists of messages in mail programs are made of.
_KEPT_NAMES = b"""
bcc cc content-type date from importance in-reply-to list-id list-post list-unsubscribe mail-followup-to
message-id newsgroups priority references reply-to return-path sender subject to x-label x-mailer
x-priority
"""
KEPT = frozenset(_KEPT_NAMES.split())

Span = tuple[int, int]  # first octet, and the one after the last


# ---------------------------------------------------------------- where a section lies


def part_span(section: BodySection, root: sections.PartNode) -> Span | None:
    """Return where a section with part numbers lies; None when there is no such part."""
    found = sections.locate(root, section.spec.path, _MEANT[section.spec.kind])
    return None if found is None else _ranged(section, *found)


_MEANT = {
    SectionKind.ALL: sections.PartSection.ALL,
    SectionKind.HEADER: sections.PartSection.HEADER,
    SectionKind.FIELDS: sections.PartSection.HEADER,
    SectionKind.FIELDS_NOT: sections.PartSection.HEADER,
    SectionKind.TEXT: sections.PartSection.TEXT,
    SectionKind.MIME: sections.PartSection.MIME,
}


def whole_span(section: BodySection, size: int, header_size: int) -> Span:
    """Return where a section without part numbers lies in a message, its range taken."""
    kind = section.spec.kind
    if kind is SectionKind.ALL:
        return (0, size) if section.range is None else _ranged(section, 0, size)
    header_size = min(header_size, size)
    if kind is SectionKind.TEXT:
        return _ranged(section, header_size, size)
    return _ranged(section, 0, header_size)


def _ranged(section: BodySection, start: int, stop: int) -> Span:
    if section.spec.fields:
        return start, min(stop, start + MAX_HEADER)
    if section.range is None:
        return start, stop
    first = min(start + section.range.start, stop)
    return first, min(first + section.range.count, stop)


# ---------------------------------------------------------------- header fields


def selected_octets(section: BodySection, data: bytes) -> bytes:
    """Take the listed fields, and then the range, which counts in what is left."""
    if not section.spec.fields:
        return data
    data = selected_fields(data, section.spec)
    if section.range is None:
        return data
    return data[section.range.start : section.range.start + section.range.count]


def selected_fields(header: bytes, section: SectionSpec) -> bytes:
    """Return the fields of a header that a section lists, or else all others.

    The empty line at the header's end stays, if there is one (RFC 3501 §6.4.5).
    """
    if section.kind is SectionKind.FIELDS_NOT:
        names = _lowered(section.fields)
        return _FIELD.sub(lambda one: b"" if one[2].lower() in names else one[1], header)
    listed = _listed_fields(header, section.fields)
    return listed + b"\r\n" if ends_header(header) else listed


def ends_header(header: bytes) -> bool:
    """Return whether octets of a header have the empty line at its end."""
    return header.endswith(b"\r\n\r\n") or header == b"\r\n"


def _listed_fields(header: bytes, listed: tuple[bytes, ...]) -> bytes:
    pattern = _pattern(listed) if header.endswith(b"\n") else None
    if pattern is not None:
        found = pattern.findall(b"\n" + header)
        return b"\n".join([*found, b""])
    names = _lowered(listed)
    return b"".join([field for field, name in _FIELD.findall(header) if name.lower() in names])


def kept_fields(data: bytes, header_size: int) -> bytes | None:
    """Return those fields of a message that are kept, or None where they are too long."""
    fields = selected_fields(data[: min(header_size, MAX_HEADER)], _KEPT_SECTION)
    return fields if len(fields) <= MAX_KEPT else None


def is_kept(section: BodySection) -> bool:
    """Return whether a section can be made of the kept fields alone."""
    spec = section.spec
    return spec.kind is SectionKind.FIELDS and not spec.path and _lowered(spec.fields) <= KEPT


# A field with its continuation lines, and its name. Each of those lines begins after the end of the one
# before it, so there is one way to match.
_FIELD = re.compile(rb"^(([^\s:]+)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z))", re.MULTILINE)


_KEPT_SECTION = SectionSpec(kind=SectionKind.FIELDS, fields=tuple(sorted(KEPT)))


@lru_cache(64)
def _pattern(names: tuple[bytes, ...]) -> re.Pattern[bytes] | None:
    """Return what finds the fields of a few names, three times as fast as looking at each field."""
    if len(names) > _FEW_NAMES or len(b"".join(names)) > _FEW_OCTETS:
        return None
    any_name = b"|".join(map(re.escape, names))
    return re.compile(rb"\n((?i:%b)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*)" % any_name)


@lru_cache(64)
def _lowered(names: tuple[bytes, ...]) -> frozenset[bytes]:
    return frozenset(map(bytes.lower, names))
