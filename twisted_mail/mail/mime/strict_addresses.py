"""Addresses of header fields by the letter of RFC 5322 §3.4, for where it matters who is named.

``address_list`` reads what was meant, and readers differ in that: ``boss@x.example <u0@x.example>`` is
from the boss to some. Here a field means one thing, or it is refused. Obsolete forms are refused too
(source routes, empty elements, blanks within an address), but for the dot in a name: ``John Q. Public``
(§4.1). Names and comments may say anything, in any octets above 127; addresses are in UTF-8 (RFC 6532
§3.2). Groups may stand where addresses may (RFC 6854).
"""

import re
from typing import NamedTuple, NoReturn

from twisted_mail.mail.address import Address, parse_domain

MAX_DEPTH = 50  # of comments in comments

_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff-]"
_TEXT = rb"[\t\x20-\x7e\x80-\xff]"  # what a backslash may stand before
_TOKEN = re.compile(
    rb"(?P<word>" + _ATEXT + rb"++(?>(?:\." + _ATEXT + rb"++)*))"
    rb'|(?P<quoted>"(?>(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\' + _TEXT + rb')*)")'
    rb"|(?P<literal>\[[\t\x20-\x5a\x5e-\x7e]*+\])"
    rb"|(?P<special>[<>@,:;.])"
)
_BLANKS = re.compile(rb"[ \t]*+")
_COMMENT_PART = re.compile(
    rb"[()]|(?>(?:[\t\x20-\x27\x2a-\x5b\x5d-\x7e\x80-\xff]|\\" + _TEXT + rb")+)"
)
_BACKSLASHED = re.compile(rb"\\(.)", re.DOTALL)


class _Token(NamedTuple):
    kind: str
    text: bytes


_END = _Token("special", b"")


def parse(value: bytes) -> list[Address]:
    """Read the unfolded value of From, Sender and similar fields; groups count as those in them.

    Takes time linear in its length. Raises ValueError for what is not exactly a list of addresses.
    """
    return _StrictReader(_tokens(value)).addresses()


def _tokens(value: bytes) -> list[_Token]:
    """Return the tokens without the blanks and comments between them. Raises ValueError."""
    found = []
    position = _after_blanks(value, 0)
    while position < len(value):
        match = _TOKEN.match(value, position)
        if match is None:
            raise ValueError(
                f"an octet that may not stand here: {value[position : position + 1]!r}"
            )
        found.append(_Token(match.lastgroup or "", match[0]))
        position = _after_blanks(value, match.end())
    return found


def _after_blanks(value: bytes, position: int) -> int:
    """Return the position after blanks and comments (``CFWS``, RFC 5322 §3.2.2)."""
    depth = 0
    while position < len(value):
        if not depth:
            match = _BLANKS.match(value, position)
            position = match.end() if match else position
            if value[position : position + 1] != b"(":
                return position
        part = _COMMENT_PART.match(value, position)
        if part is None:
            raise ValueError("a comment has an octet that may not stand there")
        depth += {b"(": 1, b")": -1}.get(part[0], 0)
        if depth > MAX_DEPTH:
            raise ValueError("comments in too many comments")
        position = part.end()
    if depth:
        raise ValueError("a comment does not end")
    return position


class _StrictReader:
    """Reads tokens from left to right, without going back."""

    __slots__ = ("_at", "_found", "_tokens")

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._found: list[Address] = []

    def addresses(self) -> list[Address]:
        """Read ``address *("," address)``."""
        self._element(in_group=False)
        while self._next is not _END:
            self._expect(b",")
            self._element(in_group=False)
        return self._found

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _expect(self, special: bytes) -> None:
        if self._next != ("special", special):
            self._fail()
        self._at += 1

    def _fail(self) -> NoReturn:
        raise ValueError(f"{self._next.text!r} may not stand here")

    def _element(self, in_group: bool) -> None:
        """Read ``[phrase] "<" addr-spec ">"``, ``addr-spec`` or ``phrase ":" [list] ";"``."""
        start = self._at
        while self._next.kind in ("word", "quoted") or self._next == ("special", b"."):
            self._at += 1
        words = self._tokens[start : self._at]
        if words and words[0].text == b".":
            self._fail()
        after = self._next.text
        if after == b"<":
            self._at += 1
            self._address()
            self._expect(b">")
        elif after == b":" and words and not in_group:
            self._at += 1
            self._group()
        else:
            self._at = start
            self._address()

    def _group(self) -> None:
        if self._next.text != b";":
            self._element(in_group=True)
            while self._next.text == b",":
                self._at += 1
                self._element(in_group=True)
        self._expect(b";")

    def _address(self) -> None:
        """Read ``local-part "@" domain``."""
        local = self._take("word", "quoted")
        self._expect(b"@")
        domain = self._take("word", "literal")
        name = local.text
        if local.kind == "quoted":
            name = _BACKSLASHED.sub(rb"\1", name[1:-1])
        self._found.append(Address(name.decode(), parse_domain(domain.text.decode())))

    def _take(self, *kinds: str) -> _Token:
        token = self._next
        if token.kind not in kinds:
            self._fail()
        self._at += 1
        return token
