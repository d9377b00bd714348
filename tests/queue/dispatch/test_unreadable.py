"""Jobs that cannot be read from a failing disk: they wait, and keep nobody else waiting."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    LATER,
    MINUTE,
    NEVER,
    CountingSpool,
    PlayedQueue,
)
from twisted_mail.interfaces import LoadedJob, ReportAction
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.dispatch import lookups, supply


class FailingSpool(CountingSpool):
    """Cannot read the jobs that are ``unreadable``."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: set[str] = set()

    async def load(self, job: str, numbers: Sequence[int], *state: Any) -> LoadedJob | None:
        """Return a job, if it can be read."""
        if job in self.unreadable:
            raise Unavailable("The disk fails")
        return await super().load(job, numbers, *state)


@pytest.fixture
def disk() -> FailingSpool:
    return FailingSpool()


@pytest.fixture
def queue(disk: FailingSpool) -> PlayedQueue:
    return PlayedQueue(disk=disk)


def test_what_comes_behind_one_goes(queue: PlayedQueue, disk: FailingSpool) -> None:
    disk.unreadable = {"job1"}
    for _ in range(3):
        queue.accept("bob@example.net")
    queue.pass_time(MINUTE)
    assert [one.job.id for one in queue.sent_to("example.net")] == ["job2", "job3"]
    disk.unreadable.clear()
    queue.pass_time(10 * MINUTE)
    assert queue.owed == []
    queue.check()


def test_a_disk_that_fails_altogether_is_waited_for(
    queue: PlayedQueue, disk: FailingSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "MOST_UNREADABLE", 5)
    disk.unreadable = {f"job{each + 1}" for each in range(20)}
    for _ in range(20):
        queue.accept("bob@example.net")
    queue.pass_time(5 * MINUTE)
    assert len(queue.dispatcher._state.claims) <= 5
    disk.unreadable.clear()
    queue.pass_time(10 * MINUTE)
    assert queue.owed == []
    queue.check()


def test_what_came_later_is_given_up_in_time(queue: PlayedQueue, disk: FailingSpool) -> None:
    disk.unreadable = {"job1"}
    queue.carrier.dead.add("example.net")
    for _ in range(2):
        queue.accept("bob@example.net")
    queue.pass_time(5.1 * DAY)
    assert queue.owed == [("job1", 1)]
    assert ("job2", 1) in queue.made(ReportAction.FAILED)
    disk.unreadable.clear()
    queue.pass_time(HOUR)
    assert queue.owed == []
    queue.check()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_one_for_a_destination_that_there_is_not_keeps_no_other(
    queue: PlayedQueue, disk: FailingSpool, monkeypatch: pytest.MonkeyPatch, is_restarted: bool
) -> None:
    monkeypatch.setattr(lookups, "PORTION", 2)
    disk.unreadable = {"job1", "job2", "job3"}
    queue.carrier.nowhere["example.net"] = LATER
    for _ in range(9):
        queue.accept("bob@example.net")
    queue.carrier.nowhere["example.net"] = NEVER
    if is_restarted:
        queue.crash()
        queue.begin()
    queue.pass_time(10 * MINUTE)
    assert queue.owed == [("job1", 1), ("job2", 1), ("job3", 1)]
    assert len(queue.made(ReportAction.FAILED)) == 6
    disk.unreadable.clear()
    queue.pass_time(5 * MINUTE)
    assert queue.owed == []
    queue.check()


def test_a_bug_at_a_destination_that_there_is_not_leaves_it_as_it_was(
    queue: PlayedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("as told")

    queue.carrier.nowhere["example.net"] = NEVER
    with monkeypatch.context() as patch:
        patch.setattr(lookups, "result_of", broken)
        queue.accept("bob@example.net")
        queue.pass_time(1.0)
        assert queue.journal.of("failed")
    queue.pass_time(5 * MINUTE)
    assert queue.owed == []
