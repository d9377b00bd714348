"""The grammar of IMAP commands (RFC 3501 §9): a cursor over one whole command.

Framing has cut the command before: all its literals are inside, so nothing here waits. Grammar text
comes out as ``str``, octets that mean something elsewhere as ``bytes``. Every method of the reader
raises ProtocolError, with a text for the client, where the command is not what it should be; a mailbox
name that no mailbox can have is only refused, for its grammar is that of any string.
"""

import datetime as dt
import re

from twisted_mail.imap.mailboxes.names import decoded_name
from twisted_mail.mail import dates
from twisted_mail.mail.mailbox import flags, numbers
from twisted_mail.mail.mailbox.numbers import MAX_NUMBER, NumberSet
from twisted_mail.mail.message import Blob
from twisted_mail.mail.outcome import ProtocolError

_ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\]\x7f-\xff]+')
_ASTRING = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff]+')
_PATTERN = re.compile(rb'[^\x00-\x20(){"\\\x7f-\xff]+')  # with list-wildcards
_TAG = re.compile(rb'[^\x00-\x20(){%*"\\\x7f-\xff+]+')
_WORD = re.compile(rb"[A-Za-z0-9.=$+/_-]+")
_COMMAND = re.compile(rb" ([A-Za-z0-9.=$+/_-]+)")
_QUOTED = re.compile(rb'"([^"\\\r\n\x00]*(?:\\["\\][^"\\\r\n\x00]*)*)"')
_ESCAPED = re.compile(rb'\\(["\\])')
_LITERAL = re.compile(rb"\{([0-9]{1,10})\+?\}\r\n")
_NUMBER = re.compile(rb"[0-9]{1,10}")
_NUMBERS = re.compile(rb"[0-9*:,]+")
_ONE_NUMBER = re.compile(rb"[1-9][0-9]{0,8}(?![0-9*:,])")
_DATE = re.compile(rb'"[^"\r\n]{1,20}"|[0-9A-Za-z-]{1,20}')
_DATE_TIME = re.compile(rb'"([^"\r\n]{1,40})"')
_ONLY_SPACES = re.compile(rb" *\Z")
# Where one space may stand some clients send several, and some send them at the ends of lists and lines.
_SPACES = re.compile(rb" +(?![ )]|\Z)")
_WITH_SPACES = {
    b" ": _SPACES,
    b"(": re.compile(rb"\( *"),
    b")": re.compile(rb" *\)"),
}
_NIL = re.compile(rb"[Nn][Ii][Ll](?![^\x00-\x20()\x7f-\xff])")

MAX_TAG = 128  # octets: a tag comes back in the answer


