"""Comments in MIME fields (RFC 2045 §5.1, RFC 5322 §3.2.2)."""

import re

_OUTSIDE = re.compile(rb'"(?>(?:[^"\\]++|\\.)*)"?|\\.|[=;(]', re.DOTALL)
_PARENTHESIS = re.compile(rb"[()]|\\.", re.DOTALL)
_ENDS_VALUE = (b"", b";", b" ", b"\t", b"(")


def without_comments(value: bytes) -> bytes:
    """Return an unfolded value with a space in the place of each comment, in linear time.

    Parentheses that are never closed are text. So are those within a value without quotes: in
    ``name=report(1).pdf`` a sender forgot the quotes, and means no comment.
    """
    return _Uncommented(value).result() if b"(" in value else value


def ends_of_comments(value: bytes) -> dict[int, int]:
    """Return where each comment ends, by where it begins; comments in comments are among them.

    A parenthesis that is never closed begins none, and hides none that begins after it.
    """
    ends: dict[int, int] = {}
    opened: list[int] = []
    for match in _PARENTHESIS.finditer(value):
        if match[0] == b"(":
            opened.append(match.start())
        elif match[0] == b")" and opened:
            ends[opened.pop()] = match.end()
    return ends


class _Uncommented:
    """Reads a value; ``begins`` is where the present parameter's value begins, if nothing came yet."""

    __slots__ = ("begins", "ends", "is_value", "kept", "start", "value")

    def __init__(self, value: bytes) -> None:
        self.value = value
        self.ends = ends_of_comments(value)
        self.kept: list[bytes] = []
        self.start = 0  # of what is kept next
        self.begins = 0
        self.is_value = False

    def result(self) -> bytes:
        at = 0
        while match := _OUTSIDE.search(self.value, at):
            at = match.end()
            if match[0] == b"(":
                at = self._read_comment(at)
            elif match[0] in b"=;":
                self.is_value, self.begins = match[0] == b"=", at
        return b"".join([*self.kept, self.value[self.start :]])

    def _read_comment(self, at: int) -> int:
        """Leave a comment out if it is one; return where to read on."""
        end = self.ends.get(at - 1)
        if end is None:
            return at
        if not self._is_text(at - 1, end):
            self.kept += [self.value[self.start : at - 1], b" "]
            self.start = self.begins = end
        return end

    def _is_text(self, start: int, end: int) -> bool:
        """Return whether parentheses are part of a parameter's value, as more of it follows."""
        if not self.is_value or self.value[end : end + 1] in _ENDS_VALUE:
            return False
        return self.begins < 0 or self._is_begun(start)

    def _is_begun(self, start: int) -> bool:
        is_begun = bool(self.value[self.begins : start].strip())
        if is_begun:
            self.begins = -1  # so that it is not looked at again
        return is_begun
