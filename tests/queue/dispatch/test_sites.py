from itertools import pairwise
from typing import Any

import pytest

from tests.queue.dispatch.played_queue import (
    DAY,
    HOUR,
    MINUTE,
    SILENT,
    TOO_MANY,
    PlayedQueue,
    addresses,
)
from twisted_mail.interfaces import Site, SiteLimits, Work
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.wait_reason import WaitKind
from twisted_mail.queue.dispatch import schedule
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings


@pytest.fixture
def queue() -> PlayedQueue:
    return PlayedQueue()


def test_a_site_begins_with_two_connections_and_gets_more(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 1.0
    for number in range(500):
        queue.accept("bob@example.net", sender=f"s{number}@example.org")
    assert queue.carrier.open["example.net"] == 2
    queue.pass_time(2 * MINUTE)
    assert queue.carrier.most_open["example.net"] == 20
    assert queue.owed == []
    queue.check()


def test_a_few_messages_have_as_many_connections_and_no_more(queue: PlayedQueue) -> None:
    queue.carrier.connecting = 1.0
    queue.accept("bob@example.net")
    assert queue.carrier.open["example.net"] == 1
    queue.pass_time(10)


def test_domains_of_one_site_share_its_connections_and_take_turns(queue: PlayedQueue) -> None:
    queue.carrier.site_names = {f"d{number}.example": "mx.example" for number in range(10)}
    queue.carrier.seconds = 1.0
    for number in range(50):
        queue.accept(*[f"bob@d{number % 10}.example"], sender=f"s{number}@example.org")
    queue.pass_time(MINUTE)
    assert queue.owed == []
    assert set(queue.carrier.most_open) == {"mx.example"}
    queue.check()


def test_a_dead_site_rests_longer_each_time(queue: PlayedQueue) -> None:
    queue.carrier.dead.add("example.net")
    queue.accept("bob@example.net")
    queue.pass_time(4 * HOUR)
    times = [at for at, _ in queue.carrier.connected]
    pauses = [round((second - first) / MINUTE) for first, second in pairwise(times)]
    assert pauses[:7] == [1, 2, 5, 10, 15, 30, 60]
    (kept,) = queue.disk.jobs["job1"].recipients.values()
    assert kept.tries == 0
    queue.check()


def test_very_many_dead_sites_are_probed_a_few_in_a_second(
    queue: PlayedQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "PROBES_A_SECOND", 0.5)
    sites = 200
    queue.carrier.dead = {f"d{number}.example" for number in range(sites)}
    for domain in queue.carrier.dead:
        queue.accept(f"bob@{domain}")
    queue.pass_time(10 * MINUTE)
    connected = len(queue.carrier.connected)
    queue.pass_time(10 * MINUTE)
    assert len(queue.carrier.connected) - connected <= 0.5 * 10 * MINUTE + sites / 10
    queue.carrier.dead.clear()
    queue.pass_time(HOUR)
    assert queue.owed == []
    queue.check()
    assert queue.dispatcher._state.unwell == 0


def test_mail_for_a_dead_site_costs_one_connection_an_hour_and_no_write() -> None:
    queue = PlayedQueue(ScheduleSettings(notices=()))
    queue.carrier.dead.add("mx.example")
    domains = 40
    queue.carrier.site_names = {f"d{n}.example": "mx.example" for n in range(domains)}
    queue.accept("bob@d0.example")
    queue.pass_time(4 * HOUR)
    for number in range(2000):
        queue.accept(f"bob@d{number % domains}.example", sender=f"s{number}@example.org")
    queue.pass_time(HOUR)
    writes, connections = queue.disk.writes, len(queue.carrier.connected)
    queue.pass_time(10 * HOUR)
    assert len(queue.carrier.connected) - connections <= 11
    assert queue.disk.writes - writes <= 11  # the site's own row
    assert queue.dispatcher._state.ready_count == 0
    queue.carrier.dead.clear()
    queue.pass_time(1.1 * HOUR)
    assert queue.owed == []
    queue.check()


def test_a_rest_survives_a_restart(queue: PlayedQueue) -> None:
    queue.carrier.dead.add("example.net")
    queue.accept("bob@example.net")
    queue.pass_time(2.1 * HOUR)
    queue.crash()
    connections = len(queue.carrier.connected)
    queue.begin()
    queue.pass_time(10 * MINUTE)
    assert len(queue.carrier.connected) == connections
    queue.pass_time(HOUR)
    assert len(queue.carrier.connected) == connections + 1
    queue.check()


def test_a_site_that_answers_again_gets_slowly_what_waited(queue: PlayedQueue) -> None:
    queue.carrier.dead.add("example.net")
    queue.accept("bob@example.net")
    queue.pass_time(3 * HOUR)
    for number in range(300):
        queue.accept("bob@example.net", sender=f"s{number}@example.org")
    queue.carrier.dead.clear()
    queue.carrier.seconds = 1.0
    connections = len(queue.carrier.connected)
    while len(queue.carrier.connected) == connections:
        queue.pass_time(1.0)
    assert queue.carrier.open["example.net"] == 1
    queue.pass_time(2 * MINUTE)
    assert queue.owed == []
    assert "smtp:example.net" not in queue.disk.site_records
    queue.check()


def test_a_clock_that_was_wrong_keeps_no_site_at_rest_for_years(queue: PlayedQueue) -> None:
    queue.carrier.dead.add("example.net")
    queue.accept("bob@example.net")
    queue.pass_time(HOUR)
    queue.crash()
    queue.clock._epoch -= 1000 * DAY
    queue.carrier.dead.clear()
    queue.begin()
    queue.pass_time(1.1 * HOUR)
    assert queue.owed == []


def test_the_operator_need_not_wait_for_the_end_of_a_rest(queue: PlayedQueue) -> None:
    queue.carrier.dead.add("example.net")
    queue.accept("bob@example.net")
    queue.pass_time(3 * HOUR)
    queue.carrier.dead.clear()
    destination = Destination(SMTP, "example.net")
    reason = queue.dispatcher.waits_for(destination)
    assert reason.kind is WaitKind.SITE
    assert reason.text == SILENT.text
    queue.dispatcher.look_again([destination], is_at_once=True)
    assert queue.owed == []
    queue.check()


class Strict:
    """A site that closes after some messages, or takes only some connections."""

    name = SMTP

    def __init__(self, queue: PlayedQueue, messages: int = 1000, connections: int = 1000) -> None:
        self._queue = queue
        self._messages, self._connections = messages, connections
        self.refused = self.open = 0

    async def site(self, destination: Destination) -> Site:
        return Site(SMTP, "strict", SiteLimits(2, 20))

    async def serve(self, site: Site, work: Work) -> None:
        clock = self._queue.clock
        self.open += 1
        try:
            if self.open > self._connections:
                self.refused += 1
                work.slow_down(Attempt(TOO_MANY, clock.now(), use=1))
                return
            for use in range(1, 10_000):
                found = await work.wait(5.0)
                if found is None:
                    return
                if use > self._messages:
                    self.refused += 1
                    work.slow_down(Attempt(TOO_MANY, clock.now(), use=use))
                    return
                await clock.sleep(1.0)
                self._queue.carrier.sent.append((clock.now(), found))
                answer = Attempt(
                    self._queue.carrier.answer(found, found.recipients[0]), clock.now()
                )
                work.done(found, {one.number: answer for one in found.recipients})
        finally:
            self.open -= 1


def strict(queue: PlayedQueue, **limits: int) -> Strict:
    carrier = Strict(queue, **limits)
    queue.dispatcher._state.doors.carriers[SMTP] = carrier  # type: ignore[index]
    return carrier


def test_a_site_that_takes_five_connections_is_not_asked_for_more_all_the_time(
    queue: PlayedQueue,
) -> None:
    carrier = strict(queue, connections=5)
    for number in range(900):
        queue.accept("bob@example.net", sender=f"s{number}@example.org")
    queue.pass_time(5 * MINUTE)
    assert queue.owed == []
    assert carrier.refused <= 5
    queue.check()


def test_after_how_many_messages_a_site_closes_is_learned_and_remembered(
    queue: PlayedQueue,
) -> None:
    carrier = strict(queue, messages=10)
    for number in range(300):
        queue.accept("bob@example.net", sender=f"s{number}@example.org")
    queue.pass_time(10 * MINUTE)
    assert queue.owed == []
    assert carrier.refused <= 6
    assert queue.disk.site_records["smtp:strict"].max_messages == 10
    queue.check()


def test_there_are_never_more_connections_than_the_limit() -> None:
    queue = PlayedQueue(settings=DispatchSettings(connections=10))
    queue.carrier.seconds = 1.0
    for number in range(400):
        queue.accept(f"bob@d{number % 50}.example", sender=f"s{number}@example.org")
        assert queue.dispatcher._state.connections <= 10
    for _ in range(300):
        queue.pass_time(1.0)
        assert queue.dispatcher._state.connections <= 10
    assert queue.owed == []
    queue.check()


def test_how_a_site_is_used_can_be_seen(queue: PlayedQueue) -> None:
    queue.carrier.seconds = 100.0
    queue.accept(*addresses("example.net", 300))
    (site,) = queue.dispatcher.sites("example.net")
    assert (site.connections, site.allowed, site.most) == (2, 2, 20)
    assert site.why == "nothing was delivered to it yet"
    assert queue.dispatcher.destinations_of("example.net") == [Destination(SMTP, "example.net")]
    assert queue.dispatcher.waits_for(Destination(SMTP, "example.net")).kind is WaitKind.UNDER_WAY


def test_the_ip_version_that_a_site_refuses_is_remembered(queue: PlayedQueue) -> None:
    class Chooser:
        name = SMTP

        async def site(self, destination: Destination) -> Site:
            return Site(SMTP, "chooser")

        async def serve(self, site: Site, work: Work) -> None:
            seen.append(work.avoids)
            work.avoid(6)
            work.unreachable(Attempt(SILENT, queue.clock.now()))

    seen: list[int] = []
    queue.carrier.site, queue.carrier.serve = Chooser().site, Chooser().serve  # type: ignore[method-assign]
    queue.accept("bob@example.net")
    queue.crash()
    queue.begin()
    queue.pass_time(HOUR)
    assert seen[:2] == [0, 6]
    queue.check()


def test_the_log_says_which_destination_could_not_be_reached(queue: PlayedQueue) -> None:
    queue.carrier.site_names["example.net"] = "mx.example.net"
    queue.carrier.dead.add("mx.example.net")
    queue.accept("bob@example.net")
    ((id, destination, site, attempt, until),) = queue.events.of("tried")
    assert (id, str(destination), site) == ("", "smtp:example.net", "mx.example.net")
    assert attempt.outcome == SILENT
    assert until == queue.clock.now() + MINUTE


def test_the_log_says_which_message_could_not_go(queue: PlayedQueue) -> None:
    class Breaks:
        name = SMTP

        async def serve(self, site: Site, work: Work) -> None:
            assert await work.wait(5.0) is not None
            work.unreachable(Attempt(SILENT, queue.clock.now()))

    queue.carrier.site_names["example.net"] = "mx.example.net"
    queue.carrier.serve = Breaks().serve  # type: ignore[method-assign]
    queue.accept("bob@example.net")
    ((id, destination, _, _, _),) = queue.events.of("tried")
    assert (id, str(destination)) == ("job1", "smtp:example.net")
    assert queue.owed == [("job1", 1)]


def test_a_connection_does_not_end_while_its_next_message_is_read(queue: PlayedQueue) -> None:
    load = queue.disk.load

    async def slow_load(*args: Any) -> Any:
        await queue.clock.sleep(0.05)
        return await load(*args)

    queue.disk.load = slow_load  # type: ignore[method-assign]
    queue.carrier.idle = 0.0
    queue.carrier.seconds = 0.01
    for number in range(200):
        queue.accept(f"bob@d{number}.example")
        queue.carrier.site_names[f"d{number}.example"] = "relay.example"
    queue.crash()
    queue.begin()
    queue.pass_time(2 * MINUTE)
    assert queue.owed == []
    assert len([1 for _, name in queue.carrier.connected if name == "relay.example"]) < 60


def behind_a_provider(queue: PlayedQueue) -> None:
    """Give each domain a host of its own at one site; one of these does not answer."""
    queue.carrier.site_names = {f"c{number}.example": "provider" for number in range(10)}
    queue.carrier.silent.add("c0.example")


def test_a_customers_host_that_is_down_rests_alone(queue: PlayedQueue) -> None:
    behind_a_provider(queue)
    for number in range(50):
        queue.accept(f"bob@c{number % 10}.example", sender=f"s{number}@example.org")
    queue.pass_time(MINUTE / 2)
    assert len(queue.carrier.sent) == 45
    assert {id for id, _ in queue.owed} == {f"job{number}" for number in range(1, 51, 10)}
    assert len(queue.carrier.unanswered) == 1
    assert queue.disk.site_records == {}
    reason = queue.dispatcher.waits_for(Destination(SMTP, "c0.example"))
    assert (reason.kind, reason.text) == (WaitKind.SITE, SILENT.text)
    queue.check()


def test_it_rests_longer_each_time_and_its_mail_is_not_touched(queue: PlayedQueue) -> None:
    behind_a_provider(queue)
    for _ in range(3):
        queue.accept("bob@c0.example")
    writes = queue.disk.writes
    queue.pass_time(3.9 * HOUR)
    times = [at for at, _ in queue.carrier.unanswered]
    pauses = [round((later - sooner) / MINUTE) for sooner, later in pairwise(times)]
    assert pauses[:7] == [1, 2, 5, 10, 15, 30, 60]
    assert queue.disk.writes == writes
    queue.carrier.silent.clear()
    queue.pass_time(1.1 * HOUR)
    assert queue.owed == []
    queue.carrier.silent.add("c0.example")
    queue.accept("bob@c0.example")
    queue.pass_time(1.5 * MINUTE)
    assert len(queue.carrier.unanswered) == len(times) + 2  # a success has ended the row
    queue.check()
