"""The plain scan of SEARCH: whether a message holds a substring (RFC 3501 §6.4.4).

Text is compared as people read it: encoded words, transfer encodings and charsets undone, HTML without
its tags, characters as ``folding`` says. Time is linear in the message's length, and nothing raises.
"""

import html
import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.encoding import decode_body, decode_text
from twisted_mail.mail.mime.field_texts import field_texts, header_texts, with_single_spaces
from twisted_mail.mail.mime.folding import PIECE, folded
from twisted_mail.mail.mime.parameters import content_type, disposition, values_of
from twisted_mail.mail.mime.structure import Part, parts_of

VERSION = 7  # raised when the text of any message changes, so that stored texts are made again
MAX_HEADERS = 1024 * 1024  # octets of all headers of a message that are searched


class Searchable(NamedTuple):
    """The text of a message, folded for comparison.

    ``headers`` has a line ``name: value`` for each text of a field, and the lines that are no fields;
    ``body`` the text of its parts, and the headers of messages within; ``names`` the file names and
    descriptions of its parts. ``fields`` are the names and texts of which ``headers`` is made, the texts
    not folded yet; unless it ``has_all_headers`` they were too long to be searched whole.
    """

    headers: str
    body: str
    names: str
    fields: Sequence[tuple[str, str]] = ()
    has_all_headers: bool = True

    def holds(self, wanted: Contains) -> bool:
        """Return whether the message holds the substring."""
        in_headers = needle_in_headers(wanted.needle)
        if wanted.where == "header":
            return self._field_holds(wanted.name, in_headers)
        needle = folded(wanted.needle)
        if needle in self.body:
            return True
        return wanted.where == "text" and (in_headers in self.headers or needle in self.names)

    def _field_holds(self, name: str, needle: str) -> bool:
        start = f"{name.lower()}: "
        lines = self.headers.split("\n")
        return any(line.startswith(start) and needle in line[len(start) :] for line in lines)


def matches(data: bytes, wanted: Contains) -> bool:
    """Return whether a whole message holds the substring."""
    if wanted.where == "header":
        return _header_holds(data, wanted)
    return searchable(data).holds(wanted)


def _header_holds(data: bytes, wanted: Contains) -> bool:
    """Look at one field's values, without reading the body."""
    name, needle = wanted.name.lower().encode("utf-8", "replace"), needle_in_headers(wanted.needle)
    return any(
        needle in folded(text)
        for field in header.fields(data)
        if field.name.lower() == name
        for text in field_texts(name, field.value)
    )


def searchable(data: bytes) -> Searchable:
    """Return the folded text of a message, for several substrings to be looked up in."""
    parts = parts_of(data)
    root = parts[0]
    fields = _fields(data, root, MAX_HEADERS)
    texts = []
    left = MAX_HEADERS
    for part in parts:
        if part.is_message:
            inside = part.children[0]
            texts.append(_lines(_fields(data, inside, left)))
            left = max(left - (inside.body - inside.start), 0)
        elif part.type.type in (b"text", b"message"):
            texts.append(part_text(data, part))
    names = "\n".join(name for part in parts for name in _names(part))
    body = folded("\n".join(texts))
    is_whole = root.body - root.start <= MAX_HEADERS
    return Searchable(folded(_lines(fields)), body, folded(names), fields, is_whole)


def _fields(data: bytes, part: Part, limit: int) -> list[tuple[str, str]]:
    return header_texts(data[part.start : min(part.body, part.start + limit)])


def _lines(fields: Sequence[tuple[str, str]]) -> str:
    return "\n".join([f"{name}: {text}" if name else text for name, text in fields])


def needle_in_headers(needle: str) -> str:
    """Return a substring as it is looked for in the text of fields."""
    return folded(with_single_spaces(needle))


