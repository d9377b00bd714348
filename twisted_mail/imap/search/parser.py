"""Programs: how the criteria of a SEARCH are read (RFC 3501 §9, search-key).

Open groups lie on a stack, so a program that is nested without end costs its length and no recursion.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from twisted_mail.imap import objectid
from twisted_mail.imap.fetch.items import is_field_name
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.objectid import ObjectIdKind
from twisted_mail.imap.search.keys import (
    ALL,
    ArrivedBetween,
    ContainsText,
    Criterion,
    HasFlag,
    HasObjectId,
    InNumberSet,
    IsRecent,
    OlderOrYounger,
    SentBetween,
    SizeBetween,
    all_of,
    any_of,
    negated,
)
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime import encoding
from twisted_mail.mail.outcome import ProtocolError, Refused

MAX_KEYS = 1000  # in one program
MAX_TEXTS = 100  # of which so many look for text: each may have to read the whole mailbox


def parse(reader: Reader) -> Criterion:
    """Read the arguments of SEARCH to the end of the command.

    Raises ProtocolError, and Refused: BADCHARSET for a charset that is not known, LIMIT for too many
    texts to look for.
    """
    return _Parser(reader, _charset(reader)).program()


def _charset(reader: Reader) -> str:
    """Return the codec of the strings; without CHARSET, UTF-8, of which US-ASCII is a part."""
    if reader.rest[:8].upper() != b"CHARSET ":
        return "utf_8"
    reader.position += 8
    codec = encoding.codec_of(reader.astring().decode("latin-1"))
    reader.space()
    if codec is None:
        raise Refused("This charset is not known here", "BADCHARSET (US-ASCII UTF-8)")
    return codec


@dataclass(slots=True)
class _OpenGroup:
    """A group that is being read: what makes it one, how many it takes (0: to its end)."""

    close: Callable[[Sequence[Criterion]], Criterion]
    takes: int = 0
    criteria: list[Criterion] = field(default_factory=list)


class _Parser:
    """Reads one program with a stack of open groups instead of recursion."""

    def __init__(self, reader: Reader, codec: str) -> None:
        self._reader = reader
        self._codec = codec
        self._stack = [_OpenGroup(all_of)]
        self._texts = 0

    def program(self) -> Criterion:
        """Read keys until the program ends."""
        for _ in range(MAX_KEYS):
            key = self._key()
            if key is not None and (whole := self._closed(key)) is not None:
                return whole
        raise ProtocolError(f"A search program has at most {MAX_KEYS} keys")

    def _key(self) -> Criterion | None:
        """Read a key, or open a group and return None."""
        reader = self._reader
        if reader.accept(b"("):
            self._stack.append(_OpenGroup(all_of))
            return None
        if any(map(reader.peek, _NUMBER_STARTS)):
            return InNumberSet(reader.numbers(), is_uid=False)
        word = reader.word().upper()
        if word in _PREFIXES:
            reader.space()
            self._stack.append(_PREFIXES[word]())
            return None
        return self._leaf(word)

    def _leaf(self, word: str) -> Criterion:
        if word in _PLAIN:
            return _PLAIN[word]
        read = _WITH_ARGUMENT.get(word)
        if read is None:
            raise ProtocolError(f"Unknown search key {word[:40]}" if word else "Search key missing")
        self._reader.space()
        return read(self)

    def _closed(self, key: Criterion) -> Criterion | None:
        """Put a whole key where it belongs; return the program when that was its last."""
        while True:
            group = self._stack[-1]
            group.criteria.append(key)
            if not self._ends(group):
                self._reader.space()
                return None
            key = self._stack.pop().close(group.criteria)
            if not self._stack:
                return key

    def _ends(self, group: _OpenGroup) -> bool:
        if group.takes:
            return len(group.criteria) == group.takes
        if len(self._stack) == 1:
            return self._reader.at_end
        return self._reader.accept(b")")

    # ------------------------------------------------------------ arguments

    def text(self) -> str:
        """Read a string to look for."""
        try:
            return self._reader.astring().decode(self._codec)
        except UnicodeError:
            raise ProtocolError("A string is not in the charset of the search") from None

    def header(self) -> Criterion:
        """Read a field name and a string."""
        name = self._reader.astring()
        if not is_field_name(name):
            raise ProtocolError("Malformed header field name")
        self._reader.space()
        return self._looking_for(Contains("header", self.text(), name.decode("ascii")))

    def holding(self, where: str, name: str = "") -> Criterion:
        """Read a string; an empty one is in every text."""
        needle = self.text()
        if not needle and where != "header":
            return ALL
        return self._looking_for(Contains(where, needle, name))

    def _looking_for(self, what: Contains) -> Criterion:
        self._texts += 1
        if self._texts > MAX_TEXTS:
            raise Refused(f"A search program looks for at most {MAX_TEXTS} texts", "LIMIT")
        return ContainsText(what)

    def keyword(self) -> Criterion:
        """Read a keyword."""
        return HasFlag(self._reader.atom().lower())

    def numbered(self) -> Criterion:
        """Read a set of UIDs."""
        return InNumberSet(self._reader.numbers(), is_uid=True)

    def date(self) -> date:
        """Read a date."""
        return self._reader.date()

    def number(self) -> int:
        """Read a number."""
        return self._reader.number()

    def identified(self, letter: ObjectIdKind) -> Criterion:
        """Read an object identifier."""
        return HasObjectId(letter, objectid.read(self._reader, letter))

    def interval(self) -> int:
        """Read a number of seconds, not nought (RFC 5032 §2)."""
        return self._reader.nonzero()


_NUMBER_STARTS = tuple(b"%c" % octet for octet in b"0123456789*")
_PREFIXES: dict[str, Callable[[], _OpenGroup]] = {
    "NOT": lambda: _OpenGroup(lambda criteria: negated(criteria[0]), 1),
    "OR": lambda: _OpenGroup(any_of, 2),
}
_SEEN, _RECENT = HasFlag("\\seen"), IsRecent()
_PLAIN: dict[str, Criterion] = {
    "ALL": ALL,
    "RECENT": _RECENT,
    "NEW": all_of((_RECENT, negated(_SEEN))),
    "OLD": negated(_RECENT),
}
for _flag in flags.SYSTEM:
    _PLAIN[_flag[1:].upper()] = HasFlag(_flag.lower())
    _PLAIN["UN" + _flag[1:].upper()] = negated(HasFlag(_flag.lower()))

_Argument = Callable[[_Parser], Criterion]


def _before(kind: type[ArrivedBetween | SentBetween], parser: _Parser) -> Criterion:
    return kind(end=parser.date().toordinal())


def _on(kind: type[ArrivedBetween | SentBetween], parser: _Parser) -> Criterion:
    day = parser.date().toordinal()
    return kind(day, day + 1)


def _since(kind: type[ArrivedBetween | SentBetween], parser: _Parser) -> Criterion:
    return kind(parser.date().toordinal())


def _in_field(name: str) -> _Argument:
    return lambda parser: parser.holding("header", name)


_WITH_ARGUMENT: dict[str, _Argument] = {
    "UID": _Parser.numbered,
    "KEYWORD": _Parser.keyword,
    "UNKEYWORD": lambda parser: negated(parser.keyword()),
    "LARGER": lambda parser: SizeBetween(first=parser.number() + 1),
    "SMALLER": lambda parser: SizeBetween(end=parser.number()),
    "BEFORE": partial(_before, ArrivedBetween),
    "ON": partial(_on, ArrivedBetween),
    "SINCE": partial(_since, ArrivedBetween),
    "SENTBEFORE": partial(_before, SentBetween),
    "SENTON": partial(_on, SentBetween),
    "SENTSINCE": partial(_since, SentBetween),
    "YOUNGER": lambda parser: OlderOrYounger(parser.interval(), or_more=False),
    "OLDER": lambda parser: OlderOrYounger(parser.interval(), or_more=True),
    "EMAILID": lambda parser: parser.identified(ObjectIdKind.EMAIL),
    "THREADID": lambda parser: parser.identified(ObjectIdKind.THREAD),
    "HEADER": _Parser.header,
    "TEXT": lambda parser: parser.holding("text"),
    "BODY": lambda parser: parser.holding("body"),
    **{name.upper(): _in_field(name) for name in ("Bcc", "Cc", "From", "Subject", "To")},
}
