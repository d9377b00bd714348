import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    LATER,
    MESSAGE,
    MINUTE,
    NEVER,
    OK,
    PlayedQueue,
    addresses,
    owed,
)
from twisted_mail.interfaces import ReportAction, SpoolChange
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import DsnRequest
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.job import (
    NewJob,
    OwedRecipient,
    QueuedJob,
    RecipientState,
    Transaction,
)
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.testing.doubles import finish

SUCCESS = DsnRequest(frozenset(("SUCCESS",)))
SILENCE = DsnRequest(frozenset())


@pytest.fixture
def queue() -> PlayedQueue:
    return PlayedQueue()


def test_a_new_message_goes_at_once_and_without_a_read(queue: PlayedQueue) -> None:
    queue.accept("bob@example.net")
    assert len(queue.sent_to("example.net")) == 1
    assert queue.disk.reads == 0
    assert queue.owed == []
    assert [event for event, _ in queue.events.events] == ["delivered"]
    queue.check()


def test_one_domain_is_one_transaction_of_at_most_a_hundred(queue: PlayedQueue) -> None:
    queue.accept(*addresses("example.net", 250), *addresses("example.com", 3))
    assert [len(one.recipients) for one in queue.sent_to("example.net")] == [100, 100, 50]
    assert [len(one.recipients) for one in queue.sent_to("example.com")] == [3]
    assert queue.owed == []
    queue.check()


def test_those_with_a_sender_of_their_own_go_alone(queue: PlayedQueue) -> None:
    job = QueuedJob("post", queue.clock.now(), parse("list@example.org"))
    members = tuple(
        replace(owed(number, address), sender=parse(f"list-bounces+{number}@example.org"))
        for number, address in enumerate(addresses("example.net", 7), 1)
    )
    queue.run(queue.spool.accept(NewJob(job, members, MESSAGE)))
    senders = [one.sender.text for one in queue.sent_to("example.net")]
    assert sorted(senders) == [f"list-bounces+{number}@example.org" for number in range(1, 8)]
    assert queue.owed == []
    queue.check()


def test_what_is_refused_for_now_is_tried_by_the_schedule(queue: PlayedQueue) -> None:
    queue.carrier.answer = lambda transaction, recipient: LATER
    queue.accept("bob@example.net")
    queue.pass_time(4 * HOUR)
    times = queue.carrier.times()
    pauses = [second - first for first, second in pairwise(times)]
    wanted = [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR]
    assert pauses == [pytest.approx(pause, rel=0.1) for pause in wanted]
    (kept,) = queue.disk.jobs["job1"].recipients.values()
    assert kept.tries == 6
    assert kept.last is not None
    assert kept.last.outcome == LATER
    queue.check()


def test_each_of_several_messages_has_its_own_times(queue: PlayedQueue) -> None:
    queue.carrier.answer = lambda transaction, recipient: LATER
    for _ in range(4):
        queue.accept("bob@example.net")
        queue.pass_time(100.0)
    queue.pass_time(2 * HOUR)
    for id in queue.disk.jobs:
        times = [at for at, transaction in queue.carrier.sent if transaction.job.id == id]
        pauses = [later - sooner for sooner, later in pairwise(times)]
        wanted = [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE]
        assert pauses == [pytest.approx(pause, rel=0.1) for pause in wanted]
    queue.check()


def test_a_greylist_takes_five_minutes(queue: PlayedQueue) -> None:
    queue.carrier.reply_class = ReplyClass.GREYLIST
    answers = iter([LATER, OK])
    queue.carrier.answer = lambda transaction, recipient: next(answers)
    queue.accept("bob@example.net")
    queue.pass_time(5.5 * MINUTE)
    assert queue.owed == []


def at_home(outcome: Outcome) -> Callable[[Transaction, OwedRecipient], Outcome]:
    """Return an answer for all others but the senders."""
    return lambda transaction, one: OK if one.address.domain == "example.org" else outcome


def test_five_days_end_with_one_report_and_take_no_time(queue: PlayedQueue) -> None:
    queue.carrier.answer = at_home(LATER)
    queue.accept("bob@example.net", "carol@example.net")
    began = time.process_time()
    queue.pass_time(4.9 * DAY)
    assert not queue.reports.actions(ReportAction.FAILED)
    queue.pass_time(0.3 * DAY)
    assert time.process_time() - began < 5
    assert [id for id, told in queue.reports.told if told[0].action is ReportAction.FAILED] == [
        "job1"
    ]
    assert queue.reports.actions(ReportAction.FAILED) == [("job1", 1), ("job1", 2)]
    assert queue.owed == []
    queue.check()


