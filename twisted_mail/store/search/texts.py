"""What the full-text index holds of a message, and how a search is put to it.

The index must answer as ``mail.mime.matching.matches`` does. So the text in it is what that scan
compares, and a question which the index cannot answer to the letter is not put to it.
"""

from dataclasses import dataclass
from typing import NamedTuple

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.folding import folded
from twisted_mail.mail.mime.matching import Searchable, needle_in_headers
from twisted_mail.store.search.fields import NUMBERS, in_octets

GRAM = 3  # characters that the tokenizer takes together: no shorter phrase is found
END = "\ufffd\ufffd"  # after every text, so that its last characters begin a gram, too
MAX_PHRASE = 120  # characters: a longer one is looked up by its beginning

# SQLite reads NUL as nothing, and three other characters as one; marks are put together or apart by
# what stands around them.
_ODD = frozenset("\0\ufffd\ufffe\uffff")
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
    return IndexedText(_storable(headers), _storable(body), _storable(names), is_whole)


def _storable(text: str) -> str:
    """Return the text with a character that no question holds in place of those SQLite cannot keep."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\ufffd")


# ---------------------------------------------------------------- questions


@dataclass(frozen=True, slots=True)
class SubstringQuery:
    """A substring to look up.

    Either ``phrase`` is an expression for the index of texts; or ``opening`` are the characters that a
    gram begins with, in the body or, with ``is_anywhere``, in any text; or ``field`` is the number of
    one of ``fields.NUMBERS`` and ``needle`` what its value must hold. If there is none of them, only the
    messages can answer.
    Unless ``is_exact``, the index names all messages that may hold the substring, and some that do not.
    """

    phrase: str = ""
    opening: str = ""
    is_anywhere: bool = True
    field: int | None = None
    needle: bytes = b""
    is_exact: bool = True

    @property
    def is_answerable(self) -> bool:
        """Return whether the index can answer anything."""
        return bool(self.phrase or self.opening) or self.field is not None


def matches_everything(what: Contains) -> bool:
    """Return whether every message holds the substring."""
    return what.where != "header" and not what.needle


def substring_query(what: Contains) -> SubstringQuery:
    """Return how a substring is looked up."""
    in_headers = needle_in_headers(what.needle)
    if what.where == "header":
        return _about_field(what.name.lower(), in_headers)
    needle = folded(what.needle)
    if what.where == "text" and needle != in_headers:
        return _about_both(needle, in_headers)
    if _is_opening(needle):
        return SubstringQuery(opening=needle, is_anywhere=what.where == "text")
    if not _is_phrase(needle):
        return SubstringQuery()
    column = "body : " if what.where == "body" else ""
    return SubstringQuery(column + _quoted(needle), is_exact=len(needle) <= MAX_PHRASE)


def _about_both(needle: str, in_headers: str) -> SubstringQuery:
    """Look for a substring with white space that is one space in the text of fields."""
    if not (_is_phrase(needle) and _is_phrase(in_headers)):
        return SubstringQuery()
    phrase = f"{{body names}} : {_quoted(needle)} OR headers : {_quoted(in_headers)}"
    return SubstringQuery(phrase, is_exact=len(needle) <= MAX_PHRASE)


def _about_field(name: str, needle: str) -> SubstringQuery:
    if name in NUMBERS:
        return SubstringQuery(field=NUMBERS[name], needle=in_octets(needle))
    if not name.isascii() or not _is_phrase(f"{name}: "):
        return SubstringQuery()
    is_hint = _is_phrase(needle) and _MARKS.isdisjoint(needle)
    phrases = [f"{name}: ", needle] if is_hint else [f"{name}: "]
    return SubstringQuery(f"headers : ({' AND '.join(map(_quoted, phrases))})", is_exact=False)


def _is_phrase(text: str) -> bool:
    return len(text) >= GRAM and _is_plain(text)


def _is_opening(text: str) -> bool:
    """Return whether text is short, but rare enough: two letters, or one ideograph."""
    return len(text) < GRAM <= len(text.encode("utf-8", "replace")) + 1 and _is_plain(text)


def _is_plain(text: str) -> bool:
    return _ODD.isdisjoint(text) and not any("\ud800" <= char <= "\udfff" for char in text)


def _quoted(phrase: str) -> str:
    return '"' + phrase[:MAX_PHRASE].replace('"', '""') + '"'
