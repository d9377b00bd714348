"""No program and no list keeps mail from the others."""

from pathlib import Path

import pytest

from tests.queue.mail_queue import NEWS, OTHER_NEWS, TICKETS, MailQueue
from twisted_mail.mail.job import APPROVE, LISTS
from twisted_mail.mail.outcome import Unavailable


def test_one_program_takes_three_quarters_of_the_places(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_parcels=4)
    for number in range(3):
        queue.accept(TICKETS, id=f"t{number}")
    with pytest.raises(Unavailable, match="Too much mail"):
        queue.accept(TICKETS, id="t3")
    queue.accept(NEWS, id="n")
    with pytest.raises(Unavailable, match="Too much mail"):
        queue.accept(OTHER_NEWS, id="o")


def test_a_place_is_free_again_when_the_job_is_done(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_parcels=1)
    for number in range(3):
        queue.accept(TICKETS, id=f"t{number}")
        queue.work()
    assert queue.kept == []


def test_held_posts_take_no_place_from_mail_that_is_delivered(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_held=5, max_parcels=1)
    queue.lists.answer = "moderated"
    for number in range(5):
        queue.accept(NEWS, id=f"n{number}")
    queue.accept(TICKETS, id="t")
    with pytest.raises(Unavailable):
        queue.accept(TICKETS, id="t2")


def test_what_is_approved_is_held_no_more(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_held=1)
    queue.lists.answer = "moderated"
    queue.accept(NEWS, id="a")
    queue.folder.decide("a-1", APPROVE)
    queue.review()
    queue.accept(NEWS, id="b")
    queue.work(LISTS)
    assert [job.id for job in queue.kept] == ["b-1"]


def test_the_numbers_are_those_on_disk_after_a_restart(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", max_held=1)
    queue.lists.answer = "moderated"
    queue.accept(NEWS, id="a")
    queue.restart()
    with pytest.raises(Unavailable, match="owners of this list"):
        queue.accept(NEWS, id="b")
