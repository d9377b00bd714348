"""Chores, by a clock that stands still."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail.net.process.periodic import PeriodicTask, PeriodicTasks
from twisted_mail.testing.recorded_log import ListJournal


class PeriodicFixture:
    def __init__(self) -> None:
        self.clock = Clock()
        self.journal = ListJournal()
        reactor: Any = self.clock
        self.periodic_tasks = PeriodicTasks(reactor, self.journal)
        self.done: list[str] = []

    async def sweep(self) -> None:
        self.done.append("swept")


def test_a_chore_is_done_again_and_again() -> None:
    fixture = PeriodicFixture()
    fixture.periodic_tasks.start(PeriodicTask("sweeping", 10, fixture.sweep))
    assert fixture.done == []
    for _ in range(3):
        fixture.clock.advance(10)
    assert fixture.done == ["swept"] * 3


def test_a_chore_that_fails_is_noted_and_tried_again() -> None:
    fixture = PeriodicFixture()

    async def fail() -> None:
        raise OSError("no broom")

    fixture.periodic_tasks.start(PeriodicTask("sweeping", 10, fail))
    fixture.clock.advance(10)
    fixture.clock.advance(10)
    assert fixture.journal.events == [("failed", ("sweeping",))] * 2


def test_a_long_chore_is_not_begun_twice_and_the_end_waits_for_it() -> None:
    fixture, begun = PeriodicFixture(), []
    waiting: Deferred[None] = Deferred()

    async def long() -> None:
        begun.append(1)
        await waiting

    fixture.periodic_tasks.start(PeriodicTask("sweeping", 10, long))
    for _ in range(5):
        fixture.clock.advance(10)
    assert begun == [1]
    ended: list[None] = []
    Deferred.fromCoroutine(fixture.periodic_tasks.stop()).addCallback(ended.append)
    assert ended == []
    waiting.callback(None)
    assert ended == [None]
    fixture.clock.advance(100)
    assert begun == [1]


def test_nothing_is_done_after_the_end() -> None:
    fixture = PeriodicFixture()
    fixture.periodic_tasks.start(
        PeriodicTask("sweeping", 10, fixture.sweep), PeriodicTask("dusting", 1, fixture.sweep)
    )
    ended: list[None] = []
    Deferred.fromCoroutine(fixture.periodic_tasks.stop()).addCallback(ended.append)
    assert ended == [None]
    fixture.clock.advance(100)
    assert fixture.done == []
    assert fixture.clock.getDelayedCalls() == []
