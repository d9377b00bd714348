"""Texts: the sections of messages that a FETCH sends, and how they are read within bounds.

Small messages are read many at a time. Of a large one only the extents of its sections are found, and
the octets follow in pieces when the line to the client can take them, so memory stays bounded whatever
is asked for. A message is read as a whole only when its parts have to be found, and the parts of the
last few large ones are remembered, for clients fetch one part in many ranges.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from twisted_mail.imap.items import Text
from twisted_mail.imap.sections import (
    Source,
    Span,
    outline,
    selected,
    selects,
    span_of,
    whole_span,
)
from twisted_mail.interfaces import Blocking, Mailbox
from twisted_mail.mail import mime
from twisted_mail.mail.entry import Piece

GROUP = 256 * 1024  # octets read at a time
_INLINE = 32 * 1024  # octets whose parts are found in less time than a thread takes
_REMEMBERED = 4  # large messages whose parts are remembered


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
        spans = (whole_span(text, source) for text in self.wanted)
        return sum(stop - start for start, stop in spans)

    # ------------------------------------------------------------ three ways to read

    async def _small(self, group: Sequence[Source]) -> list[list[Value] | None]:
        """Read just the sections, all in one call."""
        pieces = [
            Piece(source.uid, *whole_span(text, source)) for source in group for text in self.wanted
        ]
        found = iter(await self.mailbox.read(pieces))
        return [self._finished([next(found) for _ in self.wanted]) for _ in group]

    def _finished(self, octets: Sequence[bytes | None]) -> list[Value] | None:
        values: list[Value] = []
        for text, data in zip(self.wanted, octets, strict=True):
            if data is None:
                return None
            values.append(_literal(selected(text, data)))
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
            if span is not None and selects(text.section):
                [data] = await self.mailbox.read([Piece(source.uid, *span)])
                if data is None:
                    return None
                values.append(_literal(selected(text, data)))
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
        return [span_of(text, source, root) for text in self.wanted]

    async def _root(self, source: Source) -> mime.Part | None:
        root = self.remembered.get(source.uid)
        if root is not None:
            self.remembered.move_to_end(source.uid)
            return root
        [data] = await self.mailbox.read([Piece(source.uid)])
        if data is None:
            return None
        root = self.remembered[source.uid] = await self.blocking.run(outline, data)
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
        span = span_of(text, source, root)
        values.append(b"NIL" if span is None else _literal(selected(text, data[slice(*span)])))
    return values


def _literal(data: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(data), data)
