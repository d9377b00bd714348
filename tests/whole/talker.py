"""An IMAP client that keeps a view of its mailbox as RFC 3501 §7 says, for tests of many clients."""

import re
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tests.whole.live import PATIENCE

_EXISTS = re.compile(rb"\* ([0-9]+) EXISTS")
_EXPUNGE = re.compile(rb"\* ([0-9]+) EXPUNGE")
_FETCH = re.compile(rb"\* ([0-9]+) FETCH \(")
_UID = re.compile(rb"[( ]UID ([0-9]+)")
_FLAGS = re.compile(rb"[( ]FLAGS \(([^)]*)\)")
_SUBJECT = re.compile(rb"Subject: ([^\r\n]+)")
_UIDVALIDITY = re.compile(rb"\[UIDVALIDITY ([0-9]+)\]")
_LITERAL = re.compile(rb"\{([0-9]+)\}\Z")
_CODE = re.compile(rb"\[(APPENDUID|COPYUID) ([0-9]+) ([^\]]+)\]")
_MAILBOX = re.compile(rb'\* LIST \([^)]*\) "/" "?([^"]+)"?')


class Lost(Exception):
    """The connection is gone."""


@dataclass
class Seen:
    """What the client knows of one message."""

    uid: int = 0
    name: str = ""
    flags: frozenset[str] = frozenset()


@dataclass
class Answer:
    """The tagged response, and the untagged ones."""

    status: str
    text: bytes
    lines: list[bytes] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        return self.status == "OK"

    def copied(self) -> tuple[int, list[int], list[int]]:
        """Return UIDVALIDITY, sources and targets of a COPYUID or APPENDUID code."""
        for line in (*self.lines, self.text):
            match = _CODE.search(line)
            if match:
                sets = [list(numbers(each)) for each in match[3].split(b" ")]
                return int(match[2]), sets[0] if len(sets) > 1 else [], sets[-1]
        return 0, [], []


def numbers(found: bytes) -> Iterable[int]:
    """Yield the numbers of a set like ``1:3,5``."""
    for part in found.split(b","):
        first, _, last = part.partition(b":")
        yield from range(int(first), int(last or first) + 1)


class Talker:
    """One connection. Raises Lost when it ends."""

    def __init__(self, port: int, account: str, name: str = "") -> None:
        self.name = name
        self.selected = ""
        self.uidvalidity = 0
        self.view: list[Seen] = []
        self._unread = b""
        self.last = b""  # response
        self._count = 0
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        except OSError:
            raise Lost from None
        self._line()
        assert self.ask(f"LOGIN {account} secret").is_ok

    @property
    def port(self) -> int:
        """Return the number of our own port."""
        return int(self._socket.getsockname()[1])

    # ------------------------------------------------------------ the wire

    def _more(self) -> None:
        try:
            data = self._socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Lost(self.last)
        self._unread += data

    def _line(self) -> bytes:
        """Return one response, literals inside."""
        line = b""
        while True:
            while b"\r\n" not in self._unread:
                self._more()
            part, _, self._unread = self._unread.partition(b"\r\n")
            line += part
            self.last = line
            literal = _LITERAL.search(part)
            if literal is None:
                return line
            while len(self._unread) < int(literal[1]):
                self._more()
            line += self._unread[: int(literal[1])]
            self._unread = self._unread[int(literal[1]) :]

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except ConnectionError:
            raise Lost from None

    def ask(self, command: str, literal: bytes | None = None) -> Answer:
        """Give a command and wait for its end."""
        self._count += 1
        tag = f"t{self._count}".encode()
        ending = b"" if literal is None else b" {%d+}\r\n%b" % (len(literal), literal)
        self._send(tag + b" " + command.encode() + ending + b"\r\n")
        return self._answer(tag)

    def _answer(self, tag: bytes) -> Answer:
        lines: list[bytes] = []
        while not (line := self._line()).startswith(tag + b" "):
            self._take(line)
            lines.append(line)
        _, status, text = line.split(b" ", 2)
        return Answer(status.decode(), text, lines)

    def close(self) -> None:
        self._socket.close()

    # ------------------------------------------------------------ the view

    def _take(self, line: bytes) -> None:
        if match := _EXISTS.match(line):
            assert int(match[1]) >= len(self.view), "EXISTS took messages away"
            self.view += [Seen() for _ in range(int(match[1]) - len(self.view))]
        elif match := _EXPUNGE.match(line):
            assert 0 < int(match[1]) <= len(self.view), "EXPUNGE of a number that is not there"
            del self.view[int(match[1]) - 1]
        elif match := _FETCH.match(line):
            assert 0 < int(match[1]) <= len(self.view), "FETCH of a number that is not there"
            self._take_fetch(self.view[int(match[1]) - 1], line)

    def _take_fetch(self, seen: Seen, line: bytes) -> None:
        if uid := _UID.search(line):
            assert seen.uid in (0, int(uid[1])), "a message's UID changed"
            seen.uid = int(uid[1])
        if flags := _FLAGS.search(line):
            seen.flags = frozenset(flags[1].decode().split()) - {"\\Recent"}
        if subject := _SUBJECT.search(line):
            seen.name = subject[1].decode()

    def select(self, mailbox: str) -> bool:
        self.selected, self.view = "", []
        answer = self.ask(f'SELECT "{mailbox}"')
        if answer.is_ok:
            self.selected = mailbox
            [self.uidvalidity] = [
                int(match[1]) for line in answer.lines if (match := _UIDVALIDITY.search(line))
            ]
            self.learn()
        return answer.is_ok

    def learn(self) -> None:
        """Ask for what is not known of the messages in view."""
        while unknown := [number for number, seen in enumerate(self.view, 1) if not seen.name]:
            self.ask(
                f"FETCH {unknown[0]}:{len(self.view)} (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
            )
            if not all(seen.name for seen in self.view):
                self.ask("NOOP")  # some are gone, and we were not told yet

    def state(self) -> dict[int, frozenset[str]]:
        """Return the flags by UID, after a NOOP."""
        self.ask("NOOP")
        self.learn()
        return {seen.uid: seen.flags for seen in self.view}

    def mailboxes(self) -> list[str]:
        answer = self.ask('LIST "" "*"')
        found = [_MAILBOX.match(line) for line in answer.lines]
        return sorted(match[1].decode() for match in found if match)

    def idle(self, seconds: float) -> None:
        self._count += 1
        tag = f"t{self._count}".encode()
        self._send(tag + b" IDLE\r\n")
        while not (line := self._line()).startswith(b"+"):
            self._take(line)
        self._socket.settimeout(seconds)
        try:
            while True:
                self._take(self._line())
        except TimeoutError:
            pass
        finally:
            self._socket.settimeout(PATIENCE)
        self._send(b"DONE\r\n")
        assert self._answer(tag).is_ok

    def pick(self, chance: float, without: Collection[str] = ("private",)) -> Seen | None:
        """Return the message in view that lies at a fraction of it."""
        shown = [
            seen for seen in self.view if seen.uid and not seen.name.startswith(tuple(without))
        ]
        return shown[int(chance * len(shown))] if shown else None
