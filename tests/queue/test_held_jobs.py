from pathlib import Path

import pytest

from tests.queue.mail_queue import HELD_SECONDS, NEWS, OTHER_NEWS, TICKETS, MailQueue
from twisted_mail.mail.job import APPROVE, LISTS, REJECT
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import finish


def test_what_is_held_waits_for_a_decision(queue: MailQueue) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    queue.work(LISTS)
    assert not queue.list_transport.seen
    assert [(one.id, one.reason) for one in queue.jobs.held] == [("id1-1", "moderated")]
    queue.folder.decide("id1-1", APPROVE)
    queue.review()
    queue.work(LISTS)
    assert len(queue.list_transport.seen) == 1
    assert queue.folder.pending_decisions() == []


def test_owners_are_notified_once_of_what_is_held(queue: MailQueue, tmp_path: Path) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    for _ in range(3):
        queue.review()
    assert queue.lists.notified == ["id1-1"]
    again = MailQueue(tmp_path / "waiting")
    again.review()
    assert again.lists.notified == []


@pytest.mark.parametrize("trouble", [Unavailable("full"), RuntimeError("a bug")])
def test_owners_who_cannot_be_notified_hold_up_nothing_else(
    queue: MailQueue, trouble: Exception
) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    queue.lists.errors["id1-1"] = trouble
    queue.folder.decide("id1-1", APPROVE)
    queue.review()
    assert not queue.jobs.held


def test_owners_who_cannot_be_notified_are_not_written_to_all_the_time(queue: MailQueue) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    queue.lists.errors["id1-1"] = Unavailable("full")
    for _ in range(10):
        queue.review()
    assert queue.lists.notified == ["id1-1"]
    queue.lists.errors.clear()
    queue.clock.seconds += 3601
    for _ in range(10):
        queue.review()
    assert queue.lists.notified == ["id1-1"] * 2


def test_what_is_rejected_is_gone(queue: MailQueue) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    queue.folder.decide("id1-1", REJECT)
    queue.review()
    queue.work(LISTS)
    assert not queue.list_transport.seen
    assert not queue.kept


def test_a_decision_about_what_is_not_held_is_passed_over(queue: MailQueue) -> None:
    queue.lists.answer = "moderated"
    queue.accept(TICKETS, NEWS)
    queue.folder.decide("id1-1", REJECT)
    queue.folder.decide("id9-1", APPROVE)
    queue.review()
    assert len(queue.kept) == 2
    assert queue.folder.pending_decisions() == []


def test_what_is_held_too_long_is_gone(queue: MailQueue) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    queue.review()
    assert len(queue.kept) == 1
    queue.clock.seconds += HELD_SECONDS + 1
    queue.review()
    assert not queue.kept


def test_what_no_owner_could_be_asked_about_is_a_dead_letter(queue: MailQueue) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    queue.lists.errors["id1-1"] = Unavailable("full")
    queue.review()
    queue.clock.seconds += HELD_SECONDS + 1
    queue.review()
    assert not queue.kept
    assert [job.reason for job in queue.dead] == ["no owner could be asked about it: moderated"]


def test_posts_of_one_list_that_are_held_stop_no_other_list(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_held=1)
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    with pytest.raises(Unavailable, match="owners of this list"):
        queue.accept(NEWS)
    queue.accept(OTHER_NEWS, id="id2")
    assert [job.id for job in queue.jobs.held] == ["id1-1", "id2-1"]


def test_only_so_many_are_held(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_held=1)
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    with pytest.raises(Unavailable, match="owners of this list"):
        queue.accept(NEWS)


def test_a_decision_is_recorded_for_the_next_review(queue: MailQueue) -> None:
    queue.lists.answer = "moderated"
    queue.accept(NEWS)
    finish(queue.jobs.decide("id1-1", APPROVE))
    queue.review()
    assert not queue.jobs.held
