"""Playing a dialogue over anything that has lines: memory or sockets."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from tests.dialogues.score import (
    HERE,
    Closes,
    Dialogue,
    Expect,
    ExpectInAnyOrder,
    Send,
    StartTls,
    TimePasses,
)
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message


class Line(Protocol):
    """One connection, from the client's side."""

    def send(self, pieces: list[bytes]) -> None: ...
    def line(
        self,
    ) -> str | None: ...  # the next line without CRLF; None: closed; raises AssertionError
    def start_tls(self) -> None: ...
    def close(self) -> None: ...
    def pass_time(self, seconds: float) -> None: ...


def play(dialogue: Dialogue, connect: Callable[[int], Line]) -> None:
    """Play every step; raise AssertionError with file and line where the server departs from it."""
    lines: dict[int, Line] = {}
    bound: dict[str, str] = {}
    sending: list[bytes] = []

    def line_of(connection: int) -> Line:
        if connection not in lines:
            lines[connection] = connect(connection)
        return lines[connection]

    for at, step in enumerate(dialogue.steps):
        where = f"{dialogue.path.name}:{step.line}"
        match step:
            case Send():
                line = line_of(step.connection)
                sending.append(step.octets(bound))
                following = dialogue.steps[at + 1] if at + 1 < len(dialogue.steps) else None
                if not isinstance(following, Send) or following.connection != step.connection:
                    line.send(sending)
                    sending = []
            case Expect():
                got = _next(line_of(step.connection), where, step.text)
                assert got is not None, f"{where}: wanted {step.text!r}, and the server closed"
                assert step.matches(got, bound), f"{where}: wanted {step.text!r}, got {got!r}"
            case ExpectInAnyOrder():
                _in_any_order(step, line_of(step.connection), bound, where)
            case Closes(by_server=True):
                got = _next(line_of(step.connection), where, "(closes)")
                assert got is None, f"{where}: wanted the server to close, got {got!r}"
            case Closes():
                line_of(step.connection).close()
            case StartTls():
                line_of(step.connection).start_tls()
            case TimePasses():
                for line in lines.values():
                    line.pass_time(step.seconds)
                    break
    for line in lines.values():
        line.close()


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
