"""Reading replies (RFC 5321 §4.2) that a stranger wrote.

The code is what counts; the text is data, for people and for the log. What breaks the form or a
limit is malformed, and the connection is of no more use: nobody knows any longer which reply
belongs to which command.
"""

import re

MAX_LINE = 2000  # octets of a line without its end
MAX_LINES = 100  # of one reply
MAX_REPLY = 64 * 1024  # octets of one reply
MAX_TEXT = 1000  # characters of its text that are kept

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])([^\0]*))?")
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]+|\Z)")  # RFC 2034 §4


class MalformedReply(Exception):
    """What came is no reply, or is longer than any reply need be."""


class Reply:
    """One reply: its code, and the texts of its lines as they came."""

    __slots__ = ("code", "lines")

    def __init__(self, code: int, lines: list[bytes]) -> None:
        self.code = code
        self.lines = lines

    @property
    def is_success(self) -> bool:
        """Return whether the command was carried out."""
        return self.code < 300

    @property
    def is_negative(self) -> bool:
        """Return whether the command was refused, for now or permanently."""
        return self.code >= 400

    @property
    def enhanced(self) -> str:
        """Return the enhanced code, or empty where there is none of the same class."""
        found = self._code_in(self.lines[0])
        return "" if found is None else found[1].decode("ascii")

    def _code_in(self, line: bytes) -> re.Match[bytes] | None:
        """Return where a line has an enhanced code; one of another class is words like others."""
        found = _ENHANCED.match(line)
        return found if found is not None and found[1][0] == self.code // 100 + 48 else None

    @property
    def text(self) -> str:
        """Return what it says in one line: bounded, without enhanced codes and control signs."""
        return one_line(b" ".join([self._without_code(line) for line in self.lines]))

    def _without_code(self, line: bytes) -> bytes:
        found = self._code_in(line)
        return line[found.end() :] if found is not None else line


def one_line(octets: bytes) -> str:
    """Return what a stranger wrote as one line of text that may be shown anywhere."""
    text = octets[: 4 * MAX_TEXT].decode("utf-8", "replace")
    if not text.isprintable():
        text = " ".join("".join([one if one.isprintable() else " " for one in text]).split())
    return text[:MAX_TEXT].strip()


class ReplyReader:
    """The octets that came, as replies. Holds at most one unfinished reply and what was fed last."""

    __slots__ = ("_at", "_buffer", "_code", "_lines", "_size")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._code = b""  # of the reply whose last line has not come
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Return whether all that was fed has been returned."""
        return self._at == len(self._buffer) and not self._code

    def feed(self, data: bytes) -> None:
        """Take octets, after ``next`` has returned None."""
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0

    def next(self) -> Reply | None:
        """Return the next whole reply; None where more has to come. Raises MalformedReply."""
        while True:
            at = self._at
            end = self._buffer.find(b"\n", at)
            if end < 0:
                if len(self._buffer) - at > MAX_LINE + 1:
                    raise MalformedReply("a line without end")
                return None
            self._at = end + 1
            reply = self._take(self._buffer[at:end])
            if reply is not None:
                return reply

    def _take(self, line: bytes) -> Reply | None:
        """Take a line; return the reply that it ends."""
        line = line.removesuffix(b"\r")
        found = _LINE.fullmatch(line)
        if found is None or len(line) > MAX_LINE:
            raise MalformedReply(_flaw(line))
        code, mark, text = found.groups()
        if not self._code and mark != b"-":
            return Reply(int(code), [text or b""])
        self._add(code, text or b"", len(line))
        if mark == b"-":
            return None
        reply = Reply(int(code), self._lines)
        self._code, self._lines, self._size = b"", [], 0
        return reply

    def _add(self, code: bytes, text: bytes, size: int) -> None:
        """Keep a line of several."""
        if self._code not in (b"", code):
            raise MalformedReply("lines of one reply with different codes")
        self._code = code
        self._lines.append(text)
        self._size += size
        if len(self._lines) > MAX_LINES or self._size > MAX_REPLY:
            raise MalformedReply("a reply without end")


def _flaw(line: bytes) -> str:
    """Return what is wrong with a line that is none of a reply."""
    if len(line) > MAX_LINE:
        return "a line without end"
    if b"\0" in line:
        return "a reply with NUL"
    return f"what is no reply: {one_line(line[:60])!r}"
