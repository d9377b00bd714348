"""Dead letters: bounded in time and number, and never removed in silence."""

from pathlib import Path

import pytest

from tests.queue.mail_queue import FAILED, TICKETS, MailQueue
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.queue import dead_letters as room
from twisted_mail.testing.doubles import finish


def bury(queue: MailQueue, id: str, sender: str = "") -> None:
    """Have a message without a sender fail; give it one afterwards, as if the report had failed."""
    envelope = Envelope(id, parse(sender or "s@client.example"), (parse(TICKETS),))
    finish(queue.queue.accept(envelope, Message(MemoryBlob(b"body\r\n"))))
    job = queue.jobs.next_due("|ticket")
    assert job is not None
    finish(queue.jobs.bury(job, "why"))


def look(queue: MailQueue) -> None:
    finish(queue.dead_letters.work())


def test_they_are_removed_after_their_days_and_the_log_says_so(queue: MailQueue) -> None:
    queue.program.results = [FAILED]
    queue.accept(TICKETS, sender="")
    queue.work()
    queue.clock.seconds += 30 * 86400
    look(queue)
    assert len(queue.dead) == 1
    queue.clock.seconds += 3600
    look(queue)
    assert queue.dead == []
    assert queue.journal.of("warned")[-1] == ("waiting:", "the dead letter id1-1 is removed")


def test_with_no_days_they_stay(tmp_path: Path) -> None:
    queue = MailQueue(tmp_path / "waiting", dead_days=0)
    bury(queue, "a")
    queue.clock.seconds += 1000 * 86400
    look(queue)
    assert len(queue.dead) == 1


def test_of_too_many_those_without_a_sender_go_first(
    queue: MailQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_DEAD", 2)
    bury(queue, "a", "s@client.example")
    for _ in range(2):
        queue.program.results = [FAILED]
        queue.clock.seconds += 1
        queue.accept(TICKETS, sender="")
        queue.work()
    bury(queue, "b", "s@client.example")
    look(queue)
    assert sorted(job.id for job in queue.dead) == ["a-1", "b-1"]


def test_they_are_looked_at_now_and_then(queue: MailQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    look(queue)
    monkeypatch.setattr(room, "MAX_DEAD", 0)
    bury(queue, "a")
    look(queue)
    assert len(queue.dead) == 1
    queue.clock.seconds += room.LOOK_SECONDS
    look(queue)
    assert queue.dead == []
