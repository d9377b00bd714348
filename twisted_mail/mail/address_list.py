"""Lists of addresses as in header fields (RFC 5322 §3.4), obsolete forms included.

Malformed lists are read as far as they make sense, by the rules of docs/reading-mail.md. Reading is one
pass, without recursion, and never raises.
"""

import re
from collections import deque
from typing import NamedTuple

from twisted_mail.mail.mime.address_pieces import (
    JOINING,
    Piece,
    divided,
    end_of_domain,
    phrase,
    phrase_of,
    start_of_local,
)
from twisted_mail.mail.mime.comments import ends_of_comments

MAX_ADDRESSES = 10_000  # of one field


class HeaderAddress(NamedTuple):
    """One element of a list, in the octets of the header.

    ``name`` is the display name without its quotes, ``route`` the source route, ``local`` the local part
    without its quotes. A group begins with an element whose ``domain`` is None and whose ``local`` is the
    group's name, and ends with one that is None throughout (RFC 3501 §7.4.2).
    """

    name: bytes | None
    route: bytes | None
    local: bytes | None
    domain: bytes | None


GROUP_END = HeaderAddress(None, None, None, None)

# name <local@domain>, "name" <local@domain> and local@domain: what nearly all elements look like
_ATOMS = rb'[^\s"(),:;<>@\[\\\]]++'
_USUAL = re.compile(
    rb'[ \t]*+(?:(?:"([^"\\]*+)"|([^"(),:;<>@\[\\\]]++))?[ \t]*+<(' + _ATOMS + rb")@("
    rb"" + _ATOMS + rb")>|(" + _ATOMS + rb")@(" + _ATOMS + rb"))[ \t]*+(?:,|\Z)"
)
_BLANK, _ESCAPED, _SPECIAL, _ATOM = range(1, 5)
_TOKEN = re.compile(
    rb'(\s++)|\\(.)|([<>@,;:.()\\"\[\]])|([^\s"()<>@,;:.\[\\\]]++)',
    re.DOTALL,
)
# What begins with an opening octet and ends with a closing one: if that is missing, there is none.
_QUOTED = re.compile(rb'"((?>(?:[^"\\]++|\\.)*))"', re.DOTALL)
_LITERAL = re.compile(rb"\[(?>(?:[^\]\\]++|\\.)*)\]", re.DOTALL)
_BACKSLASHED = re.compile(rb"\\(.)", re.DOTALL)


def parse(value: bytes) -> list[HeaderAddress]:
    """Read the unfolded value of From, To, Cc and similar fields."""
    reader = _AddressListReader()
    position = 0
    while position < len(value) and len(reader.found) < MAX_ADDRESSES:
        usual = _USUAL.match(value, position) if reader.is_fresh else None
        if usual is None:
            position = reader.read(value, position)
        else:
            reader.found.append(_usual(usual))
            position = usual.end()
    return reader.finish()


def _usual(match: re.Match[bytes]) -> HeaderAddress:
    quoted, words, local, domain, bare_local, bare_domain = match.groups()
    if bare_local is not None:
        return HeaderAddress(None, None, bare_local, bare_domain)
    name = quoted if quoted is not None else phrase_of(words or b"")
    return HeaderAddress(name or None, None, local, domain)


