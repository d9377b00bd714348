"""Waiting ends, whatever it waits for."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from twisted_mail.net.process import deadline
from twisted_mail.net.process.deadline import wait_within


class Waiting:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.logged, self.over = Clock(), list[str](), list[Any]()
        for name in ("warn", "failure"):
            monkeypatch.setattr(
                deadline.log, name, lambda text, *, _name=name, **rest: self.logged.append(_name)
            )

    def wait(self, work: Deferred[Any]) -> None:
        reactor: Any = self.clock
        Deferred.fromCoroutine(wait_within(reactor, 5, "work", work)).addBoth(self.over.append)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    return Waiting(monkeypatch)


def test_what_is_over_in_time_ends_the_waiting(waiting: Waiting) -> None:
    work: Deferred[str] = Deferred()
    waiting.wait(work)
    waiting.clock.advance(4.9)
    assert waiting.over == []
    work.callback("x")
    assert (waiting.over, waiting.logged, waiting.clock.getDelayedCalls()) == ([None], [], [])


def test_what_is_over_already_is_not_waited_for(waiting: Waiting) -> None:
    waiting.wait(succeed(1))
    assert (waiting.over, waiting.clock.getDelayedCalls()) == ([None], [])


def test_what_takes_longer_is_logged_and_may_end_later(waiting: Waiting) -> None:
    work: Deferred[str] = Deferred()
    waiting.wait(work)
    waiting.clock.advance(5)
    assert (waiting.over, waiting.logged) == ([None], ["warn"])
    work.callback("x")
    assert waiting.over == [None]


def test_a_failure_is_logged_and_ends_the_waiting(waiting: Waiting) -> None:
    waiting.wait(fail(RuntimeError("no")))
    assert (waiting.over, waiting.logged) == ([None], ["failure"])
