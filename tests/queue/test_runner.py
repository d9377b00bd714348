from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.queue.mail_queue import (
    ALICE,
    DONE,
    FAILED,
    LATER,
    NEWS,
    TICKET,
    TICKETS,
    MailQueue,
)
from twisted_mail.mail.delivery_result import DeliveryResult
from twisted_mail.mail.job import LISTS
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.program import UNKNOWN_PROGRAM
from twisted_mail.testing.doubles import finish


def test_a_program_that_fails_for_now_gets_it_again_and_nobody_else_does(queue: MailQueue) -> None:
    queue.program.results = [LATER, LATER]
    queue.accept(TICKETS, ALICE)
    queue.work()
    queue.work()
    assert len(queue.program.seen) == 1  # it is not due yet
    for pause in (60, 120):
        queue.clock.seconds += pause
        queue.work()
    assert len(queue.program.seen) == 3
    assert queue.store.delivered == [ALICE]
    assert not queue.kept
    assert not queue.reporter.reports


@pytest.mark.parametrize(("result", "word"), [(DONE, "done"), (LATER, "later"), (FAILED, "failed")])
def test_the_log_says_what_came_of_each_attempt(
    queue: MailQueue, result: DeliveryResult, word: str
) -> None:
    queue.program.results = [result]
    queue.accept(TICKETS)
    queue.work()
    (tried,) = [said for event, said in queue.journal.events if event == "tried"]
    assert tried == ("id1-1", TICKET, word, result.reason)