class Reader:
    """A cursor over one command.

    ``blobs`` are the messages of APPEND that went elsewhere while they came in, by the position at
    which their octets would stand.
    """

    __slots__ = ("_blobs", "data", "position")

    def __init__(self, data: bytes, blobs: dict[int, Blob] | None = None) -> None:
        self.data = data
        self.position = 0
        self._blobs = {} if blobs is None else blobs

    def close(self) -> None:
        """Close the messages that no command has taken."""
        while self._blobs:
            self._blobs.popitem()[1].close()

    # ------------------------------------------------------------ where we are

    @property
    def at_end(self) -> bool:
        """True when nothing follows but spaces."""
        return _ONLY_SPACES.match(self.data, self.position) is not None

    @property
    def rest(self) -> bytes:
        """Return all that follows."""
        return self.data[self.position :]

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self.position != len(self.data) and not self.at_end:
            raise ProtocolError("Unexpected arguments at the end of the command")

    def peek(self, token: bytes) -> bool:
        """Return whether exactly ``token`` follows."""
        return self.data.startswith(token, self.position)

    def accept(self, token: bytes) -> bool:
        """Step over ``token`` if it follows; return whether it did.

        More spaces than one are passed over, as Dovecot does, also within parentheses.
        """
        pattern = _WITH_SPACES.get(token)
        if pattern is None:
            is_there = self.data.startswith(token, self.position)
            self.position += len(token) * is_there
            return is_there
        match = pattern.match(self.data, self.position)
        if match is not None:
            self.position = match.end()
        return match is not None

    def take(self, token: bytes) -> None:
        """Step over ``token``, which must follow."""
        if not self.accept(token):
            raise ProtocolError(f"Expected {token.decode('ascii', 'replace')!r}")

    def space(self) -> None:
        """Step over the space that must follow."""
        match = _SPACES.match(self.data, self.position)
        if match is None:
            raise ProtocolError("Missing argument" if self.at_end else "Expected a space")
        self.position = match.end()

    def _match(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        match = pattern.match(self.data, self.position)
        if match is None:
            raise ProtocolError(f"Missing {what}" if self.at_end else f"Expected {what}")
        self.position = match.end()
        return match[0]

    # ------------------------------------------------------------ atoms and strings

    def tag(self) -> str:
        """Read the tag of a command."""
        match = _TAG.match(self.data)
        if match is None:
            raise ProtocolError("Missing a tag" if self.at_end else "Expected a tag")
        self.position = match.end()
        if self.position > MAX_TAG:
            raise ProtocolError("The tag is too long")
        return match[0].decode("ascii")

    def word(self) -> str:
        """Read letters, digits and ``. = $ + / _ -``, as names of commands and items have."""
        return self._match(_WORD, "a word").decode("ascii")

    def command_name(self) -> tuple[str, bool]:
        """Read one space and the name after the tag; return it, and whether ``UID`` came before it."""
        match = _COMMAND.match(self.data, self.position)
        if match is None:
            raise ProtocolError("Missing a command" if self.at_end else "Expected a command")
        self.position = match.end()
        name = match[1].decode("ascii").upper()
        if name != "UID":
            return name, False
        return self._match(_COMMAND, "a command").decode("ascii").upper()[1:], True

    def atom(self) -> str:
        """Read an atom."""
        return self._match(_ATOM, "an atom").decode("ascii")

    def astring(self) -> bytes:
        """Read an atom, in which ``]`` is allowed, or a string."""
        if self.peek(b'"') or self.peek(b"{"):
            return self.string()
        return self._match(_ASTRING, "a string or an atom")

    def pattern(self) -> bytes:
        """Read a ``list-mailbox``: like an astring, with ``%`` and ``*``."""
        if self.peek(b'"') or self.peek(b"{"):
            return self.string()
        return self._match(_PATTERN, "a mailbox pattern")

    def string(self) -> bytes:
        """Read a quoted string or a literal.

        Octets above 127 are let through in quotes: clients write passwords in UTF-8 so.
        """
        if self.peek(b"{"):
            return self._literal()
        match = _QUOTED.match(self.data, self.position)
        if match is None:
            raise ProtocolError("Missing string" if self.at_end else "Malformed string")
        self.position = match.end()
        return _ESCAPED.sub(rb"\1", match[1]) if b"\\" in match[1] else match[1]

    def nstring(self) -> bytes | None:
        """Read a string, or NIL as None."""
        match = _NIL.match(self.data, self.position)
        if match is None:
            return self.string()
        self.position = match.end()
        return None

    def _literal(self) -> bytes:
        start, size = self._literal_head()
        if start in self._blobs:
            raise ProtocolError("A message is not expected here")
        self.position = start + size
        return self.data[start : self.position]

    def _literal_head(self) -> tuple[int, int]:
        match = _LITERAL.match(self.data, self.position)
        if match is None:
            raise ProtocolError("Malformed literal")
        return match.end(), int(match[1])

    def message_literal(self) -> Blob:
        """Read the message of an APPEND. The caller owns the blob."""
        if not self.peek(b"{"):
            raise ProtocolError("Expected a message as a literal")
        start, _ = self._literal_head()
        blob = self._blobs.pop(start, None)
        if blob is None:
            raise ProtocolError("Expected a message as a literal")
        self.position = start
        return blob

    # ------------------------------------------------------------ numbers

    def number(self) -> int:
        """Read a number of 32 bits."""
        number = int(self._match(_NUMBER, "a number"))
        if number > MAX_NUMBER:
            raise ProtocolError("The number is too large")
        return number

    def nonzero(self) -> int:
        """Read a number of 32 bits that is not zero."""
        if self.peek(b"0"):
            raise ProtocolError("Expected a number that does not begin with 0")
        return self.number()

    def numbers(self) -> NumberSet:
        """Read a set of message numbers."""
        one = _ONE_NUMBER.match(self.data, self.position)
        if one is not None:  # what clients ask for most
            self.position = one.end()
            number = int(one[0])
            return NumberSet(((number, number),), is_single=True)
        text = self._match(_NUMBERS, "a set of message numbers").decode("ascii")
        try:
            return numbers.parse(text)
        except ValueError:
            raise ProtocolError("Malformed set of message numbers") from None

    # ------------------------------------------------------------ flags

    def flag(self) -> str:
        r"""Read a flag that a client may set: ``\Recent`` and unknown ``\`` ones are not."""
        if not self.accept(b"\\"):
            return self._keyword()
        name = "\\" + self.atom()
        if name.lower() not in _SYSTEM:
            raise ProtocolError(f"Invalid system flag {name[:40]}")
        return name

    def _keyword(self) -> str:
        name = self.atom()
        if not flags.is_keyword(name):
            raise ProtocolError("A keyword is too long or malformed")
        return name

    def flag_list(self) -> list[str]:
        """Read flags in parentheses, perhaps none."""
        self.take(b"(")
        if self.accept(b")"):
            return []
        found = self._bare_flags()
        self.take(b")")
        return found

    def flags(self) -> list[str]:
        """Read flags with or without parentheses, as STORE has them."""
        return self.flag_list() if self.peek(b"(") else self._bare_flags()

    def _bare_flags(self) -> list[str]:
        found = [self.flag()]
        while self.accept(b" "):
            found.append(self.flag())
        return found

    # ------------------------------------------------------------ names and dates

    def mailbox(self) -> str:
        """Read the name of a mailbox, in modified UTF-7 (RFC 3501 §5.1.3). Raises Refused: CANNOT too."""
        return decoded_name(self.astring())

    def date(self) -> dt.date:
        """Read a date, ``1-Feb-1994``, with or without quotes, or as a literal."""
        octets = self.string() if self.peek(b"{") else self._match(_DATE, "a date").strip(b'"')
        text = octets.decode("latin-1")
        try:
            return dates.parse_date(text)
        except ValueError:
            raise ProtocolError("Malformed date") from None

    def date_time(self) -> dt.datetime:
        """Read a date and time, ``" 7-Feb-1994 21:52:25 -0800"``."""
        text = self._match(_DATE_TIME, "a date and time").decode("latin-1").strip('"')
        try:
            return dates.parse_date_time(text)
        except ValueError as error:
            raise ProtocolError(f"Malformed date and time: {error}") from None


_SYSTEM = frozenset(flag.lower() for flag in flags.SYSTEM)
