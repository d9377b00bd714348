r"""Texts: the sections of messages that a FETCH sends, and how they are read within bounds.

Small messages are read many at a time. Of a large one only the extents of its sections are found, and
the octets follow in pieces when the line to the client can take them, so memory stays bounded whatever
is asked for. A message is read as a whole only when its parts have to be found, and the parts of the
last few large ones are remembered, for clients fetch one part in many ranges.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

from twisted_mail.imap.items import Kind, Section, Text
from twisted_mail.interfaces import Blocking, Mailbox
from twisted_mail.mail import mime
from twisted_mail.mail.entry import Piece

GROUP = 256 * 1024  # octets read at a time
MAX_HEADER = 1024 * 1024  # octets in which header fields are looked for
_INLINE = 32 * 1024  # octets whose parts are found in less time than a thread takes
_REMEMBERED = 4  # large messages whose parts are remembered


@dataclass(frozen=True, slots=True)
class Source:
    """One message to read: its UID, the octets of the whole and of its header."""

    uid: int
    size: int
    header_size: int


@dataclass(frozen=True, slots=True)
class Extent:
    """A text that is sent in pieces: the octets of a message from ``start`` to ``stop``."""

    uid: int
    start: int
    stop: int

    def pieces(self) -> Iterator[Piece]:
        """Yield the extent in pieces of bounded size."""
        for at in range(self.start, self.stop, GROUP):
            yield Piece(self.uid, at, min(at + GROUP, self.stop))


Value = bytes | Extent
Span = tuple[int, int]  # first octet, and the one behind the last


@dataclass(slots=True)
class Texts:
    """Reads texts of messages, in the order of ``wanted``.

    ``remembered`` belongs to one session and one mailbox, and outlives this object.
    """

    wanted: Sequence[Text]
    mailbox: Mailbox
    blocking: Blocking
    remembered: OrderedDict[int, mime.Part]
    _needs_parts: bool = field(init=False)

    def __post_init__(self) -> None:
        self._needs_parts = any(text.section.path for text in self.wanted)

    def groups(self, sources: Sequence[Source]) -> Iterator[list[Source]]:
        """Yield the messages in groups of bounded size; a large message is a group of its own."""
        group: list[Source] = []
        total = 0
        for source in sources:
            weight = self._weight(source)
            if group and total + weight > GROUP:
                yield group
                group, total = [], 0
            group.append(source)
            total += weight
        if group:
            yield group

    async def values(self, group: Sequence[Source]) -> list[list[Value] | None]:
        """Return what to send for each message of a group; None where a message is gone."""
        if len(group) == 1 and self._weight(group[0]) > GROUP:
            return [await self._large(group[0])]
        if self._needs_parts:
            return await self._through_parts(group)
        return await self._small(group)

    def _weight(self, source: Source) -> int:
        if self._needs_parts:
            return source.size * len(self.wanted)
        spans = (_whole_span(text, source) for text in self.wanted)
        return sum(stop - start for start, stop in spans)

    # ------------------------------------------------------------ three ways to read

    async def _small(self, group: Sequence[Source]) -> list[list[Value] | None]:
        """Read just the sections, all in one call."""
        pieces = [
            Piece(source.uid, *_whole_span(text, source))
            for source in group
            for text in self.wanted
        ]
        found = iter(await self.mailbox.read(pieces))
        return [self._finished([next(found) for _ in self.wanted]) for _ in group]

    def _finished(self, octets: Sequence[bytes | None]) -> list[Value] | None:
        values: list[Value] = []
        for text, data in zip(self.wanted, octets, strict=True):
            if data is None:
                return None
            values.append(_literal(_selected(text, data)))
        return values

    async def _through_parts(self, group: Sequence[Source]) -> list[list[Value] | None]:
        """Read whole messages, find their parts, and cut out the sections."""
        messages = await self.mailbox.read([Piece(source.uid) for source in group])
        cut = partial(_cut_all, self.wanted, messages, group)
        if sum(source.size for source in group) <= _INLINE:
            return cut()
        return await self.blocking.run(cut)

    async def _large(self, source: Source) -> list[Value] | None:
        """Find the extents of a large message's sections; read only what must be altered."""
        spans = await self._spans(source)
        if spans is None:
            return None
        values: list[Value] = []
        for text, span in zip(self.wanted, spans, strict=True):
            if span is not None and _selects(text.section):
                [data] = await self.mailbox.read([Piece(source.uid, *span)])
                if data is None:
                    return None
                values.append(_literal(_selected(text, data)))
            else:
                values.append(b"NIL" if span is None else Extent(source.uid, *span))
        return values

    async def _spans(self, source: Source) -> list[Span | None] | None:
        """Return the span of each section of a large message, or None when it is gone."""
        root = None
        if self._needs_parts:
            root = await self._root(source)
            if root is None:
                return None
        else:
            [first] = await self.mailbox.read([Piece(source.uid, 0, 1)])
            if first is None:
                return None
        return [_span(text, source, root) for text in self.wanted]

    async def _root(self, source: Source) -> mime.Part | None:
        root = self.remembered.get(source.uid)
        if root is not None:
            self.remembered.move_to_end(source.uid)
            return root
        [data] = await self.mailbox.read([Piece(source.uid)])
        if data is None:
            return None
        root = self.remembered[source.uid] = await self.blocking.run(mime.scan, data)
        while len(self.remembered) > _REMEMBERED:
            self.remembered.popitem(last=False)
        return root


