"""What nobody can be told of is kept for a while, and no longer."""

from dataclasses import replace

import pytest

from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import (
    NewJob,
    OwedRecipient,
    QueuedJob,
    RecipientState,
    undeliverable,
)
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.queue import undeliverable as module
from twisted_mail.queue.undeliverable import LOOK_SECONDS, UndeliverableMail
from twisted_mail.testing.doubles import EPOCH, StillClock, finish
from twisted_mail.testing.job_spool import MemoryJobSpool
from twisted_mail.testing.recorded_log import ListJournal

DAVE = RemoteTarget(parse("dave@elsewhere.example"))
MESSAGE = Message(MemoryBlob(b"Subject: x\r\n\r\nbody\r\n"))


class Bench:
    def __init__(self, spool: MemoryJobSpool | None = None) -> None:
        self.spool = spool or MemoryJobSpool()
        self.clock, self.journal = StillClock(), ListJournal()
        self.mail = UndeliverableMail(self.spool, self.clock, self.journal)

    def hold(self, id: str, until: float, sender: str = "") -> None:
        failed = OwedRecipient(1, DAVE, last=Attempt(Outcome(550, "5.1.1", "no such user"), EPOCH))
        job = QueuedJob(id, EPOCH, parse(sender) if sender else NULL)
        new = NewJob(job, (undeliverable(failed, until),), MESSAGE)
        finish(self.spool.apply(SpoolChange(new=[new])))

    def work(self) -> list[str]:
        self.clock.seconds += LOOK_SECONDS
        finish(self.mail.work())
        return list(self.spool.jobs)


def test_what_is_undeliverable_is_held_with_the_reason() -> None:
    bench = Bench()
    bench.hold("id1", EPOCH + 9e6)
    [held] = finish(bench.spool.held()).found
    assert held.recipient.is_undeliverable
    assert held.recipient.state is RecipientState.HELD
    assert held.recipient.reason == "nobody can be told: no such user"


def test_it_is_removed_when_its_time_is_over_and_the_log_says_so() -> None:
    bench = Bench()
    bench.hold("id1", EPOCH + 5000)
    bench.hold("id2", EPOCH + 9e6)
    assert bench.work() == ["id1", "id2"]
    assert bench.work() == ["id2"]
    [(_, text)] = bench.journal.of("warned")
    assert text == "id1 to dave@elsewhere.example was undeliverable for long: removed"


def test_of_too_many_the_oldest_without_a_sender_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNDELIVERABLE", 2)
    bench = Bench()
    bench.hold("id1", EPOCH + 1e6, sender="s@client.example")
    bench.hold("id2", EPOCH + 3e6)
    bench.hold("id3", EPOCH + 2e6)
    assert bench.work() == ["id1", "id2"]


def test_what_is_held_for_another_reason_stays() -> None:
    bench = Bench()
    held = OwedRecipient(1, DAVE, state=RecipientState.HELD, reason="held by the operator")
    new = NewJob(QueuedJob("id1", EPOCH, NULL), (held,), MESSAGE)
    finish(bench.spool.apply(SpoolChange(new=[new])))
    assert bench.work() == ["id1"]


class QuickOperator(MemoryJobSpool):
    """Somebody releases a recipient after he was found, and before anything follows."""

    async def held(self, *given, **more):
        page = await super().held(*given, **more)
        for one in page.found:
            if one.job.id == "id2":
                released = replace(one.recipient, state=RecipientState.WAITING, reason="")
                await super().apply(SpoolChange(altered=[("id2", released)]))
        return page


def test_who_is_released_meanwhile_is_not_removed() -> None:
    bench = Bench(QuickOperator())
    bench.hold("id1", EPOCH + 10)
    bench.hold("id2", EPOCH + 10)
    assert bench.work() == ["id2"]


def test_very_many_are_looked_at_a_page_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNDELIVERABLE", 700)
    bench = Bench()
    for number in range(1200):
        bench.hold(f"id{number}", EPOCH + 1e6 - number)
    assert sorted(bench.work()) == sorted(f"id{number}" for number in range(700))
    assert len(bench.journal.of("warned")) == 500
