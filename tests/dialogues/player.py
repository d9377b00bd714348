"""Playing a dialogue over anything that has lines: memory or sockets."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from tests.dialogues.prelude import Line, play_prelude
from tests.dialogues.score import (
    HERE,
    Closes,
    Dialogue,
    Expect,
    ExpectInAnyOrder,
    Send,
    StartTls,
    Step,
    TimePasses,
    Untagged,
)
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message


def play(dialogue: Dialogue, connect: Callable[[int], Line]) -> None:
    """Play every step; raise AssertionError with file and line where the server departs from it."""
    playing = Playing(dialogue, connect)
    for connection, prelude in sorted(dialogue.preludes.items()):
        line = playing.line_of(connection)
        play_prelude(line, dialogue.service(connection), prelude, playing.bound)
    for at, step in enumerate(dialogue.steps):
        following = dialogue.steps[at + 1] if at + 1 < len(dialogue.steps) else None
        playing.play(step, following)
    for line in playing.lines.values():
        line.close()


class Playing:
    """A dialogue while it is played: its connections, and what its names stand for."""

    def __init__(self, dialogue: Dialogue, connect: Callable[[int], Line]) -> None:
        self._dialogue = dialogue
        self._connect = connect
        self.lines: dict[int, Line] = {}
        self.bound: dict[str, str] = {}
        self._sending: list[bytes] = []
        self._may_come: set[int] = set()  # connections on which untagged lines may come first

    def line_of(self, connection: int) -> Line:
        if connection not in self.lines:
            self.lines[connection] = self._connect(connection)
        return self.lines[connection]

    def play(self, step: Step, following: Step | None) -> None:
        where = f"{self._dialogue.path.name}:{step.line}"
        match step:
            case Send():
                self._send(step, following)
            case Expect():
                self._expect(step, where)
            case Untagged():
                self._may_come.add(step.connection)
                assert isinstance(following, Expect), f"{where}: what comes after it?"
            case ExpectInAnyOrder():
                _in_any_order(step, self.line_of(step.connection), self.bound, where)
            case Closes(by_server=True):
                got = _next(self.line_of(step.connection), where, "(closes)")
                assert got is None, f"{where}: wanted the server to close, got {got!r}"
            case Closes():
                self.line_of(step.connection).close()
            case StartTls():
                self.line_of(step.connection).start_tls()
            case TimePasses():
                for line in list(self.lines.values())[:1]:
                    line.pass_time(step.seconds)

    def _send(self, step: Send, following: Step | None) -> None:
        self._sending.append(step.octets(self.bound))
        if not isinstance(following, Send) or following.connection != step.connection:
            self.line_of(step.connection).send(self._sending)
            self._sending = []

    def _expect(self, step: Expect, where: str) -> None:
        line = self.line_of(step.connection)
        got = _next(line, where, step.text)
        if step.connection in self._may_come:
            while got is not None and got.startswith("* ") and not step.matches(got, self.bound):
                got = _next(line, where, step.text)
            self._may_come.discard(step.connection)
        assert got is not None, f"{where}: wanted {step.text!r}, and the server closed"
        assert step.matches(got, self.bound), f"{where}: wanted {step.text!r}, got {got!r}"


def _next(line: Line, where: str, wanted: str) -> str | None:
    try:
        return line.line()
    except AssertionError as error:
        raise AssertionError(f"{where}: wanted {wanted!r}, got nothing; {error}") from None


def _in_any_order(step: ExpectInAnyOrder, line: Line, bound: dict[str, str], where: str) -> None:
    left = list(step.expected)
    while left:
        got = _next(line, where, left[0].text)
        assert got is not None, f"{where}: wanted {left[0].text!r}, and the server closed"
        fitting = next((one for one in left if one.matches(got, bound)), None)
        assert fitting, f"{where}: wanted one of {[one.text for one in left]}, got {got!r}"
        left.remove(fitting)


_GIVEN = re.compile(r'(\S+)\s+("[^"]*"|\S+)\s+(\S+)(?:\s+\(([^)]*)\))?(?:\s+"([^"]*)")?')


def given_draft(text: str) -> tuple[str, str, NewMessage]:
    """Read a ``given:`` heading: the account, the mailbox, and the message to put there."""
    match = _GIVEN.fullmatch(text)
    assert match, f"not a given message: {text!r}"
    account, mailbox, file, marks, date = match.groups()
    data = (HERE / "messages" / file).read_bytes().replace(b"\n", b"\r\n")
    when = (
        datetime.strptime(date.strip(), "%d-%b-%Y %H:%M:%S %z")
        if date
        else datetime.fromtimestamp(10**9, UTC)
    )
    draft = NewMessage(Message(MemoryBlob(data)), flags.normal((marks or "").split()), when)
    return account, mailbox.strip('"'), draft