def test_a_refusal_is_reported_in_the_transaction_that_removes_the_recipient(
    queue: PlayedQueue,
) -> None:
    changes: list[SpoolChange] = []
    apply = queue.disk.apply

    async def noted(change: SpoolChange) -> None:
        changes.append(change)
        await apply(change)

    queue.disk.apply = noted  # type: ignore[method-assign]
    queue.carrier.answer = lambda transaction, recipient: (
        NEVER if recipient.address.local == "bob" else OK
    )
    queue.accept("bob@example.net", "carol@example.net")
    assert changes[0].gone == [("job1", 2)]
    [(_, refused)] = changes[0].altered  # that nothing waits for a report
    assert refused.state is RecipientState.UNREPORTED
    assert changes[1].gone == [("job1", 1)]
    assert [new.job.id for new in changes[1].new] == ["report-1-job1"]
    queue.pass_time(1.0)
    assert len(queue.sent_to("example.org")) == 1  # the report goes at once
    assert queue.owed == []
    queue.check()


def test_a_report_is_written_for_a_success_only_where_it_was_asked_for(queue: PlayedQueue) -> None:
    queue.accept("bob@example.net")
    queue.accept("bob@example.net", request=SUCCESS)
    queue.accept("bob@example.net", request=SILENCE)
    assert len(queue.reports.told) == 1
    assert queue.reports.told[0][0] == "job2"


def test_nobody_hears_of_a_failure_who_asked_not_to(queue: PlayedQueue) -> None:
    queue.carrier.answer = lambda transaction, recipient: NEVER
    queue.accept("bob@example.net", request=SILENCE)
    assert queue.reports.told == []
    assert queue.owed == []


def test_what_nobody_can_be_told_of_is_kept_for_the_operator(queue: PlayedQueue) -> None:
    queue.carrier.answer = lambda transaction, recipient: NEVER
    queue.accept("bob@example.net", sender="")
    (kept,) = queue.disk.jobs["job1"].recipients.values()
    assert kept.state is RecipientState.HELD
    assert NEVER.text in kept.reason
    queue.pass_time(DAY)
    assert len(queue.carrier.sent) == 1


def test_a_notice_comes_after_four_hours_and_once(queue: PlayedQueue) -> None:
    queue.carrier.answer = at_home(LATER)
    queue.accept("bob@example.net", "carol@example.com")
    queue.accept("bob@example.net", request=SUCCESS)
    queue.pass_time(3.9 * HOUR)
    assert not queue.reports.told
    queue.pass_time(20 * HOUR)
    assert sorted(queue.reports.actions(ReportAction.DELAYED)) == [("job1", 1), ("job1", 2)]
    told = queue.reports.told[0][1][0]
    assert told.until == pytest.approx(queue.disk.jobs["job1"].job.arrived + 5 * DAY)
    assert told.recipient.last is not None
    queue.check()


@pytest.mark.parametrize(("notices", "number"), [((), 0), ((HOUR, 2 * HOUR, 9 * HOUR), 3)])
def test_there_may_be_no_notices_or_several(notices: tuple[float, ...], number: int) -> None:
    queue = PlayedQueue(ScheduleSettings(notices=notices))
    queue.carrier.answer = at_home(LATER)
    queue.accept("bob@example.net")
    queue.pass_time(DAY)
    assert len(queue.reports.actions(ReportAction.DELAYED)) == number


def test_a_mass_expiry_is_spread() -> None:
    queue = PlayedQueue(ScheduleSettings(days=1.0, notices=()))
    queue.carrier.dead.add("example.net")
    for _ in range(450):
        queue.accept("bob@example.net")
    queue.pass_time(DAY - 10)
    queue.pass_time(75, step=0.5)
    assert 0 < len(queue.reports.told) <= 450
    first = len(queue.reports.told)
    queue.pass_time(10)
    assert len(queue.reports.told) == 450
    assert first < 450 or queue.owed == []
    told = queue.reports.told[0][1][0]
    assert told.recipient.last is not None  # what the site said, though the message was never tried
    queue.check()


def test_what_cannot_be_noted_is_not_sent_again(queue: PlayedQueue) -> None:
    async def full(change: SpoolChange) -> None:
        raise Unavailable("no room")

    apply, queue.disk.apply = queue.disk.apply, full  # type: ignore[method-assign]
    queue.accept("bob@example.net")
    queue.pass_time(HOUR)
    queue.dispatcher.look_again([Destination(SMTP, "example.net")], is_at_once=True)
    queue.pass_time(HOUR)
    assert len(queue.carrier.sent) == 1
    assert queue.owed == [("job1", 1)]
    queue.disk.apply = apply  # type: ignore[method-assign]
    queue.pass_time(MINUTE)
    assert queue.owed == []
    assert len(queue.carrier.sent) == 1
    queue.check()


