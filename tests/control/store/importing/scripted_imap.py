"""An IMAP server in memory that a test can make answer oddly; it is the source of an import."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.control.store.commands import ALICE, StoreCommand
from twisted_mail.control.store.importing.imap_client import ImapClient

Answer = bytes | Callable[[bytes], bytes]


@dataclass(slots=True)
class Mail:
    """One message there; ``about`` takes the place of what FETCH says about it."""

    uid: int
    data: bytes = b"Subject: x\r\n\r\ntext\r\n"
    flags: bytes = b"\\Seen"
    date: bytes = b'"17-Jul-1996 02:44:25 -0700"'
    size: int | None = None

    def about(self, number: int) -> bytes:
        size = len(self.data) if self.size is None else self.size
        items = b"UID %d FLAGS (%s) INTERNALDATE %s RFC822.SIZE %d"
        return b"* %d FETCH (%s)\r\n" % (number, items % (self.uid, self.flags, self.date, size))

    def body(self, number: int) -> bytes:
        return b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (
            number,
            self.uid,
            len(self.data),
            self.data,
        )


@dataclass(slots=True)
class ScriptedImap:
    """The server: its mailboxes by the octets of their names, and odd answers by commands.

    ``answers`` has untagged answers, or whole ones that end in a tagged line, by the beginnings of
    commands without their tags; ``{tag}`` is the tag.
    """

    mailboxes: dict[bytes, list[Mail]]
    capabilities: bytes = b"IMAP4rev1"
    delimiter: bytes = b"/"
    answers: dict[bytes, Answer] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    _open: list[Mail] = field(default_factory=list)

    def answer(self, line: bytes) -> bytes:
        """Return what the server sends after a command."""
        tag, _, command = line.rstrip(b"\r\n").partition(b" ")
        self.asked.append(command)
        odd = next((each for each in self.answers if command.startswith(each)), None)
        if odd is None:
            return self._usual(command) + tag + b" OK done\r\n"
        found = self.answers[odd]
        text = found if isinstance(found, bytes) else found(command)
        is_whole = b"{tag}" in text or text.startswith(b"* BYE")
        return text.replace(b"{tag}", tag) if is_whole else text + tag + b" OK done\r\n"

    def _usual(self, command: bytes) -> bytes:
        word = command.split(b" ")[0]
        if word == b"CAPABILITY":
            return b"* CAPABILITY %s\r\n" % self.capabilities
        if word in (b"LIST", b"LSUB"):
            line = b'* %s () "%s" "%s"\r\n'
            return b"".join(line % (word, self.delimiter, name) for name in self.mailboxes)
        if word == b"EXAMINE":
            self._open = self.mailboxes[re.findall(rb'"(.*)"', command)[0]]
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 42] ok\r\n" % len(self._open)
        if command == b"UID SEARCH ALL":
            return b"* SEARCH" + b"".join(b" %d" % each.uid for each in self._open) + b"\r\n"
        return self._fetched(command) if b"FETCH" in command else b""

    def _fetched(self, command: bytes) -> bytes:
        numbered = [*enumerate(self._open, 1)]
        if command == b"FETCH 1:* (UID)":
            return b"".join(b"* %d FETCH (UID %d)\r\n" % (n, each.uid) for n, each in numbered)
        wanted = {int(uid) for uid in command.split(b" ")[2].split(b",")}
        there = [(number, each) for number, each in numbered if each.uid in wanted]
        if b"BODY.PEEK[]" in command:
            return b"".join(each.body(number) for number, each in there)
        return b"".join(each.about(number) for number, each in there)


class _Connection(io.RawIOBase):
    """What imaplib sees: a socket, and the file that it reads from."""

    def __init__(self, server: ScriptedImap) -> None:
        self._server = server
        self._waiting = b"* OK ready\r\n"

    def sendall(self, data: bytes) -> None:
        self._waiting += self._server.answer(data)

    def makefile(self, mode: str) -> Any:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), len(self._waiting))
        buffer[:size], self._waiting = self._waiting[:size], self._waiting[size:]
        return size

    def shutdown(self, how: int) -> None:
        pass


def import_from(
    server: ScriptedImap, store: StoreCommand, patch: pytest.MonkeyPatch, *words: object
) -> Any:
    """Import from the server; return the answer, with the exit code in ``code``."""
    patch.setattr(ImapClient, "_create_socket", lambda self, timeout: _Connection(server))
    store.type("secret\n")
    words = ("import", ALICE, "imaps://me@there.example/", "--password-stdin", *words)
    code = store(*words, "--json")
    return {**json.loads(store.out), "code": code}
