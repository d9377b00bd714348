r"""Plans: a FETCH compiled once, then applied to whole batches of messages.

A plan is one template for the line of a message, ``* %d FETCH (UID %d FLAGS %b)``, and a function for
each value in it that makes the values of all messages of a batch. Rendering a line is then one ``%``,
and rendering a batch one join.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_mail.imap.bulk_column import HEADER, BulkColumn
from twisted_mail.imap.fetch.item import Column, FetchBatch, FetchItem, RequestedItem
from twisted_mail.imap.fetch.items import FLAGS, UID
from twisted_mail.imap.fetch.section_spec import BodySection, SectionKind
from twisted_mail.imap.fetch.sections import is_kept
from twisted_mail.imap.writing import shown_flags


@dataclass(frozen=True, slots=True)
class FetchPlan:
    r"""How the answers to one FETCH are made.

    One that ``is_known`` asks for UIDs and flags alone, which the view has. ``loads`` are the bulk
    columns that the mailbox is asked for; a plan that ``is_measured`` needs dates or sizes. One that
    ``marks_seen`` marks messages as ``\Seen``. ``uses_kept_fields`` when its sections can be made of the
    header fields that the store keeps. One that ``has_large`` values is answered for few messages at a
    time.
    """

    values: tuple[tuple[bytes, Column], ...]  # what stands before a value, and the values
    sections: tuple[BodySection, ...]
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
        columns = [column(batch) for _, column in self.values]
        return b"".join([template % row for row in zip(batch.numbers, *columns, strict=True)])

    def parts(self, batch: FetchBatch) -> Iterator[tuple[bytes, Any]]:
        """Yield what the line of a batch of one message is made of, piece by piece."""
        before = b"* %d FETCH (" % batch.numbers[0]
        for template, column in self.values:
            [value] = column(batch)
            shown, _, kind = template.rpartition(b"%")
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
        values.append((b"%b", _changed_flags))
    loads = _loads(items, sections)
    return FetchPlan(
        tuple(values),
        sections,
        loads,
        is_known=all(one in (UID, FLAGS) for one in requested),
        is_measured=bool(sections) or any(item.is_measured for item in items),
        has_flags=FLAGS in items,
        marks_seen=marks_seen,
        uses_kept_fields=bool(sections) and all(map(is_kept, sections)),
        has_large=bool(sections) or any(column.are_large for column in loads),
        template=b"* %d FETCH (" + b"".join([shown for shown, _ in values]) + b")\r\n",
    )


def _loads(items: Sequence[FetchItem], sections: Sequence[BodySection]) -> tuple[BulkColumn, ...]:
    loads = {item.loads: None for item in items if item.loads is not None}
    if any(map(_needs_header_size, sections)):
        loads[HEADER] = None
    included = {one for column in loads for one in column.chain if one is not column}
    return tuple([column for column in loads if column not in included])


def _needs_header_size(section: BodySection) -> bool:
    return not section.spec.path and section.spec.kind is not SectionKind.ALL


def _values(
    requested: Sequence[RequestedItem], sections: Sequence[BodySection]
) -> list[tuple[bytes, Column]]:
    values: list[tuple[bytes, Column]] = []
    for one in requested:
        before = b" " if values else b""
        if isinstance(one, BodySection):
            label = one.label.replace(b"%", b"%%") + b" %b"
            values.append((before + label, _section_values(sections.index(one))))
        else:
            kind = b" %d" if one.is_number else b" %b"
            values.append((before + one.name.encode("ascii") + kind, one.column))
    return values


def _section_values(at: int) -> Column:
    return lambda batch: [values[at] for values in batch.sections]


def _changed_flags(batch: FetchBatch) -> Iterable[bytes]:
    if not batch.changed:
        return [b""] * len(batch.uids)
    return [
        b" FLAGS " + shown_flags(flags) if uid in batch.changed else b""
        for uid, flags in zip(batch.uids, batch.flags, strict=True)
    ]
