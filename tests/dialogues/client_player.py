"""Playing a dialogue with the roles exchanged: the file is the server, and our client speaks."""

from collections.abc import Callable, Sequence
from typing import Protocol

from tests.dialogues.score import (
    Closes,
    Dialogue,
    Expect,
    Send,
    StartTls,
    Step,
    TimePasses,
    TlsFails,
)


class ServerLine(Protocol):
    """One connection that the client has opened, from the server's side."""

    def send(self, octets: Sequence[bytes]) -> None: ...
    def line(self) -> str | None: ...  # without CRLF; None: closed; raises AssertionError
    def expect_silence(self) -> None: ...
    def start_tls(self) -> None: ...
    def break_tls(self) -> None: ...
    def close(self) -> None: ...
    def pass_time(self, seconds: float) -> None: ...


def play(dialogue: Dialogue, accept: Callable[[int], ServerLine]) -> None:
    """Play every step; raise AssertionError with file and line where the client departs from it."""
    lines: dict[int, ServerLine] = {}
    bound: dict[str, str] = {}
    sending: list[bytes] = []
    for at, step in enumerate(dialogue.steps):
        connection = getattr(step, "connection", 1)
        if connection not in lines:
            lines[connection] = accept(connection)
        line = lines[connection]
        if isinstance(step, Send):
            sending.append(step.octets(bound))
            if not _goes_on(dialogue.steps, at):
                line.expect_silence()
                line.send(sending)
                sending = []
            continue
        _play(dialogue, step, line, bound)


def _goes_on(steps: Sequence[Step], at: int) -> bool:
    """Say whether what the server sends next leaves together with this."""
    following = steps[at + 1] if at + 1 < len(steps) else None
    return isinstance(following, Send) and following.connection == getattr(
        steps[at], "connection", 1
    )


def _play(dialogue: Dialogue, step: Step, line: ServerLine, bound: dict[str, str]) -> None:
    where = f"{dialogue.path.name}:{step.line}"
    match step:
        case Expect():
            got = _next(line, where, step.text)
            assert got is not None, f"{where}: wanted {step.text!r}, and the client closed"
            assert step.matches(got, bound), f"{where}: wanted {step.text!r}, got {got!r}"
        case Closes(by_server=True):
            line.close()
        case Closes():
            got = _next(line, where, "(closes)")
            assert got is None, f"{where}: wanted the client to close, got {got!r}"
        case StartTls():
            line.start_tls()
        case TlsFails():
            line.break_tls()
        case TimePasses():
            line.pass_time(step.seconds)
        case _:
            raise AssertionError(f"{where}: this has no place in a dialogue of the client")


def _next(line: ServerLine, where: str, wanted: str) -> str | None:
    try:
        return line.line()
    except AssertionError as error:
        raise AssertionError(f"{where}: wanted {wanted!r}, got nothing; {error}") from None
