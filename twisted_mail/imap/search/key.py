"""What a search key is, and the arguments it reads (RFC 3501 §9, search-key)."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search.criteria import ContainsText
from twisted_mail.imap.search.evaluation import Criterion
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mailbox.numbers import NumberSet
from twisted_mail.mail.outcome import ProtocolError, Refused

MAX_TEXTS = 100  # keys of one program that look for text: each may have to read the whole mailbox


class SearchArguments:
    """The arguments of a key: each method steps over the space before one and reads it.

    All raise ProtocolError where the argument is not what it should be.
    """

    __slots__ = ("_codec", "_texts", "reader")

    def __init__(self, reader: Reader, codec: str) -> None:
        self.reader = reader
        self._codec = codec
        self._texts = 0

    def text(self) -> str:
        """Read a string to look for, in the charset of the search."""
        try:
            return self.astring().decode(self._codec)
        except UnicodeError:
            raise ProtocolError("A string is not in the charset of the search") from None

    def astring(self) -> bytes:
        """Read an atom or a string, as octets."""
        self.reader.space()
        return self.reader.astring()

    def atom(self) -> str:
        """Read an atom."""
        self.reader.space()
        return self.reader.atom()

    def date(self) -> dt.date:
        """Read a date."""
        self.reader.space()
        return self.reader.date()

    def number(self) -> int:
        """Read a number of 32 bits."""
        self.reader.space()
        return self.reader.number()

    def nonzero(self) -> int:
        """Read a number of 32 bits that is not zero."""
        self.reader.space()
        return self.reader.nonzero()

    def numbers(self) -> NumberSet:
        """Read a set of message numbers."""
        self.reader.space()
        return self.reader.numbers()

    def looking_for(self, what: Contains) -> Criterion:
        """Return the criterion for a substring. Raises Refused, LIMIT, when there are too many."""
        self._texts += 1
        if self._texts > MAX_TEXTS:
            raise Refused(f"A search program looks for at most {MAX_TEXTS} texts", "LIMIT")
        return ContainsText(what)


@dataclass(frozen=True, slots=True)
class SearchKey:
    """One key of SEARCH; ``read`` reads its arguments, if it has any, and returns its criterion."""

    name: str
    read: Callable[[SearchArguments], Criterion]
