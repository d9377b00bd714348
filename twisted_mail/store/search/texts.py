"""What the full-text index holds of a message, and how a search is put to it.

The index must answer as ``mail.mime.substring_search.matches`` does. So the text in it is what that scan
compares, and where the index cannot answer to the letter it names candidates.
"""

from dataclasses import dataclass
from typing import NamedTuple

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.folding import folded
from twisted_mail.mail.mime.substring_search import Searchable, needle_in_headers
from twisted_mail.store.search.fields import NUMBERS, in_octets
from twisted_mail.store.search.text_database import BODIES, HEADERS
from twisted_mail.store.search.words import HOLDS, Piece, is_one_word, pieces

# Marks at the start of a field's text are put in order after the space before it, in the text of all.
_MARKS = frozenset(map(chr, (*range(0x300, 0x370), 0x3099, 0x309A)))


class IndexedText(NamedTuple):
    """The text that the index holds of one message, folded.

    Unless ``is_whole`` it was too long and was cut: what is found there is there, and what is not found
    may be.
    """

    headers: str
    body: str
    names: str
    is_whole: bool


def text_of(found: Searchable, limit: int) -> IndexedText:
    """Return what the index holds of a message's text; ``limit`` is in characters."""
    headers = found.headers[:limit]
    names = found.names[: limit - len(headers)]
    body = found.body[: limit - len(headers) - len(names)]
    is_whole = (headers, body, names) == found[:3] and found.has_all_headers
    return IndexedText(headers, body, names, is_whole)


# ---------------------------------------------------------------- questions


@dataclass(frozen=True, slots=True)
class SubstringQuery:
    """A substring to look up.

    Of a usual field, ``field`` is its number, and ``needle`` what one of its values must hold. Of a text,
    the words of one of ``tables`` must meet all ``pieces``. If there are none, only the messages can
    answer. Unless ``is_exact``, the index names all messages that may hold the substring, and some that
    do not; those of which any field holds ``needle``, if there is one, do.
    """

    pieces: tuple[Piece, ...] = ()
    tables: tuple[str, ...] = ()
    field: int | None = None
    needle: bytes = b""
    is_exact: bool = True

    @property
    def is_answerable(self) -> bool:
        """Return whether the index can answer anything."""
        return bool(self.pieces) or self.field is not None

    @property
    def reads_vocabulary(self) -> bool:
        """Return whether all words must be read to answer it."""
        return bool(self.pieces) and all(piece.how == HOLDS for piece in self.pieces)


def matches_everything(what: Contains) -> bool:
    """Return whether every message holds the substring."""
    return what.where != "header" and not what.needle


def substring_query(what: Contains) -> SubstringQuery:
    """Return how a substring is looked up."""
    if what.where == "header":
        return _about_field(what.name.lower(), needle_in_headers(what.needle))
    needle, is_anywhere = folded(what.needle), what.where == "text"
    in_fields = needle_in_headers(what.needle) if is_anywhere else ""
    if is_anywhere and pieces(needle) != pieces(in_fields):
        return SubstringQuery()
    if not _MARKS.isdisjoint(in_fields):
        in_fields = ""
    return SubstringQuery(
        pieces(needle),
        (BODIES, HEADERS) if is_anywhere else (BODIES,),
        needle=in_octets(in_fields),
        is_exact=is_one_word(needle),
    )


def _about_field(name: str, needle: str) -> SubstringQuery:
    """Look for a field: ``headers`` has a line for each, so its name is words of its own there."""
    if name in NUMBERS:
        return SubstringQuery(field=NUMBERS[name], needle=in_octets(needle))
    if not name.isascii():
        return SubstringQuery()
    found = *pieces(f"\n{name}:"), *pieces(needle)
    return SubstringQuery(found, (HEADERS,), is_exact=False)
