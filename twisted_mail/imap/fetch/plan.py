r"""Plans: a FETCH compiled once, then applied to whole batches of messages.

A plan is one template for the line of a message, ``* %d FETCH (UID %d FLAGS %b)``, and for each value in
it a column of a batch of messages. Rendering a line is then one ``%``, and rendering a batch one join.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from twisted_mail.imap.bulk_column import BulkColumn
from twisted_mail.imap.fetch.item import FetchBatch, FetchItem, RequestedItem
from twisted_mail.imap.fetch.items import FLAGS, UID
from twisted_mail.imap.fetch.section_spec import BodySection, SectionKind
from twisted_mail.imap.fetch.sections import is_kept
from twisted_mail.imap.writing import shown_flags
from twisted_mail.mail.mailbox.entry import ItemTier

Column = Callable[[FetchBatch], Iterable[Any]]


class PlannedValue(NamedTuple):
    """One value of the line: what stands before it, where it comes from, how it is shown."""

    before: bytes
    column: Column
    shown: Callable[[Any], Any] | None = None

    def values(self, batch: FetchBatch) -> Iterable[Any]:
        """Return what is sent of a batch."""
        found = self.column(batch)
        return found if self.shown is None else map(self.shown, found)


@dataclass(frozen=True, slots=True)
class FetchPlan:
    r"""How the answers to one FETCH are made.

    One that ``is_known`` asks for UIDs and flags alone, which the view has. The mailbox is asked for
    rendered items up to ``tier``, if there is one, and for the bulk columns that it ``loads``; a plan
    that ``is_measured`` needs dates or sizes. One that ``marks_seen`` marks messages as ``\Seen``.
    ``uses_kept_fields`` when its sections can be made of the header fields that the store keeps. One that
    ``has_large`` values is answered for few messages at a time.
    """

    values: tuple[PlannedValue, ...]
    sections: tuple[BodySection, ...]
    tier: ItemTier | None
    loads: tuple[BulkColumn, ...]
    is_known: bool
    is_measured: bool
    has_flags: bool
    marks_seen: bool
    uses_kept_fields: bool
    has_large: bool
    template: bytes

    def lines(self, batch: FetchBatch) -> bytes:
        """Return the answers for a batch."""
        template = self.template
        columns = [
            column(batch) if shown is None else map(shown, column(batch))
            for _, column, shown in self.values
        ]
        return b"".join([template % row for row in zip(batch.numbers, *columns, strict=True)])

    def parts(self, batch: FetchBatch) -> Iterator[tuple[bytes, Any]]:
        """Yield what the line of a batch of one message is made of, piece by piece."""
        before = b"* %d FETCH (" % batch.numbers[0]
        for planned in self.values:
            [value] = planned.values(batch)
            shown, _, kind = planned.before.rpartition(b"%")
            yield before + shown.replace(b"%%", b"%"), b"%d" % value if kind == b"d" else value
            before = b""
        yield b")\r\n", b""


def compile_plan(requested: Sequence[RequestedItem], is_uid: bool) -> FetchPlan:
    r"""Compile the items of a FETCH; that of a UID FETCH always sends the UID (RFC 3501 §6.4.8).

    A plan that marks messages as ``\Seen`` sends the flags of those it changed.
    """
    if is_uid and UID not in requested:
        requested = (UID, *requested)
    items = [one for one in requested if isinstance(one, FetchItem)]
    sections = tuple([one for one in requested if isinstance(one, BodySection)])
    marks_seen = any(section.marks_seen for section in sections)
    values = _values(requested, sections)
    if marks_seen and FLAGS not in items:
        values.append(PlannedValue(b"%b", _changed_flags))
    columns = dict.fromkeys([item.of for item in items if isinstance(item.of, BulkColumn)])
    loads = tuple([column for column in columns if column.tier is None])
    tier = _tier(columns, sections)
    return FetchPlan(
        tuple(values),
        sections,
        tier,
        loads,
        is_known=all(one in (UID, FLAGS) for one in requested),
        is_measured=bool(sections) or any(item.of in _MEASURED for item in items),
        has_flags=FLAGS in items,
        marks_seen=marks_seen,
        uses_kept_fields=bool(sections) and all(map(is_kept, sections)),
        has_large=bool(sections) or any(column.are_large for column in columns),
        template=b"* %d FETCH (" + b"".join([value.before for value in values]) + b")\r\n",
    )


_MEASURED = ("dates", "sizes")


def _tier(columns: Iterable[BulkColumn], sections: Sequence[BodySection]) -> ItemTier | None:
    tiers = [column.tier for column in columns if column.tier is not None]
    if any(map(_needs_header_size, sections)):
        tiers.append(ItemTier.HEADER)
    return max(tiers, default=None)


def _needs_header_size(section: BodySection) -> bool:
    return not section.spec.path and section.spec.kind is not SectionKind.ALL


def _values(
    requested: Sequence[RequestedItem], sections: Sequence[BodySection]
) -> list[PlannedValue]:
    values: list[PlannedValue] = []
    for one in requested:
        before = b" " if values else b""
        if isinstance(one, BodySection):
            label = one.label.replace(b"%", b"%%") + b" %b"
            values.append(PlannedValue(before + label, _section_values(sections.index(one))))
        else:
            kind = b" %d" if one.is_number else b" %b"
            shown = before + one.name.encode("ascii") + kind
            values.append(PlannedValue(shown, _column(one.of), one.shown))
    return values


def _column(of: str | BulkColumn) -> Column:
    if isinstance(of, str):
        return attrgetter(of)
    if of.tier is not None:
        return attrgetter("rendered")
    return lambda batch: batch.loaded[of]


def _section_values(at: int) -> Column:
    return lambda batch: [values[at] for values in batch.sections]


def _changed_flags(batch: FetchBatch) -> Iterable[bytes]:
    if not batch.changed:
        return [b""] * len(batch.uids)
    return [
        b" FLAGS " + shown_flags(flags) if uid in batch.changed else b""
        for uid, flags in zip(batch.uids, batch.flags, strict=True)
    ]
