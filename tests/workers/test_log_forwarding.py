from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.logger import Logger, LogLevel, eventAsText
from twisted.python.failure import Failure

from tests.net.bridged import Pair
from twisted_mail.workers import log_forwarding
from twisted_mail.workers.log_forwarding import LogSender, serialisable


class Wall:
    """A service that keeps what is to be published."""

    def __init__(self) -> None:
        self.events: list[list[dict[str, Any]]] = []

    def publish(self, events: list[dict[str, Any]]) -> None:
        self.events.append(events)


def event(text: str, level: LogLevel = LogLevel.info, **fields: Any) -> dict[str, Any]:
    seen: list[Any] = []
    Logger(namespace="twisted_mail", observer=seen.append).emit(level, text, **fields)
    return dict(seen[0])


def text_of(sent: dict[str, Any]) -> str:
    return eventAsText({**sent, "log_level": LogLevel.info}, False, False, False)


def test_plain_events_keep_their_fields() -> None:
    sent = serialisable(event("{id}: delivered to {accounts}", id="m1", accounts="alice"))
    assert (sent["id"], sent["accounts"], sent["log_level"]) == ("m1", "alice", "info")
    assert text_of(sent) == "m1: delivered to alice"


def test_other_values_go_as_what_they_read_like() -> None:
    sent = serialisable(event("{what} of {whom.name}", what=[1, 2], whom=LogLevel.warn))
    assert text_of(sent) == "[1, 2] of warn"


def test_a_traceback_goes_as_its_text() -> None:
    try:
        raise ZeroDivisionError("a bug")
    except ZeroDivisionError:
        sent = serialisable(event("failed", LogLevel.critical, log_failure=Failure()))
    assert sent["log_level"] == "critical"
    assert "ZeroDivisionError: a bug" in text_of(sent)


def test_events_of_one_round_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_forwarding, "isInIOThread", lambda: True)
    wall = Wall()
    pair, clock = Pair({"log": wall}), Clock()
    sender = LogSender(pair.near, clock)
    for number in range(3):
        sender(event("{n}", n=number))
    pair.carry()
    assert wall.events == []
    clock.advance(0)
    sender(event("{n}", n=3))
    clock.advance(0)
    pair.carry()
    assert [[one["n"] for one in events] for events in wall.events] == [[0, 1, 2], [3]]


def test_events_of_other_threads_wake_the_reactor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_forwarding, "isInIOThread", lambda: False)
    wall, calls = Wall(), []

    class FarReactor:
        def callFromThread(self, call: Any) -> None:
            calls.append(call)

    pair = Pair({"log": wall})
    sender = LogSender(pair.near, FarReactor())
    sender(event("one"))
    sender(event("two"))
    [call] = calls
    call()
    pair.carry()
    assert len(wall.events[0]) == 2


def test_many_events_go_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_forwarding, "isInIOThread", lambda: True)
    wall = Wall()
    pair, clock = Pair({"log": wall}), Clock()
    sender = LogSender(pair.near, clock)
    for number in range(120):
        sender(event("{n}", n=number))
    sender.flush()
    clock.advance(0)
    pair.carry()
    assert [len(events) for events in wall.events] == [50, 50, 20]
    assert [one["n"] for events in wall.events for one in events] == [*range(120)]
