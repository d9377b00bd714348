"""One mailbox of messages as Dovecot shows it, and as we do."""

import imaplib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.whole.imap_values import Value, fetched, replies
from tests.whole.peers import give
from tests.whole.reading.attributes import Attributes, envelope_attributes, structure_attributes
from tests.whole.shared_maildir import done, shared_maildir

AT_ONCE = 100  # sections in one command; a whole one and its parts are never divided


class Both:
    """Asks both servers the same; the first of two answers is Dovecot's."""

    def __init__(self, theirs: imaplib.IMAP4, ours: imaplib.IMAP4) -> None:
        self.clients = theirs, ours
        for client in self.clients:
            done(client.select("INBOX", readonly=True))

    def attributes(self) -> Iterator[tuple[Attributes, Attributes]]:
        """Return the attributes of each message."""
        theirs, ours = map(_attributes, self.clients)
        return zip(theirs, ours, strict=True)

    def structures(self) -> list[Value]:
        """Return our structure of each message."""
        return fetched(self.clients[1], b"BODYSTRUCTURE")

    def sections(
        self, number: int, names: Sequence[bytes]
    ) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
        """Return the name of each section of one message, and its octets."""
        for at in range(0, len(names), AT_ONCE):
            some = names[at : at + AT_ONCE]
            theirs, ours = (_sections(client, number, some) for client in self.clients)
            assert theirs.keys() == ours.keys()
            for name, their in theirs.items():
                yield name, their, ours[name]

    def search(self, key: bytes) -> tuple[set[int], set[int]]:
        """Return the numbers of the messages that each finds; a key may be in UTF-8."""
        theirs, ours = (_found(client, key) for client in self.clients)
        return theirs, ours


@contextmanager
def served(messages: Sequence[bytes]) -> Iterator[Both]:
    """Let both servers serve a mailbox of messages."""
    with pytest.MonkeyPatch.context() as monkeypatch, shared_maildir(monkeypatch) as ground:
        _put(ground.maildir, messages)
        with ground.dovecot_serves() as (theirs, _), ground.live_serves() as (ours, _):
            yield Both(theirs, ours)


def _put(maildir: Path, messages: Sequence[bytes]) -> None:
    """Write messages into a maildir, as another program would."""
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir()
        give(maildir / name)
    for number, octets in enumerate(messages, 1):
        path = maildir / "cur" / f"{1_700_000_000 + number}.M{number}.host:2,S"
        path.write_bytes(octets)
        give(path)


def _attributes(client: imaplib.IMAP4) -> list[Attributes]:
    pairs = zip(fetched(client, b"ENVELOPE"), fetched(client, b"BODYSTRUCTURE"), strict=True)
    return [envelope_attributes(first) | structure_attributes(second) for first, second in pairs]


# ---------------------------------------------------------------- sections

_NAME = re.compile(rb"BODY\[([^\]]*)\](<\d+>)? ")
_OCTETS = re.compile(rb'NIL|\{(\d+)\}\r\n|"([^"\\]*)"')


def _sections(
    client: imaplib.IMAP4, number: int, names: Sequence[bytes]
) -> dict[bytes, bytes | None]:
    items = b" ".join([b"BODY.PEEK[" + name for name in names])
    found: dict[bytes, bytes | None] = {}
    for reply in replies(client, b"FETCH %d (%b)" % (number, items)):
        match = re.fullmatch(rb"\* [0-9]+ FETCH \((.*)\)\r\n", reply, re.DOTALL)
        if match:
            found |= _read(match[1])
    return found


def _read(data: bytes) -> Iterator[tuple[bytes, bytes | None]]:
    at = 0
    while at < len(data):
        name = _NAME.match(data, at)
        assert name, data[at : at + 80]
        match = _OCTETS.match(data, name.end())
        assert match, data[name.end() : name.end() + 80]
        at = match.end() + int(match[1] or 0)
        octets = data[match.end() : at] if match[1] else match[2]
        yield name[1].upper() + (name[2] or b""), octets
        at += 1


# ---------------------------------------------------------------- searches


def _found(client: imaplib.IMAP4, key: bytes) -> set[int]:
    answers = replies(client, b"SEARCH " + key) if key.isascii() else _found_in_utf_8(client, key)
    numbers = [one.split()[2:] for one in answers if one.startswith(b"* SEARCH")]
    return {int(number) for some in numbers for number in some}


def _found_in_utf_8(client: imaplib.IMAP4, key: bytes) -> list[bytes]:
    name, _, needle = key.partition(b" ")
    needle = needle.strip(b'"')
    tag = client._new_tag()
    client.send(tag + b" SEARCH CHARSET UTF-8 %b {%d}\r\n" % (name, len(needle)))
    assert client.readline().startswith(b"+")
    client.send(needle + b"\r\n")
    found = []
    while not (reply := client.readline()).startswith(tag):
        found.append(reply)
    assert reply.startswith(tag + b" OK"), reply
    return found
