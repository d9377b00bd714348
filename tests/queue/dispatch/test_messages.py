"""Whoever reads a message closes it, once: else its memory, or its file, is never free again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    LATER,
    NEVER,
    OK,
    CountingSpool,
    PlayedQueue,
    addresses,
)
from twisted_mail.interfaces import LoadedJob, SpoolChange
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.suspension import Suspension


class LentBlob:
    """A blob that knows how often it was closed, and is not read afterwards."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self.closed = 0

    @property
    def size(self) -> int:
        return self._blob.size

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        assert not self.closed
        return self._blob.pieces(start, stop)

    def close(self) -> None:
        self.closed += 1


class LendingSpool(CountingSpool):
    """A spool that keeps the blobs that it lent."""

    def __init__(self) -> None:
        super().__init__()
        self.lent: list[LentBlob] = []

    async def load(self, job: str, numbers: Sequence[int], *state: Any) -> LoadedJob | None:
        found = await super().load(job, numbers, *state)
        if found is None:
            return None
        blob = LentBlob(found.message.blob)
        self.lent.append(blob)
        return replace(found, message=Message(blob, found.message.prefix))


@pytest.fixture
def queue() -> Iterator[PlayedQueue]:
    spool = LendingSpool()
    queue = PlayedQueue(disk=spool)
    yield queue
    queue.check()
    assert spool.lent
    assert {blob.closed for blob in spool.lent} == {1}


@pytest.mark.parametrize("outcome", [OK, LATER, NEVER])
def test_after_an_attempt(queue: PlayedQueue, outcome: Outcome) -> None:
    queue.carrier.answer = lambda transaction, recipient: outcome
    queue.accept(*addresses("example.net", 250), "bob@example.com")
    queue.pass_time(HOUR)


def test_after_notices_and_expiry(queue: PlayedQueue) -> None:
    queue.carrier.dead.add("example.net")
    queue.accept("bob@example.net")
    queue.pass_time(5.1 * DAY)
    assert queue.owed == []


def test_after_a_destination_that_there_is_not(queue: PlayedQueue) -> None:
    queue.carrier.nowhere["example.net"] = NEVER
    queue.accept(*addresses("example.net", 3))
    queue.pass_time(HOUR)
    assert queue.owed == []


def test_what_was_read_and_never_tried(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 20.0
    for _ in range(9):
        queue.accept("bob@example.net")
    queue.pass_time(30.0)
    queue.run(queue.dispatcher.stop(50.0))
    queue.pass_time(60.0)
    assert queue.owed


def test_what_the_operator_stops(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 20.0
    for _ in range(4):
        queue.accept("bob@example.net", submitter="alice")
    queue.dispatcher.suspend(Suspension("account", "alice"))
    queue.run(queue.spool.apply(SpoolChange(gone=[("job1", 1), ("job2", 1), ("job3", 1)])))
    queue.pass_time(HOUR)
