"""Reading the sections of messages that a FETCH sends, within bounds.

Small messages are read many at a time. Of a large one only the extents of its sections are found, by
the outline that the store keeps of it, and the octets follow in pieces when the line to the client can
take them: memory stays bounded whatever is asked for. The outlines of the last few large messages are
remembered, for clients fetch one part in many ranges.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeVar

from twisted_mail.imap.fetch.outline import Outline
from twisted_mail.imap.fetch.section_spec import BodySection
from twisted_mail.imap.fetch.sections import Span, part_span, selected_octets, whole_span
from twisted_mail.imap.response_syntax import literal
from twisted_mail.interfaces import Blocking, Mailbox
from twisted_mail.mail.mailbox.entry import ItemTier, MessageRange
from twisted_mail.mail.mime import structure
from twisted_mail.mail.mime.sections import PartNode

GROUP_OCTETS = 256 * 1024  # octets read at a time
T = TypeVar("T")
_INLINE = 16 * 1024  # octets whose parts are found in less time than a thread takes
_REMEMBERED = 4  # large messages whose outlines are remembered


@dataclass(frozen=True, slots=True)
class SectionExtent:
    """A section that is sent in pieces: the octets of a message from ``start`` to ``stop``."""

    uid: int
    start: int
    stop: int

    def pieces(self) -> Iterator[MessageRange]:
        """Yield the extent in pieces of bounded size."""
        for at in range(self.start, self.stop, GROUP_OCTETS):
            yield MessageRange(self.uid, at, min(at + GROUP_OCTETS, self.stop))


@dataclass(frozen=True, slots=True)
class DeferredFields:
    """Header fields of a large message that are read when their turn comes."""

    section: BodySection
    piece: MessageRange

    def literal(self, header: bytes) -> bytes:
        """Return what to send, of the octets of the piece."""
        return literal(selected_octets(self.section, header))


Value = bytes | SectionExtent | DeferredFields | None  # None where there is no such part


class SectionSource(NamedTuple):
    """A message to read, and what is read of it: its sections, or all where parts have to be found.

    ``weight`` is how many octets reading takes into memory.
    """

    uid: int
    size: int
    header_size: int
    ranges: Sequence[MessageRange]
    weight: int


class FoundSections(NamedTuple):
    """The UIDs of messages that are there, and for each section a column of what to send of them.

    If it ``is_large`` it is one message, with values that are sent in pieces.
    """

    uids: Sequence[int]
    columns: Sequence[Sequence[Value]]
    is_large: bool = False


@dataclass(slots=True)
class BodySectionReader:
    """Reads sections of messages, in the order of ``sections``.

    ``remembered`` belongs to one session and one mailbox, and outlives this object.
    """

    sections: Sequence[BodySection]
    mailbox: Mailbox
    blocking: Blocking
    remembered: OrderedDict[int, Outline]
    _needs_parts: bool = field(init=False)

    def __post_init__(self) -> None:
        self._needs_parts = any(section.spec.path for section in self.sections)

    def source(self, uid: int, size: int, header_size: int) -> SectionSource:
        """Describe a message by its size, and the size of its header if a section needs it."""
        if self._needs_parts:
            whole = (MessageRange(uid),)
            return SectionSource(uid, size, header_size, whole, size * len(self.sections))
        ranges = []
        weight = 0
        for section in self.sections:
            start, stop = whole_span(section, size, header_size)
            ranges.append(MessageRange(uid, start, stop))
            weight += stop - start
        return SectionSource(uid, size, header_size, ranges, weight)

    def from_kept(self, uids: Sequence[int], fields: Sequence[bytes]) -> FoundSections:
        """Return what to send of messages whose sections can all be made of their kept fields."""
        columns = [[selected_octets(one, kept) for kept in fields] for one in self.sections]
        return FoundSections(uids, columns)

    def groups(self, sources: Iterable[SectionSource]) -> Iterator[list[SectionSource]]:
        """Yield the messages in groups of bounded size; a large message is a group of its own."""
        group: list[SectionSource] = []
        total = 0
        for source in sources:
            if group and total + source.weight > GROUP_OCTETS:
                yield group
                group, total = [], 0
            group.append(source)
            total += source.weight
        if group:
            yield group

    def read(self, group: Sequence[SectionSource]) -> Awaitable[FoundSections]:
        """Return what to send of the messages of a group."""
        if len(group) == 1 and group[0].weight > GROUP_OCTETS:
            return self._large(group[0])
        return self._through_parts(group) if self._needs_parts else self._small(group)

    # ------------------------------------------------------------ three ways to read

    async def _small(self, group: Sequence[SectionSource]) -> FoundSections:
        """Read just the sections, all in one call."""
        uids = [source.uid for source in group]
        found = await self.mailbox.read([one for source in group for one in source.ranges])
        number = len(self.sections)
        columns = [found[at::number] for at in range(number)]
        if None in found:
            rows = [None if None in row else row for row in zip(*columns, strict=True)]
            uids, columns = _present(uids, rows, number)
        pairs = zip(self.sections, columns, strict=True)
        return FoundSections(uids, [_selected(section, column) for section, column in pairs])

    async def _through_parts(self, group: Sequence[SectionSource]) -> FoundSections:
        """Read the messages, find their parts, and cut out the sections."""
        messages = await self.mailbox.read([source.ranges[0] for source in group])
        cut = partial(_cut_all, self.sections, messages, group)
        is_little = sum(source.size for source in group) <= _INLINE
        rows = cut() if is_little else await self.blocking.run(cut)
        return FoundSections(*_present([one.uid for one in group], rows, len(self.sections)))

    async def _large(self, source: SectionSource) -> FoundSections:
        """Find where a large message's sections lie; read nothing of them."""
        spans = await self._spans(source)
        if spans is None:
            return FoundSections([], [[] for _ in self.sections])
        pairs = zip(self.sections, spans, strict=True)
        columns = [[_unread(section, source.uid, span)] for section, span in pairs]
        return FoundSections([source.uid], columns, is_large=True)

    async def _spans(self, source: SectionSource) -> Sequence[Span | None] | None:
        """Return the span of each section of a large message, or None when it is gone."""
        if self._needs_parts:
            outline = await self._outline(source.uid)
            if outline is None:
                return None
            return [_span(section, source, outline.root) for section in self.sections]
        [first] = await self.mailbox.read([MessageRange(source.uid, 0, 1)])
        return None if first is None else [_span(section, source) for section in self.sections]

    async def _outline(self, uid: int) -> Outline | None:
        outline = self.remembered.get(uid)
        if outline is not None:
            self.remembered.move_to_end(uid)
            return outline
        [items] = await self.mailbox.items([uid], ItemTier.STRUCTURE)
        if items is None:
            return None
        outline = self.remembered[uid] = Outline(items.outline)
        while len(self.remembered) > _REMEMBERED:
            self.remembered.popitem(last=False)
        return outline