def _cut_all(
    wanted: Sequence[Text], messages: Sequence[bytes | None], group: Sequence[Source]
) -> list[list[Value] | None]:
    return [
        None if data is None else _cut(wanted, data, source)
        for data, source in zip(messages, group, strict=True)
    ]


def _cut(wanted: Sequence[Text], data: bytes, source: Source) -> list[Value]:
    root = mime.scan(data)
    values: list[Value] = []
    for text in wanted:
        span = _span(text, source, root)
        values.append(b"NIL" if span is None else _literal(_selected(text, data[slice(*span)])))
    return values


# ---------------------------------------------------------------- where a section lies


def _span(text: Text, source: Source, root: mime.Part | None) -> Span | None:
    """Return where the text lies, its range taken; None when there is no such part."""
    if root is None or not text.section.path:
        return _whole_span(text, source)
    found = mime.locate(root, text.section.path, _MEANT[text.section.kind])
    return None if found is None else _ranged(text, *found)


_MEANT = {
    Kind.ALL: mime.Section.ALL,
    Kind.HEADER: mime.Section.HEADER,
    Kind.FIELDS: mime.Section.HEADER,
    Kind.FIELDS_NOT: mime.Section.HEADER,
    Kind.TEXT: mime.Section.TEXT,
    Kind.MIME: mime.Section.MIME,
}


def _whole_span(text: Text, source: Source) -> Span:
    """Return where a section without part numbers lies, its range taken."""
    header_size = min(source.header_size, source.size)
    match text.section.kind:
        case Kind.ALL:
            return _ranged(text, 0, source.size)
        case Kind.TEXT:
            return _ranged(text, header_size, source.size)
        case _:
            return _ranged(text, 0, header_size)


def _ranged(text: Text, start: int, stop: int) -> Span:
    if _selects(text.section):
        return start, min(stop, start + MAX_HEADER)
    if text.range is None:
        return start, stop
    first = min(start + text.range.start, stop)
    return first, min(first + text.range.count, stop)


# ---------------------------------------------------------------- header fields


def _selects(section: Section) -> bool:
    return section.kind in (Kind.FIELDS, Kind.FIELDS_NOT)


def _selected(text: Text, data: bytes) -> bytes:
    """Take the listed fields, and then the range, which counts in what is left."""
    if not _selects(text.section):
        return data
    data = selected_fields(data, text.section)
    if text.range is None:
        return data
    return data[text.range.start : text.range.start + text.range.count]


def selected_fields(header: bytes, section: Section) -> bytes:
    """Return the fields of a header that a section lists, or else all others.

    The empty line at the header's end stays, if there is one (RFC 3501 §6.4.5).
    """
    pattern = _fields_pattern(section.fields)
    if section.kind is Kind.FIELDS_NOT:
        return pattern.sub(b"", header)
    has_end = header.endswith(b"\r\n\r\n") or header == b"\r\n"
    return b"".join(pattern.findall(header)) + (b"\r\n" if has_end else b"")


@lru_cache(256)
def _fields_pattern(names: tuple[bytes, ...]) -> re.Pattern[bytes]:
    # Each continuation line begins behind the end of the line before it, so there is one way to match.
    listed = b"|".join(re.escape(name) for name in names)
    return re.compile(
        rb"^(?:" + listed + rb")[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)",
        re.IGNORECASE | re.MULTILINE,
    )


def _literal(data: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(data), data)
