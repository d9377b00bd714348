"""Responses of IMAP as lists of values (RFC 3501 §9)."""

import re

LITERAL_END = re.compile(rb"\{(\d+)\}\r\n$")  # at the end of a line: more of the response follows
_LITERAL = re.compile(rb"\{(\d+)\}\r\n")
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_ATOM = re.compile(rb"[^ ()]+")
_ESCAPED = re.compile(r"\\(.)")


class Atom(str):
    """A word outside of quotes, a number among them; strings are of the class ``str``."""


Value = str | None | list["Value"]


def values(response: bytes) -> list[Value]:
    """Read a whole response without its last CRLF; ``None`` is NIL, octets become Latin 1."""
    levels: list[list[Value]] = [[]]
    at = 0
    while at < len(response):
        octet = response[at : at + 1]
        if octet == b"(":
            levels.append([])
            at += 1
        elif octet == b")":
            at += 1
            if len(levels) > 1:  # else it is of a text for people
                done = levels.pop()
                levels[-1].append(done)
        elif octet == b" ":
            at += 1
        else:
            value, at = _string(response, at)
            levels[-1].append(value)
    return levels[0]


def _string(response: bytes, at: int) -> tuple[Value, int]:
    if literal := _LITERAL.match(response, at):
        end = literal.end() + int(literal[1])
        return response[literal.end() : end].decode("latin-1"), end
    if quoted := _QUOTED.match(response, at):
        return _ESCAPED.sub(r"\1", quoted[1].decode("latin-1")), quoted.end()
    atom = _ATOM.match(response, at)
    assert atom, response[at : at + 100]
    text = atom[0].decode("latin-1")
    return (None if text.upper() == "NIL" else Atom(text)), atom.end()


def text(value: Value) -> str:
    """Return a value as text, the same for the same value."""
    if isinstance(value, list):
        return "(" + " ".join(map(text, value)) + ")"
    return "NIL" if value is None else str(value) if isinstance(value, Atom) else repr(value)


def sequence_set(numbers: list[int]) -> str:
    """Return ascending numbers as a sequence set, with ranges."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{a}:{b}" if a != b else str(a) for a, b in ranges)