def _present(
    uids: Sequence[int], rows: Sequence[Sequence[T] | None], number: int
) -> tuple[list[int], list[Sequence[T]]]:
    """Return what is there of rows of so many values, as columns, and whose it is."""
    found = [(uid, row) for uid, row in zip(uids, rows, strict=True) if row is not None]
    return [uid for uid, _ in found], [[row[at] for _, row in found] for at in range(number)]


def _selected(section: BodySection, column: Sequence[bytes | None]) -> Sequence[bytes | None]:
    if not section.spec.fields:
        return column
    return [selected_octets(section, data or b"") for data in column]


def _unread(section: BodySection, uid: int, span: Span | None) -> Value:
    if span is None:
        return None
    return (
        DeferredFields(section, MessageRange(uid, *span))
        if section.spec.fields
        else SectionExtent(uid, *span)
    )


def _cut_all(
    sections: Sequence[BodySection],
    messages: Sequence[bytes | None],
    group: Sequence[SectionSource],
) -> list[list[Value] | None]:
    return [
        None if data is None else _cut(sections, data, source)
        for data, source in zip(messages, group, strict=True)
    ]


def _cut(sections: Sequence[BodySection], data: bytes, source: SectionSource) -> list[Value]:
    root = structure.scan(data)
    values: list[Value] = []
    for section in sections:
        span = _span(section, source, root)
        values.append(None if span is None else selected_octets(section, data[slice(*span)]))
    return values


def _span(section: BodySection, source: SectionSource, root: PartNode | None = None) -> Span | None:
    if root is not None and section.spec.path:
        return part_span(section, root)
    return whole_span(section, source.size, source.header_size)
