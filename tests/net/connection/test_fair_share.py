"""Turns: many that work, and one that has little to do."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail.net.connection.fair_share import SHORTEST_SECONDS, SLICE_SECONDS, FairShare


class Rounds(Clock):
    """A reactor whose rounds are made one by one; what is put off in one is done in the next."""

    def round(self) -> None:
        due, self.calls = self.calls, []
        for call in due:
            call.func()


class Workers:
    """Coroutines that each work a millisecond at a time, for ever."""

    def __init__(self, number: int) -> None:
        self.clock = Rounds()
        reactor: Any = self.clock
        self.fair_share = FairShare(reactor)
        self.worked: list[int] = []
        for name in range(number):
            Deferred.fromCoroutine(self._work(name))

    async def _work(self, name: int) -> None:
        while True:
            await self.fair_share.wait()
            self.worked.append(name)
            self.clock.rightNow += 0.001

    def round(self) -> list[int]:
        """Return who worked in one round of the reactor."""
        self.worked.clear()
        self.clock.round()
        return list(self.worked)


def test_a_round_takes_no_longer_than_one_slice_however_many_wait() -> None:
    workers = Workers(1000)
    began = workers.clock.seconds()
    workers.round()
    assert workers.clock.seconds() - began <= SLICE_SECONDS + 0.002


def test_all_work_in_turn() -> None:
    workers = Workers(50)
    worked: list[int] = []
    while len(worked) < 100:
        worked += workers.round()
    assert worked[:100] == [*range(50), *range(50)]


def test_one_alone_works_once_in_each_round() -> None:
    workers = Workers(1)
    assert [workers.round(), workers.round()] == [[0], [0]]


def test_nothing_goes_round_when_nobody_waits() -> None:
    clock = Clock()
    reactor: Any = clock
    fair_share = FairShare(reactor)
    waited: list[str] = []
    Deferred.fromCoroutine(fair_share.wait()).addCallback(lambda _: waited.append("once"))
    clock.advance(0)
    assert waited == ["once"]
    assert clock.getDelayedCalls() == []


def test_the_more_wait_the_shorter_is_the_slice() -> None:
    clock = Clock()
    reactor: Any = clock
    fair_share = FairShare(reactor)
    assert fair_share.slice_seconds == SLICE_SECONDS
    for _ in range(3):
        Deferred.fromCoroutine(fair_share.wait())
    assert fair_share.slice_seconds == SLICE_SECONDS / 4
    for _ in range(1000):
        Deferred.fromCoroutine(fair_share.wait())
    assert fair_share.slice_seconds == SHORTEST_SECONDS
