"""Chores, by a clock that stands still."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail.net.process.periodic import PeriodicTask, PeriodicTasks
from twisted_mail.testing.journal import ListJournal


class House:
    def __init__(self) -> None:
        self.clock = Clock()
        self.journal = ListJournal()
        reactor: Any = self.clock
        self.periodic_tasks = PeriodicTasks(reactor, self.journal)
        self.done: list[str] = []

    async def sweep(self) -> None:
        self.done.append("swept")


def test_a_chore_is_done_again_and_again() -> None:
    house = House()
    house.periodic_tasks.start(PeriodicTask("sweeping", 10, house.sweep))
    assert house.done == []
    for _ in range(3):
        house.clock.advance(10)
    assert house.done == ["swept"] * 3


def test_a_chore_that_fails_is_noted_and_tried_again() -> None:
    house = House()

    async def fail() -> None:
        raise OSError("no broom")

    house.periodic_tasks.start(PeriodicTask("sweeping", 10, fail))
    house.clock.advance(10)
    house.clock.advance(10)
    assert house.journal.events == [("failed", ("sweeping",))] * 2


def test_a_long_chore_is_not_begun_twice_and_the_end_waits_for_it() -> None:
    house, begun = House(), []
    waiting: Deferred[None] = Deferred()

    async def long() -> None:
        begun.append(1)
        await waiting

    house.periodic_tasks.start(PeriodicTask("sweeping", 10, long))
    for _ in range(5):
        house.clock.advance(10)
    assert begun == [1]
    ended: list[None] = []
    Deferred.fromCoroutine(house.periodic_tasks.stop()).addCallback(ended.append)
    assert ended == []
    waiting.callback(None)
    assert ended == [None]
    house.clock.advance(100)
    assert begun == [1]


def test_nothing_is_done_after_the_end() -> None:
    house = House()
    house.periodic_tasks.start(
        PeriodicTask("sweeping", 10, house.sweep), PeriodicTask("dusting", 1, house.sweep)
    )
    ended: list[None] = []
    Deferred.fromCoroutine(house.periodic_tasks.stop()).addCallback(ended.append)
    assert ended == [None]
    house.clock.advance(100)
    assert house.done == []
    assert house.clock.getDelayedCalls() == []