def test_a_report_that_cannot_be_written_now_holds_up_no_other_note(queue: PlayedQueue) -> None:
    queue.reports.failure = Unavailable("the directory is busy")
    queue.carrier.answer = lambda transaction, recipient: (
        NEVER if recipient.address.local == "bob" else OK
    )
    queue.accept("bob@example.net")
    queue.accept("carol@example.net")
    queue.pass_time(MINUTE)
    assert queue.owed == [("job1", 1)]
    queue.reports.failure = None
    queue.pass_time(MINUTE)
    assert len(queue.reports.told) == 1
    assert queue.owed == []
    queue.check()


def test_a_bug_behind_what_is_durable_makes_no_second_report(queue: PlayedQueue) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("as told")

    queue.carrier.answer = lambda transaction, recipient: NEVER
    queue.events.failed = broken  # type: ignore[assignment]
    queue.accept("bob@example.net")
    queue.accept("carol@example.net")
    queue.pass_time(HOUR)
    assert sorted(queue.made(ReportAction.FAILED)) == [("job1", 1), ("job2", 1)]
    assert queue.journal.of("failed")


def test_a_bug_behind_an_acceptance_that_is_durable_is_not_the_senders_affair(
    queue: PlayedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("as told")

    monkeypatch.setattr(queue.dispatcher._traffic, "accepted", broken)
    job = QueuedJob("job1", queue.clock.now(), parse("alice@example.org"))
    finish(queue.spool.accept(NewJob(job, (owed(1, "bob@example.net"),), MESSAGE)))
    assert queue.journal.of("failed")
    queue.pass_time(MINUTE)
    assert queue.owed == []
    assert len(queue.carrier.sent) == 1


def test_what_is_removed_by_word_before_its_failure_is_noted_gets_no_report(
    queue: PlayedQueue,
) -> None:
    apply = queue.disk.apply

    async def full(change: SpoolChange) -> None:
        if change.new:  # what the word alters needs no room
            raise Unavailable("no room")
        await apply(change)

    queue.carrier.answer = lambda transaction, recipient: NEVER
    queue.disk.apply = full  # type: ignore[method-assign]
    queue.accept("bob@example.net", "carol@example.org")
    queue.pass_time(1.0)
    queue.run(queue.spool.apply(SpoolChange(gone=[("job1", 1), ("job1", 2)])))
    queue.disk.apply = apply  # type: ignore[method-assign]
    queue.pass_time(HOUR)
    assert queue.owed == []
    assert queue.made(ReportAction.FAILED) == []
    queue.check()


def test_a_destination_that_there_is_not_is_reported_at_once(queue: PlayedQueue) -> None:
    queue.carrier.nowhere["example.net"] = Outcome(550, "5.1.2", "no such domain")
    queue.accept(*addresses("example.net", 3))
    queue.accept("dave@example.net")
    queue.pass_time(5.0)
    assert len(queue.reports.actions(ReportAction.FAILED)) == 4
    assert queue.owed == []
    assert not queue.sent_to("example.net")
    queue.check()


def test_a_destination_whose_site_cannot_be_found_rests_and_its_mail_is_not_touched(
    queue: PlayedQueue,
) -> None:
    queue.carrier.nowhere["example.net"] = Outcome(451, "4.4.3", "no answer of the DNS")
    for number in range(20):
        queue.accept(f"user{number}@example.net")
    queue.pass_time(3 * HOUR)
    assert queue.disk.writes == 0
    assert 6 <= len(queue.carrier.asked) <= 9
    del queue.carrier.nowhere["example.net"]
    queue.pass_time(HOUR)
    assert queue.owed == []
    queue.check()


def test_stopping_lets_what_is_under_way_end(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 3.0
    for _ in range(5):
        queue.accept("bob@example.net")
    queue.run(queue.dispatcher.stop(10.0))
    queue.pass_time(10.0)
    assert queue.dispatcher.is_idle
    assert 1 <= len(queue.carrier.sent) <= 2
    assert len(queue.owed) == 5 - len(queue.carrier.sent)
    queue.check()


def test_what_takes_too_long_at_the_stop_is_cut_off(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 600.0
    queue.accept("bob@example.net")
    assert queue.carrier.open == {"example.net": 1}
    queue.run(queue.dispatcher.stop(10.0))
    queue.pass_time(11.0)
    assert queue.carrier.open == {"example.net": 0}
    assert queue.dispatcher.is_idle
    assert (queue.owed, queue.carrier.sent) == ([("job1", 1)], [])
    assert queue.journal.of("failed") == []
    queue.pass_time(MINUTE)
    assert len(queue.carrier.connected) == 1
    queue.check()


def test_what_a_connection_left_is_as_it_was_before(queue: PlayedQueue) -> None:
    class Lazy:
        name = SMTP
        calls = 0

        async def site(self, destination: Destination) -> object:
            return await queue.carrier.site(destination)

        async def serve(self, site: object, work: object) -> None:
            self.calls += 1
            assert work.next() is not None  # type: ignore[attr-defined]

    lazy = Lazy()
    carriers = queue.dispatcher._state.doors.carriers
    carriers[SMTP] = lazy  # type: ignore[index]
    queue.accept("bob@example.net")
    queue.pass_time(60)
    assert 1 < lazy.calls < 6  # it does not go round and round
    assert queue.owed == [("job1", 1)]
    carriers[SMTP] = queue.carrier  # type: ignore[index]
    queue.pass_time(5 * MINUTE)
    assert queue.owed == []
    queue.check()


def test_a_carrier_that_breaks_costs_no_mail(queue: PlayedQueue) -> None:
    def broken(transaction: object, recipient: object) -> Outcome:
        raise ZeroDivisionError

    good = queue.carrier.answer
    queue.carrier.answer = broken
    queue.accept("bob@example.net")
    assert queue.journal.of("failed")
    queue.carrier.answer = good
    queue.pass_time(MINUTE)
    assert queue.owed == []


def test_a_restart_goes_on_where_the_process_ended(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 30.0
    for number in range(30):
        queue.accept("bob@example.net", sender=f"s{number}@example.org")
    queue.crash()
    assert len(queue.owed) == 30
    queue.carrier.seconds = 0.0
    queue.begin()
    queue.pass_time(MINUTE)
    assert queue.owed == []
    queue.check()


def test_after_a_restart_what_was_due_goes_out_over_a_minute() -> None:
    queue = PlayedQueue(ScheduleSettings(notices=()))
    queue.carrier.nowhere = {f"d{n}.example": Outcome(451, "4.4.3", "") for n in range(1800)}
    for number in range(1800):
        queue.accept(f"bob@d{number}.example")
    queue.crash()
    queue.carrier.nowhere.clear()
    queue.pass_time(DAY)
    queue.begin()
    queue.pass_time(30.0)
    assert 800 < len(queue.carrier.sent) < 1000
    queue.pass_time(40.0)
    assert queue.owed == []
    queue.check()


def test_more_than_may_be_ready_is_read_from_disk() -> None:
    settings = DispatchSettings(connections=2, ready=60, ready_per_destination=20)
    queue = PlayedQueue(settings=settings)
    queue.carrier.seconds = 0.1
    for number in range(200):
        queue.accept(f"bob@d{number % 7}.example", sender=f"s{number}@example.org")
        assert queue.dispatcher._state.ready_count <= 60
    queue.pass_time(MINUTE)
    assert queue.owed == []
    assert queue.dispatcher._state.ready_count == 0
    assert not queue.dispatcher._state.claims
    queue.check()


def test_a_clock_that_is_set_forward_or_back_expires_nothing_and_floods_nothing() -> None:
    queue = PlayedQueue()
    queue.carrier.answer = lambda transaction, recipient: LATER
    for _ in range(10):
        queue.accept("bob@example.net")
    queue.pass_time(HOUR)
    sent = len(queue.carrier.sent)
    for jump in (6 * DAY, -12 * DAY):
        queue.clock._epoch += jump
        queue.pass_time(2 * MINUTE)
        assert len(queue.owed) == 10
        assert not queue.reports.told
        assert len(queue.carrier.sent) <= sent + 10
    queue.carrier.answer = lambda transaction, recipient: OK
    queue.pass_time(3 * HOUR)
    assert queue.owed == []
    queue.check()


def test_nothing_stays_in_memory_for_what_has_gone(queue: PlayedQueue) -> None:
    for number in range(50):
        queue.accept(f"bob@d{number}.example")
    queue.pass_time(HOUR)
    state = queue.dispatcher._state
    assert not state.destinations
    assert not state.sites
    assert len(state.timers) == 0
    assert not state.claims
