r"""Plans: a FETCH compiled once, then applied to whole batches of messages.

A plan is one template for the line of a message, ``* %d FETCH (UID %d FLAGS %b)``, and for each value in
it a column of a batch of messages. Rendering a line is then one ``%``, and rendering a batch one join.
Where sections are asked for there is a template before each, and one after the last: a section may be
the whole message, and is copied once, by the join.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, NamedTuple

from twisted_mail.imap.bulk_column import BulkColumn
from twisted_mail.imap.fetch.item import FetchBatch, FetchItem, RequestedItem
from twisted_mail.imap.fetch.items import FLAGS, UID
from twisted_mail.imap.fetch.section_spec import BodySection, SectionKind
from twisted_mail.imap.fetch.sections import is_kept
from twisted_mail.imap.response_syntax import shown_flags
from twisted_mail.mail.mailbox.entry import ItemTier

Column = Callable[[FetchBatch], Iterable[Any]]


class PlannedValue(NamedTuple):
    """One value of the line: where it comes from, and how it is shown."""

    column: Column
    shown: Callable[[Any], Any] | None = None

    def values(self, batch: FetchBatch) -> Iterable[Any]:
        """Return what is sent of a batch."""
        found = self.column(batch)
        return found if self.shown is None else map(self.shown, found)


class LineSegment(NamedTuple):
    """A part of the line: its template, and the values in it."""

    template: bytes
    values: tuple[PlannedValue, ...]


@dataclass(frozen=True, slots=True)
class FetchPlan:
    r"""How the answers to one FETCH are made.

    One that ``is_known`` asks for UIDs and flags alone, which the view has. The mailbox is asked for
    rendered items up to ``tier``, if there is one, and for the bulk columns that it ``loads``; a plan
    that ``is_measured`` needs dates or sizes. One that ``marks_seen`` marks messages as ``\Seen``.
    ``uses_kept_fields`` when its sections can be made of the header fields that the store keeps. One that
    ``has_large`` values is answered for few messages at a time.
    """

    segments: tuple[LineSegment, ...]  # one before each section, and one after the last
    sections: tuple[BodySection, ...]
    tier: ItemTier | None
    loads: tuple[BulkColumn, ...]
    is_known: bool
    is_measured: bool
    has_flags: bool
    marks_seen: bool
    uses_kept_fields: bool
    has_large: bool

    def lines(self, batch: FetchBatch) -> bytes:
        """Return the answers for a batch."""
        if self.sections:
            return b"".join(self.pieces(batch))
        [(template, values)] = self.segments
        columns = [
            column(batch) if shown is None else map(shown, column(batch))
            for column, shown in values
        ]
        return b"".join([template % row for row in zip(batch.numbers, *columns, strict=True)])

    def pieces(self, batch: FetchBatch) -> Iterator[Any]:
        """Return what the answers are made of, one piece after the other.

        All are octets, but for sections that are sent as they are read.
        """
        columns: list[Iterable[Any]] = [batch.numbers]
        woven: list[Iterable[Any]] = []
        for (template, values), section in zip(self.segments, batch.sections, strict=False):
            columns += [value.values(batch) for value in values]
            columns.append(map(_announced, section))
            woven += map(template.__mod__, zip(*columns, strict=False)), _without_nil(section)
            columns = []
        last, values = self.segments[-1]
        if values:
            rows = zip(*[value.values(batch) for value in values], strict=True)
            woven.append(map(last.__mod__, rows))
        else:
            woven.append(repeat(last))
        return chain.from_iterable(zip(*woven, strict=False))


def _announced(section: Any) -> bytes:
    """Return what stands before the octets of a section: they are a literal; no section is NIL."""
    if isinstance(section, bytes):
        return b"{%d}\r\n" % len(section)
    return b"NIL" if section is None else b""


def _without_nil(column: Sequence[Any]) -> Sequence[Any]:
    return [one or b"" for one in column] if None in column else column


def compile_plan(requested: Sequence[RequestedItem], is_uid: bool) -> FetchPlan:
    r"""Compile the items of a FETCH; that of a UID FETCH always sends the UID (RFC 3501 §6.4.8).

    A plan that marks messages as ``\Seen`` sends the flags of those it changed.
    """
    if is_uid and UID not in requested:
        requested = (UID, *requested)
    items = [one for one in requested if isinstance(one, FetchItem)]
    sections = tuple([one for one in requested if isinstance(one, BodySection)])
    marks_seen = any(section.marks_seen for section in sections)
    columns = dict.fromkeys([item.of for item in items if isinstance(item.of, BulkColumn)])
    loads = tuple([column for column in columns if column.tier is None])
    tier = _tier(columns, sections)
    return FetchPlan(
        tuple(_segments(requested, marks_seen and FLAGS not in items)),
        sections,
        tier,
        loads,
        is_known=all(one in (UID, FLAGS) for one in requested),
        is_measured=bool(sections) or any(item.of in _MEASURED for item in items),
        has_flags=FLAGS in items,
        marks_seen=marks_seen,
        uses_kept_fields=bool(sections) and all(map(is_kept, sections)),
        has_large=bool(sections) or any(column.are_large for column in columns),
    )


_MEASURED = ("dates", "sizes")


def _tier(columns: Iterable[BulkColumn], sections: Sequence[BodySection]) -> ItemTier | None:
    tiers = [column.tier for column in columns if column.tier is not None]
    if any(map(_needs_header_size, sections)):
        tiers.append(ItemTier.HEADER)
    return max(tiers, default=None)


def _needs_header_size(section: BodySection) -> bool:
    return not section.spec.path and section.spec.kind is not SectionKind.ALL


def _segments(requested: Sequence[RequestedItem], sends_changed: bool) -> Iterator[LineSegment]:
    """Yield the segments of the line; ``sends_changed`` adds the flags that the FETCH alters."""
    before, template = b" (", b"* %d FETCH"
    values: list[PlannedValue] = []
    for one in requested:
        if isinstance(one, BodySection):
            yield LineSegment(template + before + _escaped(one.label) + b" %b", tuple(values))
            template, values = b"", []
        else:
            kind = b" %d" if one.is_number else b" %b"
            template += before + one.name.encode("ascii") + kind
            values.append(PlannedValue(_column(one.of), one.shown))
        before = b" "
    if sends_changed:
        template += b"%b"
        values.append(PlannedValue(_changed_flags))
    yield LineSegment(template + b")\r\n", tuple(values))


def _escaped(label: bytes) -> bytes:
    return label.replace(b"%", b"%%")


def _column(of: str | BulkColumn) -> Column:
    if isinstance(of, str):
        return attrgetter(of)
    if of.tier is not None:
        return attrgetter("rendered")
    return lambda batch: batch.loaded[of]


def _changed_flags(batch: FetchBatch) -> Iterable[bytes]:
    if not batch.changed:
        return [b""] * len(batch.uids)
    return [
        b" FLAGS " + shown_flags(flags) if uid in batch.changed else b""
        for uid, flags in zip(batch.uids, batch.flags, strict=True)
    ]