def test_pauses_grow_up_to_the_longest(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", first_retry=10, longest_retry=35)
    queue.program.results = [LATER] * 4
    queue.accept(TICKETS)
    pauses = []
    for _ in range(4):
        queue.work()
        pauses.append(queue.kept[0].due - queue.clock.seconds)
        queue.clock.seconds = queue.kept[0].due
    assert pauses == [10, 20, 35, 35]
    assert (queue.kept[0].attempts, queue.kept[0].reason) == (4, LATER.reason)


def test_a_permanent_failure_is_reported_to_the_sender(queue: MailQueue) -> None:
    queue.program.results = [FAILED]
    queue.accept(TICKETS)
    queue.work()
    assert queue.reporter.reports == [("id1-1", FAILED.reason)]
    assert not queue.kept


def test_a_report_that_cannot_be_sent_now_is_tried_again(queue: MailQueue) -> None:
    queue.program.results = [FAILED, FAILED]
    queue.reporter.error = Unavailable("busy")
    queue.accept(TICKETS)
    queue.work()
    assert len(queue.kept) == 1
    queue.reporter.error = None
    queue.clock.seconds += 60
    queue.work()
    assert len(queue.reporter.reports) == 1
    assert not queue.kept


def test_a_report_that_failed_is_not_reported(queue: MailQueue) -> None:
    queue.program.results = [FAILED]
    queue.accept(TICKETS, sender="")
    queue.work()
    assert not queue.reporter.reports
    assert not queue.kept


def test_what_failed_and_has_no_sender_to_tell_is_kept_as_a_dead_letter(queue: MailQueue) -> None:
    queue.program.results = [FAILED]
    queue.accept(TICKETS, sender="")
    queue.work()
    [letter] = queue.dead
    assert (letter.id, letter.reason) == ("id1-1", FAILED.reason)
    assert b"body\r\n" in b"".join(queue.dead_folder.blob("id1-1").pieces())
    queue.restart()
    assert (queue.kept, [job.id for job in queue.dead]) == ([], ["id1-1"])


def test_a_failure_that_nobody_can_be_told_of_is_a_dead_letter_after_its_days(
    queue: MailQueue,
) -> None:
    queue.program.results = [FAILED] * 3
    queue.reporter.error = Unavailable("there is no postmaster")
    queue.accept(TICKETS)
    queue.work()
    queue.clock.seconds += 6 * 86400
    queue.work()
    assert (len(queue.kept), queue.dead) == (1, [])
    queue.clock.seconds += 3601
    queue.work()
    assert queue.kept == []
    assert [job.reason for job in queue.dead] == ["there is no postmaster"]


def test_what_a_bug_keeps_from_ending_is_a_dead_letter_after_its_days(queue: MailQueue) -> None:
    queue.program.results = [RuntimeError("a bug")]
    queue.accept(TICKETS)
    queue.clock.seconds += 6 * 86400 + 1
    queue.work()
    assert [job.reason for job in queue.dead] == ["an error inside"]


def test_what_cannot_be_buried_now_stays_in_the_queue(
    queue: MailQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    queue.program.results = [FAILED, FAILED]
    queue.accept(TICKETS, sender="")
    with monkeypatch.context() as patched:
        patched.setattr(queue.dead_folder, "update", full)
        queue.work()
    assert len(queue.kept) == 1
    queue.clock.seconds += 3600
    queue.work()
    assert (queue.kept, len(queue.dead)) == ([], 1)


def test_what_did_not_succeed_for_days_is_a_failure(queue: MailQueue) -> None:
    queue.program.results = [LATER] * 2
    queue.accept(TICKETS)
    queue.work()
    queue.clock.seconds += 5 * 86400 + 1
    queue.work()
    assert queue.reporter.reports == [("id1-1", LATER.reason)]


def test_on_a_full_disk_the_mail_stays_and_is_tried_again(
    queue: MailQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    queue.program.results = [LATER]
    queue.accept(TICKETS)
    with monkeypatch.context() as patched:
        patched.setattr(queue.folder, "update", full)
        queue.work()
    assert len(queue.kept) == 1
    queue.clock.seconds += 3600
    queue.work()
    assert len(queue.program.seen) == 2
    assert not queue.kept


def test_a_job_whose_message_is_gone_does_not_hinder_the_others(
    queue: MailQueue, tmp_path: Path
) -> None:
    queue.accept(TICKETS)
    (tmp_path / "waiting" / "id1-1.mail").unlink()
    queue.work()
    assert not queue.program.seen
    assert "id1-1" in queue.jobs._jobs


@pytest.mark.parametrize("error", [RuntimeError("bug"), Unavailable("busy")])
def test_whatever_goes_wrong_the_mail_stays(queue: MailQueue, error: Exception) -> None:
    queue.program.results = [error]
    queue.accept(TICKETS)
    queue.work()
    assert len(queue.kept) == 1
    failed = [event for event in queue.journal.events if event[0] == "failed"]
    assert bool(failed) == isinstance(error, RuntimeError)


def test_mail_for_a_program_that_is_not_configured_waits_for_it(queue: MailQueue) -> None:
    queue.accept("other@example.org")
    finish(queue.runner.work_unknown())
    assert not queue.program.seen
    (job,) = queue.kept
    assert (job.attempts, job.reason) == (1, UNKNOWN_PROGRAM.reason)


def test_jobs_of_configured_transports_are_left_to_these(queue: MailQueue) -> None:
    queue.accept(TICKETS, NEWS)
    finish(queue.runner.work_unknown())
    assert not queue.program.seen
    assert not queue.list_transport.seen


def test_everything_goes_on_after_a_restart(queue: MailQueue, tmp_path: Path) -> None:
    queue.accept(TICKETS, NEWS)
    again = MailQueue(tmp_path / "waiting")
    again.work()
    again.work(LISTS)
    assert len(again.program.seen) == len(again.list_transport.seen) == 1


def test_after_stop_nothing_is_begun(queue: MailQueue) -> None:
    queue.accept(TICKETS)
    queue.runner.stop()
    queue.work()
    assert not queue.program.seen


ENDS = st.lists(
    st.sampled_from([LATER, FAILED, DONE, Unavailable("x"), RuntimeError("x")]), max_size=6
)


@given(ends=ENDS, full=st.lists(st.booleans(), max_size=3), restarts=st.integers(0, 3))
def test_whatever_fails_nothing_is_lost_and_only_what_failed_is_repeated(
    ends: list[DeliveryResult | Exception], full: list[bool], restarts: int
) -> None:
    with TemporaryDirectory() as name:
        queue = MailQueue(Path(name) / "waiting", first_retry=1, longest_retry=1)
        queue.program.results = list(ends)
        for is_full in [*full, False]:  # the sender tries until it hears 250
            queue.store.error = Unavailable("full") if is_full else None
            with suppress(Unavailable):
                queue.accept(TICKETS, ALICE)
                break
        for step in range(len(ends) + restarts + 1):
            if step < restarts:
                queue.restart()
            queue.clock.seconds += 2
            queue.work()
        assert queue.store.delivered == [ALICE]
        settled = next((at for at, end in enumerate(ends) if end in (DONE, FAILED)), len(ends))
        assert len(queue.program.seen) == settled + 1
        assert len(queue.reporter.reports) == (settled < len(ends) and ends[settled] is FAILED)
        assert not queue.kept
