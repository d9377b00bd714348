from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from tests.net.bridged import Pair
from twisted_mail.mail.outcome import Outcome, ProtocolError, Refused, Unavailable
from twisted_mail.net.process import process_bridge as room


class EchoService:
    """What the other side may call."""

    def __init__(self) -> None:
        self.notified: list[Any] = []
        self.slow: list[Deferred[str]] = []

    value: Any = None

    def get(self) -> Any:
        return self.value

    def add(self, one: int, other: int) -> int:
        return one + other

    def note(self, what: Any) -> None:
        self.notified.append(what)

    async def wait(self) -> str:
        self.slow.append(Deferred())
        return await self.slow[-1]

    def fail(self, error: Exception) -> None:
        raise error


class Asking(Pair):
    """A pair with a service."""

    def __init__(self) -> None:
        self.service = EchoService()
        super().__init__({"echo": self.service})

    def call(self, method: str, *args: Any) -> list[Any]:
        return self.begin(self.near.call("echo", method, *args))


def test_a_method_of_the_other_side_is_called() -> None:
    pair = Asking()
    answers = pair.call("add", 2, 3)
    assert answers == []
    pair.carry()
    assert answers == [5]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_pieces_of_any_size_are_put_together(size: int) -> None:
    pair = Asking()
    answers = [pair.call("add", n, 1) for n in range(5)]
    pair.carry(size)
    assert answers == [[1], [2], [3], [4], [5]]


def test_answers_come_as_they_are_ready() -> None:
    pair = Asking()
    slow, quick = pair.call("wait"), pair.call("add", 1, 1)
    pair.carry()
    assert (slow, quick) == ([], [2])
    pair.service.slow[0].callback("done")
    pair.carry()
    assert slow == ["done"]


def test_a_notification_has_no_answer() -> None:
    pair = Asking()
    pair.near.notify("echo", "note", {"id": b"1"})
    pair.near.notify("echo", "fail", ZeroDivisionError())
    pair.carry()
    assert pair.service.notified == [{"id": b"1"}]
    assert [event for event, _ in pair.journal.events] == ["failed"]


@pytest.mark.parametrize(
    "error",
    [
        Refused(Outcome(550, "5.1.1", "No such user"), "NONEXISTENT"),
        Unavailable("Not now"),
        ProtocolError("What?"),
    ],
)
def test_refusals_cross_the_bridge(error: Any) -> None:
    pair = Asking()
    answers = pair.call("fail", error)
    pair.carry()
    [failure] = answers
    assert type(failure.value) is type(error)
    assert failure.value.outcome == error.outcome
    assert failure.value.condition == error.condition


def test_a_bug_is_noted_where_it_is_and_answered_as_unavailable() -> None:
    pair = Asking()
    answers = [pair.call("fail", ZeroDivisionError("secret")), pair.call("nothing")]
    pair.carry()
    for [failure] in answers:
        assert isinstance(failure.value, Unavailable)
        assert "secret" not in failure.value.outcome.text
    assert pair.journal.events[0] == ("failed", ("service echo",))


def test_when_the_other_side_goes_nobody_waits_for_it() -> None:
    pair = Asking()
    answers = pair.call("wait")
    pair.near.connectionLost(Failure(ConnectionDone()))
    assert isinstance(answers[0].value, Unavailable)
    assert pair.lost == ["near"]
    [late] = pair.call("add", 1, 1)
    assert isinstance(late.value, Unavailable)
    pair.near.notify("echo", "note", "in vain")


def test_an_answer_that_comes_too_late_is_dropped() -> None:
    pair = Asking()
    pair.call("wait")
    pair.carry()
    pair.far.connectionLost(Failure(ConnectionDone()))
    pair.service.slow[0].callback("done")
    assert pair.far.transport.value() == b""


def test_a_length_beyond_all_calls_ends_the_bridge() -> None:
    pair = Asking()
    pair.far.dataReceived((room.MAX_CALL_SIZE + 1).to_bytes(4, "big"))
    assert pair.far.transport.disconnected
    assert [event for event, _ in pair.journal.events] == ["warned"]


@pytest.mark.parametrize("what", [b"x" * 200, lambda: 0], ids=["too long", "no plain value"])
def test_what_cannot_be_sent_is_refused_and_nothing_else(
    what: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_CALL_SIZE", 150)
    pair = Asking()
    pair.near.notify("echo", "note", what)
    [failure] = pair.call("add", what, 1)
    assert isinstance(failure.value, Unavailable)
    assert len(pair.journal.events) == 2
    answers = pair.call("add", 1, 1)
    pair.carry()
    assert answers == [2]


@pytest.mark.parametrize("value", [b"x" * 2000, lambda: 0], ids=["too long", "no plain value"])
def test_an_answer_that_cannot_be_sent_is_a_trouble(
    value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_CALL_SIZE", 1000)
    pair = Asking()
    pair.service.value = value
    answers = pair.call("get")
    pair.carry()
    assert isinstance(answers[0].value, Unavailable)


def test_what_was_said_is_sent_before_the_bridge_ends() -> None:
    pair = Asking()
    pair.near.notify("echo", "note", "the last word")
    pair.near.close()
    pair.carry()
    assert pair.near.transport.disconnecting
    assert pair.service.notified == ["the last word"]
