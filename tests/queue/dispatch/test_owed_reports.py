"""Reports that cannot be written now: what they are about is on disk, and nothing else waits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    LATER,
    MINUTE,
    NEVER,
    OK,
    PlayedQueue,
    addresses,
)
from twisted_mail.interfaces import ReportAction, ReportedRecipient, SpoolChange, WrittenReports
from twisted_mail.mail.envelope import DsnRequest
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import QueuedJob, RecipientState
from twisted_mail.queue.dispatch.outcomes import ledger, owed_reports

SUCCESS = DsnRequest(frozenset(("SUCCESS",)))
BUSY = Unavailable("the directory is busy")


@pytest.fixture
def queue() -> PlayedQueue:
    queue = PlayedQueue()
    queue.reports.failure = BUSY
    return queue


def states(queue: PlayedQueue) -> set[RecipientState]:
    return {one.state for job in queue.disk.jobs.values() for one in job.recipients.values()}


def refuse(queue: PlayedQueue) -> None:
    """Refuse everything but reports."""
    queue.carrier.answer = lambda transaction, one: (
        OK if one.address.domain == "example.org" else NEVER
    )


def test_a_crash_delivers_nothing_again_whose_report_is_owed(queue: PlayedQueue) -> None:
    queue.accept("bob@example.net", request=SUCCESS)
    assert states(queue) == {RecipientState.UNREPORTED}
    queue.crash()
    queue.begin()
    queue.pass_time(HOUR)
    assert len(queue.sent_to("example.net")) == 1
    queue.reports.failure = None
    queue.pass_time(10 * MINUTE)

    assert len(queue.reports.told) == 1
    assert queue.owed == []
    queue.check()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_failure_is_reported_once_when_that_can_be_done(
    queue: PlayedQueue, is_restarted: bool
) -> None:
    refuse(queue)
    queue.accept("bob@example.net", "carol@example.net")
    queue.pass_time(DAY)
    if is_restarted:
        queue.crash()
        queue.begin()
    assert len(queue.sent_to("example.net")) == 1
    queue.reports.failure = None
    queue.pass_time(10 * MINUTE)
    assert [len(told) for _, told in queue.reports.told] == [2]
    assert queue.made(ReportAction.FAILED) == [("job1", 1), ("job1", 2)]
    assert queue.owed == []
    assert not queue.dispatcher._state.claims
    queue.check()


def test_however_many_are_owed_others_are_sent(
    queue: PlayedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "FULL", 20)
    monkeypatch.setattr(owed_reports, "MOST", 10)
    refuse(queue)
    for number in range(50):
        queue.accept(f"bob@d{number}.example")
    queue.pass_time(MINUTE)
    queue.carrier.answer = lambda transaction, one: OK
    queue.accept("bob@example.com")
    queue.pass_time(MINUTE)
    assert len(queue.sent_to("example.com")) == 1
    assert len(queue.dispatcher._state.claims) == 0  # nothing of it is in memory
    queue.reports.failure = None
    queue.pass_time(10 * MINUTE)
    assert len(queue.made(ReportAction.FAILED)) == 50
    assert queue.owed == []
    queue.check()


def test_very_many_of_one_job_are_reported_without_a_further_look(
    queue: PlayedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed_reports, "MOST", 10)
    queue.reports.failure = None
    refuse(queue)
    queue.accept(*(f"u{number}@example.net" for number in range(35)))
    queue.pass_time(10 * MINUTE)
    assert len(queue.made(ReportAction.FAILED)) == 35
    assert queue.owed == []
    queue.check()


class OneSenderFails:
    """Reports of which those to one sender cannot be written."""

    def __init__(self, queue: PlayedQueue, sender: str) -> None:
        self._queue, self._sender, self._write = queue, sender, queue.reports.write

    async def write(
        self, job: QueuedJob, message: Message, told: Sequence[ReportedRecipient]
    ) -> WrittenReports:
        if job.sender.text == self._sender:
            raise BUSY
        return await self._write(job, message, told)


def test_one_that_cannot_be_written_keeps_no_other(queue: PlayedQueue) -> None:
    queue.reports.failure = None
    queue.reports.write = OneSenderFails(queue, "bad@example.org").write  # type: ignore[method-assign]
    refuse(queue)
    queue.accept("bob@example.net", sender="bad@example.org")
    queue.accept("bob@example.net", sender="good@example.org")
    queue.pass_time(1.0)
    assert queue.made(ReportAction.FAILED) == [("job2", 1)]
    assert queue.owed == [("job1", 1)]
    queue.check()


def test_what_was_served_is_noted_while_a_report_takes_long(queue: PlayedQueue) -> None:
    async def slow(job: Any, message: Any, told: Any) -> WrittenReports:
        await queue.clock.sleep(HOUR)
        return WrittenReports()

    queue.reports.write = slow  # type: ignore[method-assign]
    refuse(queue)
    queue.accept("bob@example.net")
    queue.carrier.answer = lambda transaction, one: OK
    queue.accept("bob@example.com")
    assert queue.owed == [("job1", 1)]
    assert states(queue) == {RecipientState.UNREPORTED}


def test_no_word_sends_it_again_and_one_removes_it(queue: PlayedQueue) -> None:
    queue.accept("bob@example.net", request=SUCCESS)
    one = queue.disk.jobs["job1"].recipients[1]
    for state in (RecipientState.WAITING, RecipientState.HELD):
        change = SpoolChange(altered=[("job1", replace(one, state=state))])
        queue.run(queue.spool.apply(change))
    queue.pass_time(HOUR)
    assert len(queue.carrier.sent) == 1
    queue.run(queue.spool.apply(SpoolChange(gone=[("job1", 1)])))
    queue.reports.failure = None
    queue.pass_time(HOUR)
    assert queue.owed == []
    assert queue.reports.told == []
    queue.check()


def test_a_notice_that_cannot_be_written_comes_later_and_keeps_no_mail(queue: PlayedQueue) -> None:
    queue.carrier.answer = lambda transaction, one: LATER
    queue.accept("bob@example.net")
    queue.pass_time(8 * HOUR)
    tries = len(queue.carrier.sent)
    assert tries > 6
    queue.reports.failure = None
    queue.carrier.answer = lambda transaction, one: OK
    queue.pass_time(2 * MINUTE)
    assert queue.made(ReportAction.DELAYED) == [("job1", 1)]
    queue.pass_time(4 * HOUR)
    assert queue.owed == []
    assert queue.made(ReportAction.DELAYED) == [("job1", 1)]
    queue.check()


def test_many_of_one_message_are_in_few_reports_after_a_restart(queue: PlayedQueue) -> None:
    refuse(queue)
    queue.accept(*addresses("example.net", 300))
    queue.pass_time(MINUTE)
    queue.crash()
    queue.reports.failure = None
    queue.begin()
    queue.pass_time(MINUTE)
    assert [len(told) for _, told in queue.reports.told] == [300]
    assert queue.owed == []
    queue.check()


def test_a_word_that_comes_while_a_report_is_written_does_not_put_it_off(
    queue: PlayedQueue,
) -> None:
    queue.reports.failure = None
    write = queue.reports.write

    async def slow(job: Any, message: Any, told: Any) -> WrittenReports:
        await queue.clock.sleep(MINUTE)
        return await write(job, message, told)

    queue.reports.write = slow  # type: ignore[method-assign]
    refuse(queue)
    queue.accept("bob@example.net")
    one = queue.disk.jobs["job1"].recipients[1]
    held = replace(one, state=RecipientState.HELD)  # as a word saw it before, which comes too late
    queue.run(queue.spool.apply(SpoolChange(altered=[("job1", held)])))
    queue.pass_time(10 * MINUTE)
    assert queue.owed == []
    assert queue.made(ReportAction.FAILED) == [("job1", 1)]
    queue.check()
