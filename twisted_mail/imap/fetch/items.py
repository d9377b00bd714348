"""The FETCH items of RFC 3501 §6.4.5, the macros that stand for several, and how a list is read."""

from collections.abc import Mapping
from operator import attrgetter

from twisted_mail.imap.bulk_column import HEADER, STRUCTURE
from twisted_mail.imap.fetch.item import FetchItem, RequestedItem
from twisted_mail.imap.fetch.section_spec import (
    MAX_FIELDS,
    BodySection,
    SectionKind,
    SectionSpec,
    read_body_section,
)
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.response_syntax import shown_flags
from twisted_mail.mail.dates import format_internal
from twisted_mail.mail.outcome import ProtocolError

MAX_ITEMS = 100  # in one command


def _body(reader: Reader) -> RequestedItem:
    return read_body_section(reader, marks_seen=True) if reader.accept(b"[") else BODY


def _body_peek(reader: Reader) -> RequestedItem:
    if not reader.accept(b"["):
        raise ProtocolError("Unknown item BODY.PEEK")
    return read_body_section(reader, marks_seen=False)


def _named_section(name: str, kind: SectionKind, marks_seen: bool) -> FetchItem:
    section = BodySection(SectionSpec(kind=kind), name.encode("ascii"), marks_seen=marks_seen)
    return FetchItem(name, _NO_COLUMN, read=lambda reader: section)


_NO_COLUMN = ""  # of an item whose ``read`` returns something else in its place

UID = FetchItem("UID", "uids", is_number=True)
FLAGS = FetchItem("FLAGS", "flags", shown_flags)
INTERNALDATE = FetchItem("INTERNALDATE", "dates", format_internal)
SIZE = FetchItem("RFC822.SIZE", "sizes", is_number=True)
ENVELOPE = FetchItem("ENVELOPE", HEADER, attrgetter("envelope"))
BODY = FetchItem("BODY", STRUCTURE, attrgetter("body"), read=_body)
BODYSTRUCTURE = FetchItem("BODYSTRUCTURE", STRUCTURE, attrgetter("bodystructure"))

FETCH_ITEMS = (
    UID,
    FLAGS,
    INTERNALDATE,
    SIZE,
    ENVELOPE,
    BODY,
    BODYSTRUCTURE,
    FetchItem("BODY.PEEK", _NO_COLUMN, read=_body_peek),
    _named_section("RFC822", SectionKind.ALL, marks_seen=True),
    _named_section("RFC822.HEADER", SectionKind.HEADER, marks_seen=False),
    _named_section("RFC822.TEXT", SectionKind.TEXT, marks_seen=True),
)

MACROS: dict[str, tuple[RequestedItem, ...]] = {
    "FAST": (FLAGS, INTERNALDATE, SIZE),
    "ALL": (FLAGS, INTERNALDATE, SIZE, ENVELOPE),
    "FULL": (FLAGS, INTERNALDATE, SIZE, ENVELOPE, BODY),
}


def read_items(reader: Reader, known: Mapping[str, FetchItem]) -> tuple[RequestedItem, ...]:
    """Read the items of a FETCH: a macro, one item, or a list in parentheses.

    Items keep their order; one that is asked for twice is answered once. Raises ProtocolError.
    """
    if not reader.accept(b"("):
        name = reader.word().upper()
        return MACROS.get(name) or _bounded((_item(reader, name, known),))
    found: dict[RequestedItem, None] = {}
    for _ in range(MAX_ITEMS):
        found[_item(reader, reader.word().upper(), known)] = None
        if reader.accept(b")"):
            return _bounded(tuple(found))
        reader.space()
    raise ProtocolError(f"A FETCH has at most {MAX_ITEMS} items")


def _item(reader: Reader, name: str, known: Mapping[str, FetchItem]) -> RequestedItem:
    item = known.get(name)
    if item is None:
        raise ProtocolError(f"Unknown item {name[:40]}")
    return item if item.read is None else item.read(reader)


def _bounded(items: tuple[RequestedItem, ...]) -> tuple[RequestedItem, ...]:
    fields = sum(len(item.spec.fields) for item in items if isinstance(item, BodySection))
    if fields > MAX_FIELDS:
        raise ProtocolError(f"A FETCH names at most {MAX_FIELDS} header fields")
    return items