def _names(part: Part) -> Iterator[str]:
    """Yield the names that a part's header gives to its file, and its description."""
    kind, how = part.field(b"content-type"), part.field(b"content-disposition")
    if kind and b"name" in kind.lower() and (found := content_type(kind)):
        yield from values_of(found.parameters, b"name")
    if how and b"name" in how.lower() and (shown := disposition(how)):
        yield from values_of(shown.parameters, b"filename")
    description = part.field(b"content-description")
    if description:
        yield header.text(description)


def part_text(data: bytes, part: Part) -> str:
    """Return the text of a part as a person reads it, HTML without its tags."""
    octets = decode_body(data[part.body : part.stop], part.encoding.decode("latin-1"))
    text = decode_text(octets, part.type.parameter(b"charset").decode("latin-1"))
    return html_text(text) if part.type.subtype in (b"html", b"xhtml+xml") else text


# ---------------------------------------------------------------- HTML

# Whatever begins as a comment, script or style matches, at worst up to the end: nothing is read twice.
_MARKUP = re.compile(
    r"<(!--).*?(?:-->|\Z)"
    r"|<(script|style)(?=[\s/>])[^<>]*+>.*?(?=</\2|\Z)"
    r"|</?([a-z][a-z0-9]*+)[^<>]*+>"
    r"|<[!?][^<>]*+>",
    re.IGNORECASE | re.DOTALL,
)
_SCRIPT_END = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}
# Tags that may be within a word; all others separate words.
_INLINE_NAMES = """
a abbr acronym b bdi bdo big cite code em font i ins kbd mark s samp small span strike strong sub sup
tt u var wbr
"""
_INLINE = frozenset(_INLINE_NAMES.split())


def html_text(source: str) -> str:
    """Return the text of HTML: no tags, comments, scripts or styles, one blank for any white space."""
    found: list[str] = []
    is_parted = False  # by white space from what comes next
    for piece in _shown(source):
        words = " ".join(piece.split())
        if words and found and (is_parted or piece[0].isspace()):
            found.append(" ")
        if words:
            found.append(words)
        is_parted = piece[-1:].isspace() or (is_parted and not words)
    return "".join(found)


def _shown(source: str) -> Iterator[str]:
    """Yield the source piece by piece, without markup and with its entities decoded."""
    position = 0
    while position < len(source):
        stop = _before_markup(source, position)
        yield _unescape(_without_markup(source[position:stop]))
        position = stop if stop == len(source) else _after_markup(source, position, stop)


def _without_markup(piece: str) -> str:
    """Return a piece with a blank for markup that separates words, and nothing for other markup."""
    texts = _MARKUP.split(piece)  # what is between, and three groups of each match
    if len(texts) == 1:
        return piece
    gaps = [
        "" if is_comment or (name and name.lower() in _INLINE) else " "
        for is_comment, name in zip(texts[1::4], texts[3::4], strict=True)
    ]
    return "".join(chain.from_iterable(zip(texts[::4], [*gaps, ""], strict=True)))


def _before_markup(source: str, position: int) -> int:
    """Return where the piece that begins at ``position`` ends: not within a tag."""
    stop = position + PIECE
    if stop >= len(source):
        return len(source)
    at = source.rfind("<", position + 1, stop)
    if at > 0:
        return at
    after = position
    if source[position] == "<":
        after = source.find(">", position, stop) + 1
        if not after:  # a tag of such a length
            at = source.find("<", stop)
            return len(source) if at < 0 else at
    at = source.rfind(" ", max(after, stop - 1000), stop)  # not within an entity either
    return at if at > position else stop


def _after_markup(source: str, start: int, stop: int) -> int:
    """Return where the markup ends that a piece ends with: a comment or script may go on for long."""
    match = next(iter(deque(_MARKUP.finditer(source, start, stop), maxlen=1)), None)
    if match is None or match.end() < stop:
        return stop
    if match[1] and (len(match[0]) < 7 or not match[0].endswith("-->")):
        at = source.find("-->", stop - 2)
        return len(source) if at < 0 else at + 3
    if match[2]:
        end = _SCRIPT_END[match[2].lower()].search(source, stop)
        return len(source) if end is None else end.start()
    return stop


def _unescape(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a character number of thousands of digits
        return text
