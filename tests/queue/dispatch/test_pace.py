from twisted_mail.interfaces import SiteLimits
from twisted_mail.queue.dispatch.memory.pace import CEILING_SECONDS, MessageLimit, Pace

LIMITS = SiteLimits(begin=2, most=20)


def succeed(pace: Pace, times: int, now: float = 0.0, limits: SiteLimits = LIMITS) -> None:
    for _ in range(times):
        pace.succeeded(limits, now)


def test_one_more_comes_at_the_end_of_a_series_as_long_as_the_present_number() -> None:
    pace = Pace(2)
    succeed(pace, 1)
    assert pace.window == 2
    succeed(pace, 1)
    assert pace.window == 3
    succeed(pace, 3)
    assert pace.window == 4


def test_there_are_never_more_than_the_limit() -> None:
    pace = Pace(2)
    succeed(pace, 10_000)
    assert pace.window == 20


def test_one_less_comes_at_the_beginning_of_a_series_of_failures() -> None:
    pace = Pace(10)
    pace.failed(10)
    assert pace.window == 9
    for _ in range(8):
        pace.failed(10)
    assert pace.window == 9
    pace.failed(10)
    assert pace.window == 8


def test_it_is_dead_after_one_cohort_of_failures() -> None:
    pace = Pace(3)
    assert [pace.failed(3), pace.failed(3), pace.failed(3)] == [False, False, True]


def test_a_single_connection_that_fails_is_a_cohort() -> None:
    assert Pace(2).failed(1)


def test_a_success_begins_the_count_anew() -> None:
    pace = Pace(2)
    assert not pace.failed(2)
    succeed(pace, 1)
    assert not pace.failed(2)


def test_a_probe_that_succeeds_is_followed_by_a_slow_start() -> None:
    pace = Pace(1)
    succeed(pace, 1)
    assert pace.is_proven
    assert pace.window in (2, 3)


def test_a_site_that_asks_for_fewer_gets_no_more_for_five_minutes() -> None:
    pace = Pace(10)
    pace.slowed_down(connections=6, now=100.0)
    assert pace.window == 5
    succeed(pace, 1000, now=101.0)
    assert pace.window == 5
    succeed(pace, 5, now=101.0 + CEILING_SECONDS)
    assert pace.window == 6


def test_pauses_grow_while_nothing_comes_of_connections() -> None:
    pace = Pace(2)
    assert [pace.fruitless() for _ in range(8)] == [5, 10, 20, 40, 80, 160, 300, 300]
    succeed(pace, 1)
    assert pace.fruitless() == 5


def test_after_how_many_messages_a_host_closes_is_learned_from_two_connections() -> None:
    limit = MessageLimit(0)
    assert not limit.closed_at(21)
    assert limit.most == 0
    assert limit.closed_at(21)
    assert limit.most == 20
    assert not limit.closed_at(21)  # it is known


def test_a_connection_that_is_closed_at_its_first_message_teaches_nothing() -> None:
    limit = MessageLimit(0)
    assert not limit.closed_at(1)
    assert not limit.closed_at(1)
    assert limit.most == 0
