from dataclasses import replace

import pytest

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    LATER,
    MESSAGE,
    MINUTE,
    OK,
    PlayedQueue,
    owed,
)
from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob, RecipientState
from twisted_mail.mail.queued.suspension import Suspension, SuspensionKind
from twisted_mail.mail.queued.wait_reason import WaitKind

NET = Destination(SMTP, "example.net")


@pytest.fixture
def queue() -> PlayedQueue:
    return PlayedQueue()


def recipient(queue: PlayedQueue, id: str = "job1", number: int = 1) -> OwedRecipient:
    return queue.disk.jobs[id].recipients[number]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("domain", "example.net"),
        ("site", "mx.example.net"),
        ("sender", "alice@example.org"),
        ("sender", "@example.org"),
        ("account", "alice"),
    ],
)
def test_what_is_suspended_waits_until_its_time(
    queue: PlayedQueue, kind: SuspensionKind, name: str
) -> None:
    queue.carrier.site_names["example.net"] = "mx.example.net"
    until = queue.clock.now() + HOUR
    queue.dispatcher.suspend(Suspension(kind, name, until))
    queue.accept("bob@example.net", submitter="alice")
    queue.pass_time(0.9 * HOUR)
    queue.accept("carol@example.net", submitter="alice")
    assert not queue.carrier.sent
    queue.pass_time(0.2 * HOUR)
    assert queue.owed == []
    queue.check()


def test_a_suspension_stops_nobody_else(queue: PlayedQueue) -> None:
    queue.dispatcher.suspend(Suspension("sender", "alice@example.org"))
    for number in range(50):
        queue.accept(f"user{number}@example.net")
    queue.accept("bob@example.net", sender="carol@example.org")
    queue.pass_time(MINUTE)
    assert [one.job.sender.local for one in queue.sent_to("example.net")] == ["carol"]
    queue.check()


@pytest.mark.parametrize(("kind", "name"), [("domain", "example.net"), ("site", "example.net")])
def test_what_is_resumed_goes_at_once(queue: PlayedQueue, kind: SuspensionKind, name: str) -> None:
    queue.dispatcher.suspend(Suspension(kind, name))
    queue.accept("bob@example.net")
    queue.pass_time(3 * DAY)
    assert not queue.sent_to("example.net")
    assert queue.dispatcher.waits_for(NET).kind is WaitKind.SUSPENSION
    queue.dispatcher.resume(kind, name)
    queue.pass_time(1.0)
    assert queue.owed == []
    queue.check()


def test_a_suspension_is_known_from_the_start(queue: PlayedQueue) -> None:
    queue.crash()
    queue.run(queue.dispatcher.start([Suspension("domain", "example.net")]))
    queue.accept("bob@example.net")
    queue.pass_time(HOUR)
    assert not queue.carrier.sent


@pytest.mark.parametrize("answer", [LATER, Outcome(550, "5.1.1", "no")])
def test_what_is_removed_while_it_is_under_way_does_not_come_back(
    queue: PlayedQueue, answer: Outcome
) -> None:
    queue.carrier.seconds = 10.0
    queue.carrier.answer = lambda transaction, recipient: answer
    queue.accept("bob@example.net", "carol@example.net")
    queue.run(queue.spool.apply(SpoolChange(gone=[("job1", 1)])))
    queue.pass_time(MINUTE)
    assert ("job1", 1) not in queue.owed
    assert not [one for _, told in queue.reports.told for one in told if one.recipient.number == 1]
    queue.check()


def test_what_is_held_while_it_is_under_way_stays_held(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 10.0
    queue.carrier.answer = lambda transaction, recipient: LATER
    queue.accept("bob@example.net")
    held = replace(recipient(queue), state=RecipientState.HELD, reason="held by the operator")
    queue.run(queue.spool.apply(SpoolChange(altered=[("job1", held)])))
    queue.pass_time(DAY)
    assert recipient(queue).state is RecipientState.HELD
    assert len(queue.carrier.sent) == 1
    queue.check()


def test_what_is_held_while_it_is_delivered_is_gone(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 10.0
    queue.accept("bob@example.net")
    held = replace(recipient(queue), state=RecipientState.HELD)
    queue.run(queue.spool.apply(SpoolChange(altered=[("job1", held)])))
    queue.pass_time(MINUTE)
    assert queue.owed == []


def test_what_is_released_goes_at_once(queue: PlayedQueue) -> None:
    job = QueuedJob("held", queue.clock.now(), parse("alice@example.org"))
    held = replace(owed(1, "bob@example.net"), state=RecipientState.HELD)
    queue.run(queue.spool.accept(NewJob(job, (held,), MESSAGE)))
    queue.pass_time(9 * DAY)
    assert queue.owed == [("held", 1)]  # it does not expire either
    released = replace(held, state=RecipientState.WAITING)
    queue.run(queue.spool.apply(SpoolChange(altered=[("held", released)])))
    queue.pass_time(1.0)
    assert not queue.sent_to("example.net") or queue.owed == []
    assert len(queue.carrier.sent) == 1


def test_what_is_retried_by_word_goes_at_once(queue: PlayedQueue) -> None:
    queue.carrier.answer = lambda transaction, recipient: LATER
    queue.accept("bob@example.net")
    queue.pass_time(3 * HOUR)
    queue.carrier.answer = lambda transaction, recipient: OK
    now = replace(recipient(queue), due=0.0)
    queue.run(queue.spool.apply(SpoolChange(altered=[("job1", now)])))
    queue.dispatcher.look_again([NET], is_at_once=True)
    queue.pass_time(1.0)
    assert queue.owed == []
    queue.check()


def test_what_is_put_off_is_not_sent_though_it_was_ready(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 100.0
    for _ in range(3):
        queue.accept("bob@example.net")
    later = replace(recipient(queue, "job3"), due=queue.clock.now() + HOUR)
    queue.run(queue.spool.apply(SpoolChange(altered=[("job3", later)])))
    queue.pass_time(0.9 * HOUR)
    assert queue.owed == [("job3", 1)]
    queue.pass_time(0.2 * HOUR)
    assert queue.owed == []
    queue.check()


def test_a_job_that_is_only_prepared_does_not_go(queue: PlayedQueue) -> None:
    job = QueuedJob("prepared", queue.clock.now(), parse("alice@example.org"))
    new = NewJob(job, (owed(1, "bob@example.net"),), MESSAGE)
    queue.run(queue.spool.prepare(new))
    queue.pass_time(MINUTE)
    assert not queue.carrier.sent
    queue.run(queue.spool.keep("prepared", [owed(2, "carol@example.com")]))
    assert len(queue.carrier.sent) == 2
    assert queue.owed == []
    queue.run(queue.spool.prepare(replace(new, job=replace(job, id="other"))))
    queue.run(queue.spool.drop("other"))
    queue.pass_time(MINUTE)
    assert len(queue.carrier.sent) == 2


def test_a_time_in_the_future_is_waited_for(queue: PlayedQueue) -> None:
    job = QueuedJob("later", queue.clock.now(), parse("alice@example.org"))
    to = replace(owed(1, "bob@example.net"), due=queue.clock.now() + 2 * HOUR)
    queue.run(queue.spool.accept(NewJob(job, (to,), MESSAGE)))
    queue.pass_time(1.9 * HOUR)
    assert not queue.carrier.sent
    assert queue.dispatcher.waits_for(NET).kind is WaitKind.TIME
    queue.pass_time(0.2 * HOUR)
    assert queue.owed == []