class _AddressListReader:
    """Reads one token after another; what an element means is decided where it ends.

    ``pieces`` are those of the present element since its beginning, or since its angle; ``ats`` are the
    positions in them of each @, and ``comments`` of what stood in parentheses, where it may be a name: an
    old way to write one is ``address (name)``. ``quoted_end`` is where the last quoted string ended.
    """

    __slots__ = (
        *("ats", "comment_ends", "comments", "found", "in_group", "is_quoted", "name", "open"),
        *("pieces", "quoted_end", "route", "state"),
    )

    def __init__(self) -> None:
        self.found: list[HeaderAddress] = []
        self.in_group = False
        self.open: set[bytes] = set()  # what is never closed again, and is not looked for twice
        self.comment_ends: dict[int, int] | None = None  # found when the first one begins
        self._begin()

    def _begin(self) -> None:
        self.state = "phrase"  # or "angle", or "end" after it
        self.name: bytes | None = None
        self.comments: deque[tuple[int, bytes]] = deque()
        self._clear()

    def _clear(self) -> None:
        self.pieces: list[Piece] = []
        self.ats: list[int] = []
        self.is_quoted = False
        self.quoted_end = 0
        self.route: bytes | None = None

    @property
    def is_fresh(self) -> bool:
        """True between two elements."""
        return self.state == "phrase" and not self.pieces and not self.comments

    # ------------------------------------------------------------ tokens

    def read(self, value: bytes, position: int) -> int:
        """Read one token; return the position after it."""
        match = _TOKEN.match(value, position)
        assert match is not None  # every octet begins a token
        kind, text = match.lastindex, match[match.lastindex or 0]
        if kind == _SPECIAL:
            if text in b'("[':
                return self._read_enclosed(text, value, position)
            self._special(text)
        elif kind == _BLANK:
            self._part()
        else:
            if self.pieces and self.quoted_end == len(self.pieces):
                self._part()
            self.pieces.append(text)
        return match.end()

    def _part(self) -> None:
        """Note white space, or what stands for it (RFC 5322 §3.2.2), if words may stand before it."""
        if self.pieces and self.pieces[-1] is not None:
            self.pieces.append(None)

    def _read_enclosed(self, opening: bytes, value: bytes, position: int) -> int:
        """Read a comment, quoted string or domain literal; an octet alone if it is never closed."""
        end = self._end_of_enclosed(opening, value, position)
        if end < 0:
            if opening != b'"':
                self.pieces.append(opening)
            return position + 1
        if opening == b"(":
            if self.pieces and self.state == "phrase":
                comment = _BACKSLASHED.sub(rb"\1", value[position + 1 : end - 1])
                self.comments.append((len(self.pieces), phrase_of(comment)))
            self._part()
        elif opening == b"[":
            self.pieces.append(value[position:end])
        else:
            if self.pieces and self.pieces[-1] not in JOINING:
                self._part()
            self.pieces.append(_BACKSLASHED.sub(rb"\1", value[position + 1 : end - 1]))
            self.is_quoted = True
            self.quoted_end = len(self.pieces)
        return end

    def _end_of_enclosed(self, opening: bytes, value: bytes, position: int) -> int:
        """Return the position after what begins at ``position``, or -1 where it is not closed."""
        if opening == b"(":
            if self.comment_ends is None:
                self.comment_ends = ends_of_comments(value)
            return self.comment_ends.get(position, -1)
        if opening in self.open:
            return -1
        match = (_QUOTED if opening == b'"' else _LITERAL).match(value, position)
        if match is None:
            self.open.add(opening)
            return -1
        return match.end()

    def _special(self, text: bytes) -> None:
        if text == b"," and self._is_route():
            self.pieces.append(text)
        elif text in b",;":
            self._end_element()
            if text == b";" and self.in_group:
                self.found.append(GROUP_END)
                self.in_group = False
        elif text in b"<>":
            self._angle(text)
        elif text == b"@":
            self.ats.append(len(self.pieces))
            self.pieces.append(text)
        elif text == b":":
            self._colon()
        elif text == b".":
            self.pieces.append(text)

    def _is_route(self) -> bool:
        """Return whether a source route is being read: it begins with an @ (RFC 5322 §4.4)."""
        return self.state == "angle" and self.pieces[:1] == [b"@"]

    def _angle(self, text: bytes) -> None:
        """Take all that stood before an angle as the name, an @ in it or not."""
        if text == b"<" and self.state != "angle":
            self.name = phrase(self.pieces)
            self.comments.clear()
            self._clear()
            self.state = "angle"
        elif text == b">" and self.state == "angle":
            self._end_element()
            self.state = "end"  # words here belong to no address

    def _colon(self) -> None:
        if self._is_route():
            route = b"".join(filter(None, self.pieces))
            self._clear()
            self.route = route
        elif self.state == "phrase" and self.pieces and not (self.in_group or self.ats):
            self.found.append(HeaderAddress(None, None, phrase(self.pieces), None))
            self.in_group = True
            self._begin()
        elif self.pieces:
            self.pieces.append(b":")

    # ------------------------------------------------------------ elements

    def _end_element(self) -> None:
        """Add what was read, if it was anything, and begin the next."""
        if self.state == "angle":
            local, domain = divided(self.pieces, self.ats)
            self._add(self.name, self.route, local, domain, len(self.pieces))
        elif self.ats:
            self._add_unenclosed()
        elif self.state == "phrase" and any(self.pieces):
            self._add_bare()
        self._begin()

    def _add_bare(self) -> None:
        """Add what has no @: a local part if it is one word, else a name."""
        words = phrase(self.pieces)
        if self.is_quoted or b" " in words:
            self._add(words, None, b"", b"", 0)
        else:
            self._add(None, None, words, b"", len(self.pieces))

    def _add_unenclosed(self) -> None:
        """Add addresses that stand in no angle: several if commas were forgotten."""
        start = 0
        for at in self.ats:
            if at < start:  # a second @ in a domain
                continue
            first = start_of_local(self.pieces, start, at)
            end = end_of_domain(self.pieces, at)
            local, domain = divided(self.pieces[first:end], [at - first])
            self._add(phrase(self.pieces[start:first]), None, local, domain, end + 1)
            start = end

    def _add(
        self, name: bytes | None, route: bytes | None, local: bytes, domain: bytes, end: int
    ) -> None:
        """Add an element that ends at a piece; the last comment in it may stand for its name."""
        comment = None
        while self.comments and self.comments[0][0] <= end:
            comment = self.comments.popleft()[1]
        if len(self.found) < MAX_ADDRESSES:
            self.found.append(HeaderAddress(name or comment or None, route, local, domain))

    def finish(self) -> list[HeaderAddress]:
        """Return all elements, an open group closed."""
        self._end_element()
        if self.in_group:
            self.found.append(GROUP_END)
        return self.found
