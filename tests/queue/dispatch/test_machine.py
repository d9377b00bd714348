"""A queue that anything happens to: nobody is lost, nobody is served twice, each report is made once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    LATER,
    MINUTE,
    NEVER,
    OK,
    PlayedQueue,
)
from tests.queue.machine_trial import run_machine
from twisted_mail.interfaces import ReportAction, SpoolChange
from twisted_mail.mail.envelope import DsnRequest
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.job import OwedRecipient, RecipientState, Transaction
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings

DOMAINS = ("one.example", "two.example", "three.example", "four.example")
SENDERS = ("alice@here.example", "bob@here.example")
SUCCESS = DsnRequest(frozenset(("SUCCESS", "FAILURE")))
ANSWERS = {"ok": OK, "later": LATER, "never": NEVER}


class QueueMachine(RuleBasedStateMachine):
    """Accepts mail, lets time pass, has hosts answer, fail and hang, crashes, and hears words."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: set[tuple[str, int]] = set()  # accepted, and not known to be served
        self.delivered: Counter[tuple[str, int]] = Counter()
        self.refused: set[tuple[str, int]] = set()
        self.removed: set[tuple[str, int]] = set()
        self.in_window: set[tuple[str, int]] = set()
        self.answers = dict.fromkeys(DOMAINS, "ok")

    @initialize(ready=st.sampled_from((6, 40, 20_000)), connections=st.sampled_from((1, 3, 500)))
    def begin(self, ready: int, connections: int) -> None:
        schedule = ScheduleSettings(notices=(4 * HOUR, 30 * HOUR), days=2.0)
        limits = DispatchSettings(connections, ready, max(ready // 4, 1), recipients=3)
        self.queue = PlayedQueue(schedule, limits)
        self.queue.carrier.answer = self._answer
        self.queue.carrier.seconds = 2.0
        self.queue.carrier.site_names = {"two.example": "mx.example", "three.example": "mx.example"}

    def _answer(self, transaction: Transaction, recipient: OwedRecipient) -> Any:
        domain = recipient.address.domain
        said = self.answers.get(domain, "ok")
        key = (transaction.job.id, recipient.number)
        if said == "ok" and not key[0].startswith("report"):
            self.delivered[key] += 1
        if said == "never":
            self.refused.add(key)
        return ANSWERS[said]

    # ------------------------------------------------------------ what happens

    @rule(
        domains=st.lists(st.sampled_from(DOMAINS), min_size=1, max_size=8),
        sender=st.sampled_from(SENDERS),
        request=st.sampled_from((None, SUCCESS)),
    )
    def accept(self, domains: list[str], sender: str, request: DsnRequest | None) -> None:
        to = [f"user{number}@{domain}" for number, domain in enumerate(domains)]
        id = self.queue.accept(*to, sender=sender, request=request)
        if id in self.queue.disk.jobs or self._was_all_served(id, len(to)):
            self.owed |= {(id, number) for number in range(1, len(to) + 1)}

    def _was_all_served(self, id: str, number: int) -> bool:
        keys = {(id, each) for each in range(1, number + 1)}
        return keys <= set(self.delivered) | self.refused

    @rule(seconds=st.sampled_from((0.5, 3.0, 20.0, 5 * MINUTE, HOUR, 5 * HOUR, DAY)))
    def pass_time(self, seconds: float) -> None:
        self.queue.pass_time(seconds)

    @rule(domain=st.sampled_from(DOMAINS), said=st.sampled_from(tuple(ANSWERS)))
    def answer(self, domain: str, said: str) -> None:
        self.answers[domain] = said

    @rule(site=st.sampled_from(("one.example", "mx.example")), is_dead=st.booleans())
    def reach(self, site: str, is_dead: bool) -> None:
        (self.queue.carrier.dead.add if is_dead else self.queue.carrier.dead.discard)(site)

    @rule()
    def crash(self) -> None:
        for key in set(self.delivered) & set(self.queue.owed):
            if self._state_of(key) is not RecipientState.UNREPORTED:  # what is noted is noted
                self.in_window.add(key)
        self.queue.crash()
        self.queue.begin()

    @rule()
    def fail_to_write(self) -> None:
        self.queue.disk.failure = Unavailable("no room")

    @rule(is_failing=st.booleans())
    def reports(self, is_failing: bool) -> None:
        self.queue.reports.failure = Unavailable("the directory is busy") if is_failing else None

    @precondition(lambda self: self.queue.owed)
    @rule(data=st.data(), act=st.sampled_from(("hold", "release", "retry", "remove")))
    def word(self, data: st.DataObject, act: str) -> None:
        id, number = data.draw(st.sampled_from(sorted(self.queue.owed)))
        one = self.queue.disk.jobs[id].recipients[number]
        self.queue.disk.failure = None
        if act == "remove":
            self.removed.add((id, number))
            change = SpoolChange(gone=[(id, number)])
        elif act == "hold":
            held = replace(one, state=RecipientState.HELD, reason="held by the operator")
            change = SpoolChange(altered=[(id, held)])
        else:
            free = replace(one, state=RecipientState.WAITING, due=0.0, reason="")
            change = SpoolChange(altered=[(id, free)])
        self.queue.run(self.queue.spool.apply(change))
        if act == "retry":
            self.queue.dispatcher.look_again([one.destination], is_at_once=True)

    @rule(domain=st.sampled_from(DOMAINS), hours=st.sampled_from((1, 30)))
    def suspend(self, domain: str, hours: int) -> None:
        until = self.queue.clock.now() + hours * HOUR
        self.queue.dispatcher.suspend(Suspension("domain", domain, until))

    @rule(domain=st.sampled_from(DOMAINS))
    def resume(self, domain: str) -> None:
        self.queue.dispatcher.resume("domain", domain)

    # ------------------------------------------------------------ what must hold

    @invariant()
    def nobody_is_lost(self) -> None:
        if not hasattr(self, "queue"):
            return
        told = set(self.queue.made(ReportAction.FAILED))
        known = set(self.queue.owed) | set(self.delivered) | told | self.removed
        assert self.owed <= known, self.owed - known

    @invariant()
    def nobody_is_served_twice_except_in_the_window(self) -> None:
        twice = {key for key, number in self.delivered.items() if number > 1}
        assert twice <= self.in_window, twice - self.in_window

    @invariant()
    def each_report_is_made_once(self) -> None:
        if not hasattr(self, "queue"):
            return
        ends = (ReportAction.FAILED, ReportAction.RELAYED, ReportAction.DELIVERED)
        told = Counter(key for action in ends for key in self.queue.made(action))
        gone_twice = {key for key, number in told.items() if number > 1}
        assert not gone_twice, gone_twice

    @invariant()
    def nothing_breaks(self) -> None:
        if hasattr(self, "queue"):
            self.queue.check()
            assert self.queue.dispatcher._state.ready_count >= 0

    def _state_of(self, key: tuple[str, int]) -> RecipientState:
        return self.queue.disk.jobs[key[0]].recipients[key[1]].state

    def teardown(self) -> None:
        """In the end everybody is served, once all hosts take mail and nothing is stopped."""
        if not hasattr(self, "queue"):
            return
        queue = self.queue
        queue.disk.failure = queue.reports.failure = None
        queue.carrier.dead.clear()
        self.answers = dict.fromkeys(DOMAINS, "ok")
        for domain in DOMAINS:
            queue.dispatcher.resume("domain", domain)
        queue.pass_time(5 * HOUR)
        waiting = [key for key in queue.owed if self._state_of(key) is not RecipientState.HELD]
        assert waiting == [], waiting
        for id, number in list(queue.owed):
            one = queue.disk.jobs[id].recipients[number]
            free = replace(one, state=RecipientState.WAITING, due=0.0, reason="")
            queue.run(queue.spool.apply(SpoolChange(altered=[(id, free)])))
        queue.dispatcher.look_again([Destination(SMTP, each) for each in DOMAINS], is_at_once=True)
        queue.pass_time(HOUR)
        assert queue.owed == [], queue.owed
        self.nobody_is_lost()
        self.nobody_is_served_twice_except_in_the_window()
        queue.check()
        state = queue.dispatcher._state
        assert not state.claims
        assert state.ready_count == 0
        for dispatcher in PlayedQueue.running:
            dispatcher._state.is_stopping = True
        PlayedQueue.running.clear()


SETTINGS = settings(
    max_examples=50,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_sequence_of_events_finds_a_contradiction(
    record_property: Callable[[str, object], None],
) -> None:
    run_machine(QueueMachine, SETTINGS, record_property)
