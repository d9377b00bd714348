"""FETCH and SEARCH as values: what a server answers, read without any leniency."""

import imaplib
import re

Value = bytes | int | None | list["Value"]

_LITERAL = re.compile(rb"\{([0-9]+)\}\r\n")
_ATOM = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"|(NIL)|([0-9]+)|([A-Z][A-Z0-9.]*)')
_ESCAPED = re.compile(rb'\\(["\\])')


def values(data: bytes) -> list[Value]:
    """Read strings, numbers, NIL, names and lists, with a space or nothing between them."""
    levels: list[list[Value]] = [[]]
    at = 0
    while at < len(data):
        if data[at : at + 1] in b"( )":
            if data[at : at + 1] == b"(":
                levels.append([])
            elif data[at : at + 1] == b")":
                done = levels.pop()
                levels[-1].append(done)
            at += 1
        elif match := _LITERAL.match(data, at):
            at = match.end() + int(match[1])
            levels[-1].append(data[match.end() : at])
        else:
            match = _ATOM.match(data, at)
            assert match, data[at : at + 100]
            levels[-1].append(_atom(match))
            at = match.end()
    assert len(levels) == 1
    return levels[0]


def _atom(match: re.Match[bytes]) -> Value:
    quoted, nil, number, name = match.groups()
    if quoted is not None:
        return _ESCAPED.sub(rb"\1", quoted)
    return None if nil else name or int(number)


def replies(client: imaplib.IMAP4, command: bytes) -> list[bytes]:
    """Send a command; return its untagged replies, with their literals."""
    tag = client._new_tag()
    client.send(tag + b" " + command + b"\r\n")
    found = []
    while True:
        reply = client.readline()
        while match := re.search(rb"\{([0-9]+)\}\r\n\Z", reply):
            reply += client.read(int(match[1])) + client.readline()
        if reply.startswith(tag):
            assert reply.startswith(tag + b" OK"), (command, reply)
            return found
        found.append(reply)


def fetched(client: imaplib.IMAP4, item: bytes) -> list[Value]:
    """Return one item of every message, in their order."""
    found = []
    for reply in replies(client, b"FETCH 1:* (" + item + b")"):
        match = re.fullmatch(rb"\* [0-9]+ FETCH \(" + item + rb" (.*)\)\r\n", reply, re.DOTALL)
        if match:
            (value,) = values(match[1])
            found.append(value)
    return found
