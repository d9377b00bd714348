"""Time that a test moves, and that runs with a reactor once it has to."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from twisted_mail.testing.clock import TICK_SECONDS, ServerClock, ServerTime
from twisted_mail.testing.doubles import EPOCH


def test_time_stands_still() -> None:
    time = ServerTime()
    done: list[int] = []
    time.callLater(5, done.append, 1)
    time.advance(4)
    assert (time.seconds(), done) == (4, [])
    time.advance(1)
    assert done == [1]


def test_time_follows_a_reactor() -> None:
    time, reactor = ServerTime(), Clock()
    done: list[str] = []
    time.advance(3)
    time.callLater(1, done.append, "before")
    reactor.advance(100)
    time.follow(reactor)
    assert time.seconds() == 3
    time.callLater(0, done.append, "at once")
    reactor.advance(0)
    assert done == ["at once"]
    for _ in range(60):
        reactor.advance(TICK_SECONDS)
    assert done == ["at once", "before"]
    assert round(time.seconds(), 6) == 3 + 60 * TICK_SECONDS


def test_it_is_still_moved_by_hand_then() -> None:
    time, reactor = ServerTime(), Clock()
    time.follow(reactor)
    done: list[int] = []
    time.callLater(1800, done.append, 1)
    time.advance(1800)
    assert done == [1]


def test_time_goes_on_with_another_reactor() -> None:
    time, one, other = ServerTime(), Clock(), Clock()
    time.follow(one)
    one.advance(5)
    time.follow(other)
    other.advance(2)
    assert time.seconds() == 7


def test_time_stands_still_again_without_its_reactor() -> None:
    time, reactor = ServerTime(), Clock()
    time.follow(reactor)
    reactor.advance(5)
    time.stand_still()
    reactor.advance(100)
    assert time.seconds() == 5
    time.callLater(0, print)
    assert not reactor.getDelayedCalls()


def test_the_clock_of_the_server_begins_at_its_epoch() -> None:
    time = ServerTime()
    clock = ServerClock(time)
    time.advance(2)
    assert (clock.now(), clock.monotonic()) == (EPOCH + 2, 2)


def test_who_sleeps_is_woken_by_the_test() -> None:
    time = ServerTime()
    woken: list[object] = []
    Deferred.fromCoroutine(ServerClock(time).sleep(3)).addCallback(woken.append)
    time.advance(2)
    assert woken == []
    time.advance(1)
    assert woken == [None]
