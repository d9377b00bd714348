"""The header fields whose values the index keeps: each folded as SEARCH compares it.

What is looked for in one of these is found without reading a message.
"""

from collections.abc import Iterable
from typing import NamedTuple

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.field_texts import field_texts, usual_text
from twisted_mail.mail.mime.folding import folded
from twisted_mail.mail.mime.substring_search import needle_in_headers

_NAMES = """
bcc cc date delivered-to from in-reply-to list-id message-id references reply-to return-path sender
subject to
"""
NUMBERS = {name: number for number, name in enumerate(_NAMES.split())}  # as the index knows them
MAX_FIELDS = 100  # of these, of one message
MAX_VALUES = 64 * 1024  # octets of their values

_IN_OCTETS = frozenset(map(str.encode, NUMBERS))


class IndexedFields(NamedTuple):
    """The number of a name and a folded value for each text of a field.

    Unless ``are_whole`` there was more than is kept, and nothing is.
    """

    values: tuple[tuple[int, bytes], ...]
    are_whole: bool

    def hold(self, what: Contains) -> bool | None:
        """Return whether a field holds the substring; None where the header must be asked."""
        field = NUMBERS.get(what.name.lower())
        if field is None or not self.are_whole:
            return None
        needle = in_octets(needle_in_headers(what.needle))
        return any(number == field and needle in value for number, value in self.values)


def fields_in(data: bytes) -> IndexedFields:
    """Return what the index keeps of a message's header; nothing after it is looked at."""
    return _bounded(
        [
            (NUMBERS[name.decode()], octets)
            for name, values in _values(data).items()
            for value in values
            for octets in _folded_texts(name, value)
        ]
    )


def fields_of(texts: Iterable[tuple[str, str]]) -> IndexedFields:
    """Return what the index keeps of lower-case names and the texts of fields."""
    return _bounded(
        [(NUMBERS[name], in_octets(folded(text))) for name, text in texts if name in NUMBERS]
    )


def _bounded(values: list[tuple[int, bytes]]) -> IndexedFields:
    octets = sum([len(value) for _, value in values])
    if len(values) <= MAX_FIELDS and octets <= MAX_VALUES:
        return IndexedFields(tuple(values), are_whole=True)
    return IndexedFields((), are_whole=False)


def _folded_texts(name: bytes, value: bytes) -> list[bytes]:
    usual = usual_text(name, value)
    if usual is not None:
        return [usual.lower()]
    return [in_octets(folded(text)) for text in field_texts(name, value)]


def in_octets(text: str) -> bytes:
    """Return folded text as the index keeps it: one is in another if its octets are."""
    return text.encode("utf-8", "surrogatepass")


def _values(data: bytes) -> dict[bytes, list[bytes]]:
    """Return the values of the fields, by name.

    ``header.values`` cuts very long ones, and takes a name at the very end that no colon follows.
    """
    found = header.values(data, 0, header.end(data), _IN_OCTETS)
    if all(0 < len(value) < header.MAX_VALUE for values in found.values() for value in values):
        return found
    found = {}
    for field in header.fields(data):
        if (name := field.name.lower()) in _IN_OCTETS:
            found.setdefault(name, []).append(field.value)
    return found
