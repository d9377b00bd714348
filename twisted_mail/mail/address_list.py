"""Lists of addresses as in header fields (RFC 5322 §3.4), obsolete forms included.

Malformed lists are read as far as they make sense. Reading is one pass, without recursion, and never
raises.
"""

import re
from typing import NamedTuple

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
_BLANK, _QUOTED, _LITERAL, _SPECIAL, _ATOM = range(1, 6)
_TOKEN = re.compile(
    rb'(\s++)|"((?:[^"\\]++|\\.)*+)"?|(\[(?:[^\]\\]++|\\.)*+\]?)|([<>@,;:.()\\\]])'
    rb'|([^\s"()<>@,;:.\[\\\]]++)',
    re.DOTALL,
)
_IN_COMMENT = re.compile(rb"[()]|\\.", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


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
    quoted, phrase, local, domain, bare_local, bare_domain = match.groups()
    if bare_local is not None:
        return HeaderAddress(None, None, bare_local, bare_domain)
    name = quoted if quoted is not None else (phrase or b"").strip()
    return HeaderAddress(name or None, None, local, domain)


class _AddressListReader:
    """Reads one token after another; ``pieces`` are those since the last token that changed the state.

    A piece that is None stands for white space.
    """

    __slots__ = ("comment", "found", "in_group", "local", "name", "pieces", "route", "state")

    def __init__(self) -> None:
        self.found: list[HeaderAddress] = []
        self.in_group = False
        self._begin()

    def _begin(self) -> None:
        self.state = "phrase"  # or "angle", or "domain" inside either, or "end" after the angle
        self.pieces: list[bytes | None] = []
        self.name: bytes | None = None
        self.comment: bytes | None = None
        self.route: bytes | None = None
        self.local: bytes | None = None

    @property
    def is_fresh(self) -> bool:
        """True between two elements."""
        return self.state == "phrase" and not self.pieces and self.comment is None

    def read(self, value: bytes, position: int) -> int:
        """Read one token; return the position after it."""
        match = _TOKEN.match(value, position)
        assert match is not None  # every octet begins a token
        kind, text = match.lastindex, match[match.lastindex or 0]
        if kind == _SPECIAL:
            if text == b"(":
                return self._read_comment(value, match.end())
            self._special(text)
        elif kind == _BLANK:
            if self.pieces and self.pieces[-1] is not None:
                self.pieces.append(None)
        else:
            self._word(_ESCAPED.sub(rb"\1", text) if kind == _QUOTED and b"\\" in text else text)
        return match.end()

    def _read_comment(self, value: bytes, position: int) -> int:
        depth = 1
        for match in _IN_COMMENT.finditer(value, position):
            depth += {b"(": 1, b")": -1}.get(match[0], 0)
            if not depth:
                self.comment = value[position : match.start()]
                return match.end()
        self.comment = value[position:]
        return len(value)

    def _word(self, text: bytes) -> None:
        if self._is_next_element():
            self._end_element()
        self.pieces.append(text)

    def _is_next_element(self) -> bool:
        """Return whether a comma was forgotten: two words in a domain without a dot between them."""
        if self.state != "domain" or self.name is not None or len(self.pieces) < 2:
            return False
        return self.pieces[-1] is None and self.pieces[-2] != b"."

    def _special(self, text: bytes) -> None:
        if text == b"," and self._is_route():
            self.pieces.append(text)
        elif text in b",;":
            self._end_element()
            if text == b";" and self.in_group:
                self._add(GROUP_END)
                self.in_group = False
        elif text == b"<":
            self.name = self._phrase()
            self.state = "angle"
        elif text == b">":
            self._end_angle()
        elif text == b"@":
            self._at()
        elif text == b":":
            self._colon()
        elif text == b".":
            self.pieces.append(text)

    def _is_route(self) -> bool:
        """Return whether a source route is being read: it begins with an @ (RFC 5322 §4.4)."""
        return self.state == "angle" and self.pieces[:1] == [b"@"]

    def _end_angle(self) -> None:
        if self.name is not None:
            self._end_element()
            self.state = "end"  # words here belong to no address

    def _at(self) -> None:
        if (
            self.state == "domain"
            or self._is_route()
            or (self.state == "angle" and not self.pieces)
        ):
            self.pieces.append(b"@")
        else:
            self.local, self.pieces = self._joined(), []
            self.state = "domain"

    def _colon(self) -> None:
        if self._is_route():
            self.route, self.pieces = self._joined(), []
        elif self.state == "phrase" and self.pieces and not self.in_group:
            self._add(HeaderAddress(None, None, self._phrase() or b"", None))
            self.in_group = True
            self._begin()

    def _phrase(self) -> bytes:
        """Take the pieces as words of a name."""
        words = b"".join(b" " if piece is None else piece for piece in self.pieces)
        self.pieces = []
        return words.strip()

    def _joined(self) -> bytes:
        """Take the pieces as parts of an address, where white space has no meaning."""
        return b"".join(piece for piece in self.pieces if piece is not None)

    def _end_element(self) -> None:
        """Add what was read, if it was anything, and begin the next."""
        text = b"" if self.state == "end" else self._joined()
        if self.local is not None or text or self.name is not None:
            local, domain = (text, b"") if self.local is None else (self.local, text)
            name = self.name or self.comment
            self._add(HeaderAddress(name or None, self.route, local, domain))
        self._begin()

    def _add(self, address: HeaderAddress) -> None:
        self.found.append(address)

    def finish(self) -> list[HeaderAddress]:
        """Return all elements, an open group closed."""
        self._end_element()
        if self.in_group:
            self._add(GROUP_END)
        return self.found
