"""How the items of a FETCH are read (RFC 3501 §6.4.5)."""

from collections.abc import Mapping

from twisted_mail.imap.fetch.item import FetchItem, RequestedItem
from twisted_mail.imap.fetch.items import MACROS
from twisted_mail.imap.fetch.section_spec import MAX_FIELDS, BodySection
from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.outcome import ProtocolError

MAX_ITEMS = 100  # in one command


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
