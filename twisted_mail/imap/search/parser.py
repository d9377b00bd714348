"""How the criteria of a SEARCH are read (RFC 3501 §9, search-key).

Open groups lie on a stack, so a program that is nested without end costs its length and no recursion.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search.criteria import InNumberSet
from twisted_mail.imap.search.evaluation import Criterion
from twisted_mail.imap.search.groups import all_of, any_of, negated
from twisted_mail.imap.search.key import SearchArguments, SearchKey
from twisted_mail.mail.mime.charsets import codec_of
from twisted_mail.mail.outcome import ProtocolError, Refused

MAX_KEYS = 1000  # in one program


def parse(reader: Reader, keys: Mapping[str, SearchKey]) -> Criterion:
    """Read the arguments of SEARCH, an optional ``CHARSET x`` and keys, to the end of the command.

    Without a charset the strings are UTF-8, of which US-ASCII is a part. Raises ProtocolError, and
    Refused: BADCHARSET for a charset that is not known, LIMIT for too many texts to look for.
    """
    codec = "utf_8"
    if reader.rest[:8].upper() == b"CHARSET ":
        reader.position += 8
        codec = read_charset(reader)
    return parse_in(reader, codec, keys)


def parse_in(reader: Reader, codec: str, keys: Mapping[str, SearchKey]) -> Criterion:
    """Read keys to the end of the command; their strings are in ``codec``, a codec of Python's.

    For commands that name the charset in a way of their own. Raises ProtocolError, and Refused: LIMIT
    for too many texts to look for.
    """
    return _Parser(reader, codec, keys).program()


def read_charset(reader: Reader) -> str:
    """Read a charset's name and the space after it; return its codec.

    Raises ProtocolError, and Refused: BADCHARSET for one that is not known.
    """
    codec = codec_of(reader.astring().decode("latin-1"))
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

    def __init__(self, reader: Reader, codec: str, keys: Mapping[str, SearchKey]) -> None:
        self._reader = reader
        self._arguments = SearchArguments(reader, codec)
        self._keys = keys
        self._stack = [_OpenGroup(all_of)]

    def program(self) -> Criterion:
        """Read keys until the program ends."""
        for _ in range(MAX_KEYS):
            key = self._key()
            if key is not None and (program := self._closed(key)) is not None:
                return program
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
        key = self._keys.get(word)
        if key is None:
            raise ProtocolError(f"Unknown search key {word[:40]}")
        return key.read(self._arguments)

    def _closed(self, key: Criterion) -> Criterion | None:
        """Put a complete key where it belongs; return the program when that was its last."""
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


_NUMBER_STARTS = tuple(b"%c" % octet for octet in b"0123456789*")
_PREFIXES: dict[str, Callable[[], _OpenGroup]] = {
    "NOT": lambda: _OpenGroup(lambda criteria: negated(criteria[0]), 1),
    "OR": lambda: _OpenGroup(any_of, 2),
}
