r"""Plans: a FETCH compiled once, then applied to whole batches of messages.

A plan is one template for the line of a message, ``* %d FETCH (UID %d FLAGS %b)``, and a function for
each place in it that makes the values of that place for all messages of a batch. Rendering a line is
then one ``%``, and rendering a batch one join.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from twisted_mail.imap import objectid
from twisted_mail.imap.fetch.items import BodySection, FetchAttribute, FetchItem, SectionKind
from twisted_mail.imap.fetch.sections import is_kept
from twisted_mail.imap.objectid import ObjectIdKind
from twisted_mail.imap.writing import flag_list
from twisted_mail.mail.dates import format_internal
from twisted_mail.mail.mailbox.entry import RenderedItems
from twisted_mail.mail.mailbox.flags import RECENT, Flags


@dataclass(slots=True)
class FetchBatch:
    r"""Columns of the messages that are answered together.

    ``flags`` may hold ``\Recent``; ``items``, ``emails`` and ``threads`` are empty when the plan needs
    none. ``texts`` has, for each message, what the plan's texts became. ``changed`` are the UIDs whose
    flags this FETCH altered.
    """

    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[Flags]
    dates: Sequence[int]
    sizes: Sequence[int]
    items: Sequence[RenderedItems] = ()
    emails: Sequence[str] = ()
    threads: Sequence[str] = ()
    texts: Sequence[Sequence[Any]] = ()
    changed: frozenset[int] = frozenset()


Column = Callable[[FetchBatch], Iterable[Any]]  # bytes for %b, a number for %d


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """How the answers to one FETCH are made."""

    places: tuple[tuple[bytes, Column], ...]  # what stands before a value, and the values
    texts: tuple[BodySection, ...]
    needs_items: bool
    needs_emails: bool
    needs_threads: bool
    needs_sizes: bool  # or dates, of the messages
    has_flags: bool
    needs_kept: bool  # the texts can be made of the fields that were kept
    template: bytes

    @property
    def marks_seen(self) -> bool:
        r"""True when fetching marks messages as ``\Seen``."""
        return any(text.marks_seen for text in self.texts)

    def lines(self, batch: FetchBatch) -> bytes:
        """Return the answers for a batch."""
        template = self.template
        columns = [column(batch) for _, column in self.places]
        return b"".join([template % row for row in zip(batch.numbers, *columns, strict=True)])

    def parts(self, batch: FetchBatch) -> Iterator[tuple[bytes, Any]]:
        """Yield what the line of a batch of one message is made of, piece by piece."""
        before = b"* %d FETCH (" % batch.numbers[0]
        for template, column in self.places:
            [value] = column(batch)
            shown, _, kind = template.rpartition(b"%")
            yield before + shown.replace(b"%%", b"%"), b"%d" % value if kind == b"d" else value
            before = b""
        yield b")\r\n", b""


def compile_plan(items: Sequence[FetchItem], is_uid: bool) -> FetchPlan:
    r"""Compile the items of a FETCH; that of a UID FETCH always tells the UID (RFC 3501 §6.4.8).

    A plan that marks messages as ``\Seen`` tells the flags of those it changed.
    """
    if is_uid and FetchAttribute.UID not in items:
        items = (FetchAttribute.UID, *items)
    texts = tuple(item for item in items if isinstance(item, BodySection))
    places = [_place(item, texts) for item in items]
    if FetchAttribute.FLAGS not in items and any(text.marks_seen for text in texts):
        places.append((b"%b", _changed_flags_column))
    places = [
        (b" " + shown if at and shown != b"%b" else shown, column)
        for at, (shown, column) in enumerate(places)
    ]
    needs_items = any(item in _RENDERED for item in items) or any(map(_needs_header_size, texts))
    return FetchPlan(
        tuple(places),
        texts,
        needs_items,
        FetchAttribute.EMAILID in items,
        FetchAttribute.THREADID in items,
        needs_items or bool(texts) or any(item in _MEASURED for item in items),
        FetchAttribute.FLAGS in items,
        bool(texts) and all(map(is_kept, texts)),
        b"* %d FETCH (" + b"".join(shown for shown, _ in places) + b")\r\n",
    )


_MEASURED = frozenset({FetchAttribute.INTERNALDATE, FetchAttribute.SIZE})
_RENDERED = frozenset({FetchAttribute.ENVELOPE, FetchAttribute.BODY, FetchAttribute.BODYSTRUCTURE})


def _needs_header_size(text: BodySection) -> bool:
    return not text.section.path and text.section.kind is not SectionKind.ALL


def _place(item: FetchItem, texts: Sequence[BodySection]) -> tuple[bytes, Column]:
    if isinstance(item, BodySection):
        return item.label.replace(b"%", b"%%") + b" %b", _text(texts.index(item))
    kind = b" %d" if item in (FetchAttribute.UID, FetchAttribute.SIZE) else b" %b"
    return item.value.encode("ascii") + kind, _FACT_COLUMNS[item]


def _text(at: int) -> Column:
    return lambda batch: [texts[at] for texts in batch.texts]


def _flags(batch: FetchBatch) -> Iterable[bytes]:
    return map(formatted_flags, batch.flags)


def _changed_flags_column(batch: FetchBatch) -> Iterable[bytes]:
    if not batch.changed:
        return [b""] * len(batch.uids)
    return [
        b" FLAGS " + formatted_flags(flags) if uid in batch.changed else b""
        for uid, flags in zip(batch.uids, batch.flags, strict=True)
    ]


_FACT_COLUMNS: dict[FetchAttribute, Column] = {
    FetchAttribute.UID: lambda batch: batch.uids,
    FetchAttribute.FLAGS: _flags,
    FetchAttribute.INTERNALDATE: lambda batch: map(format_internal, batch.dates),
    FetchAttribute.SIZE: lambda batch: batch.sizes,
    FetchAttribute.ENVELOPE: lambda batch: [items.envelope for items in batch.items],
    FetchAttribute.BODY: lambda batch: [items.body for items in batch.items],
    FetchAttribute.BODYSTRUCTURE: lambda batch: [items.bodystructure for items in batch.items],
    FetchAttribute.EMAILID: lambda batch: [
        objectid.formatted(ObjectIdKind.EMAIL, one) for one in batch.emails
    ],
    FetchAttribute.THREADID: lambda batch: [
        objectid.formatted(ObjectIdKind.THREAD, one) for one in batch.threads
    ],
}


# ---------------------------------------------------------------- values


@lru_cache(4096)
def formatted_flags(flags: Flags) -> bytes:
    """Return a set of flags as FETCH shows it. A mailbox has a few dozen different ones."""
    return flag_list(flags)


@lru_cache(4096)
def with_recent(flags: Flags) -> Flags:
    r"""Return the flags and ``\Recent``."""
    return flags | {RECENT}
