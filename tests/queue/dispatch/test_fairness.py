import os

import pytest

from tests.queue.dispatch.played_queue import (
    MINUTE,
    PlayedQueue,
    addresses,
)
from twisted_mail.interfaces import SiteLimits
from twisted_mail.queue.dispatch.settings import ScheduleSettings

IS_LONG = bool(float(os.environ.get("QUEUE_MINUTES", "0")))


def turns_before_letter(queue: PlayedQueue, seconds: float) -> int:
    """Return how many transactions of others ended between the letter's acceptance and its own."""
    before = len(queue.carrier.sent)
    letter = queue.accept("bob@slow.example", sender="bob@example.org")
    queue.pass_time(seconds)
    ids = [one.job.id for _, one in queue.carrier.sent[before:]]
    return ids.index(letter)


def test_a_newsletter_to_fifty_thousand_of_one_message() -> None:
    """The promise at its full size; with ``QUEUE_MINUTES`` set the next test has it of single copies."""
    queue = PlayedQueue()
    queue.carrier.seconds = 30.0
    queue.carrier.limits = SiteLimits(1, 1)
    queue.accept(*addresses("slow.example", 50_000))
    queue.pass_time(2 * MINUTE)
    assert turns_before_letter(queue, 10 * MINUTE) <= 3
    queue.check()


@pytest.mark.skipif(not IS_LONG, reason="takes seconds: set QUEUE_MINUTES")
def test_a_newsletter_of_fifty_thousand_messages() -> None:
    queue = PlayedQueue()
    queue.carrier.seconds = 30.0
    queue.carrier.limits = SiteLimits(1, 1)
    for number in range(50_000):
        queue.accept(f"user{number}@slow.example")
    queue.pass_time(2 * MINUTE)
    assert turns_before_letter(queue, 10 * MINUTE) <= 3
    queue.check()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_newsletter_to_a_slow_destination_holds_up_nobodys_letter(is_restarted: bool) -> None:
    queue = PlayedQueue()
    queue.carrier.seconds = 30.0
    queue.carrier.limits = SiteLimits(1, 1)
    for _ in range(5):
        queue.accept(*addresses("slow.example", 2_000))
    queue.pass_time(2 * MINUTE)
    if is_restarted:
        queue.crash()
        queue.begin()
        queue.pass_time(2 * MINUTE)
    assert turns_before_letter(queue, 10 * MINUTE) <= 3
    queue.check()


def test_a_newsletter_of_one_copy_for_each_holds_up_nobodys_letter() -> None:
    queue = PlayedQueue()
    queue.carrier.seconds = 30.0
    queue.carrier.limits = SiteLimits(1, 1)
    for number in range(2_000):
        queue.accept(f"user{number}@slow.example")
    queue.pass_time(2 * MINUTE)
    assert turns_before_letter(queue, 10 * MINUTE) <= 3
    queue.check()


def test_a_letter_that_waits_on_disk_behind_a_newsletter_has_its_turn() -> None:
    queue = PlayedQueue()
    queue.carrier.seconds = 30.0
    queue.carrier.limits = SiteLimits(1, 1)
    queue.accept(*addresses("slow.example", 5_000))
    letter = queue.accept("bob@slow.example", sender="bob@example.org")
    queue.crash()
    queue.begin()
    queue.pass_time(5 * MINUTE)
    assert letter in [one.job.id for _, one in queue.carrier.sent[:4]]
    queue.check()


def behind_one_relay(domains: int) -> PlayedQueue:
    """Return a queue that has a newsletter under way: ten parts, each for so many domains."""
    queue = PlayedQueue()
    queue.carrier.limits = SiteLimits(1, 1)
    queue.carrier.seconds = 1.0
    readers = [f"bob@news{number}.example" for number in range(domains)]
    names = [one.partition("@")[2] for one in readers]
    queue.carrier.site_names = dict.fromkeys([*names, "slow.example"], "relay")
    for _ in range(10):
        queue.accept(*readers)
    queue.pass_time(10.0)
    return queue


def test_a_newsletter_to_a_thousand_domains_behind_a_relay_holds_up_nobodys_letter() -> None:
    queue = behind_one_relay(1_000)
    assert turns_before_letter(queue, 10.0) <= 3
    assert turns_before_letter(queue, 10.0) <= 3
    queue.check()


def test_a_letter_to_a_domain_of_the_newsletter_goes_as_soon() -> None:
    queue = behind_one_relay(1_000)
    before = len(queue.carrier.sent)
    letter = queue.accept("alice@news900.example", sender="bob@example.org")
    queue.pass_time(10.0)
    assert letter in [one.job.id for _, one in queue.carrier.sent[before : before + 4]]
    queue.check()


def test_who_sends_letter_after_letter_stops_no_newsletter() -> None:
    queue = behind_one_relay(20)
    for number in range(400):
        queue.accept("bob@slow.example", sender=f"s{number}@many{number % 50}.example")
    queue.pass_time(300.0)
    assert len([one for _, one in queue.carrier.sent if "news" in one.destination.name]) >= 145
    queue.pass_time(400.0)
    assert len(queue.carrier.sent) == 600
    queue.check()


def live_deliveries(dead: int) -> int:
    queue = PlayedQueue(ScheduleSettings(notices=()))
    queue.carrier.connecting = 1.0
    queue.carrier.seconds = 1.0
    queue.accept(*["bob@live.example"])
    queue.pass_time(3.0)
    queue.carrier.dead = {f"dead{number}.example" for number in range(dead)}
    serve = queue.carrier.serve

    async def slow_serve(site: object, work: object) -> None:
        if site.name in queue.carrier.dead:  # type: ignore[attr-defined]
            await queue.clock.sleep(30.0)
        await serve(site, work)  # type: ignore[arg-type]

    queue.carrier.serve = slow_serve  # type: ignore[method-assign]
    for number in range(dead):
        queue.accept(f"bob@dead{number}.example")
    for number in range(3_000):
        queue.accept("bob@live.example", sender=f"s{number}@example.org")
    queue.pass_time(2 * MINUTE)
    queue.check()
    return len(queue.sent_to("live.example"))


def test_a_thousand_dead_domains_cost_a_live_one_less_than_a_tenth() -> None:
    alone = live_deliveries(0)
    assert alone > 1_000
    assert live_deliveries(1_000) > 0.9 * alone


def test_a_slow_site_leaves_room_in_memory_for_others() -> None:
    queue = PlayedQueue()
    queue.carrier.answer, good = queue.carrier.answer, queue.carrier.answer
    queue.carrier.limits = SiteLimits(1, 1)
    queue.carrier.seconds = 600.0
    for number in range(60):
        for _ in range(3):
            queue.accept(*addresses(f"slow{number}.example", 500), sender=f"s{number}@example.org")
    assert queue.dispatcher._state.ready_count <= 20_000
    queue.carrier.seconds = 0.0
    queue.carrier.answer = good
    queue.accept("bob@quick.example", sender="bob@example.org")
    assert len(queue.sent_to("quick.example")) == 1
    queue.check()
