"""Time that a test moves, and that runs with a reactor once it has to."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
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


def test_the_next_call_is_known() -> None:
    time = ServerTime()
    assert time.next_due == math.inf
    later, sooner = time.callLater(5, print), time.callLater(3, print)
    assert (time.next_due, time.getDelayedCalls()) == (3, [sooner, later])
    sooner.cancel()
    assert (time.next_due, time.getDelayedCalls()) == (5, [later])


_SECONDS = st.integers(0, 8)
_ACTS = st.one_of(
    st.tuples(st.just("call"), _SECONDS),
    st.tuples(st.sampled_from(("reset", "delay", "cancel")), _SECONDS, st.integers(0, 20)),
    st.tuples(st.just("advance"), _SECONDS),
)


@given(acts=st.lists(_ACTS, max_size=40))
def test_calls_are_made_when_twisteds_clock_makes_them(acts: list[tuple[Any, ...]]) -> None:
    ours, theirs = Played(ServerTime()), Played(Clock())
    for act in acts:
        for one in (ours, theirs):
            one.do(*act)
        assert ours.made == theirs.made
        assert ours.waiting() == theirs.waiting()


class Played:
    """A clock, and which calls it made, each with the time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls: list[Any] = []
        self.made: list[tuple[float, set[int]]] = []

    def do(self, what: str, seconds: float, which: int = 0) -> None:
        if what == "call":
            number = len(self.calls)
            self.calls.append(self.clock.callLater(seconds, self._note, number))
        elif what == "advance":
            self.made.append((self.clock.seconds() + seconds, set()))
            self.clock.advance(seconds)
        elif which < len(self.calls) and self.calls[which].active():
            getattr(self.calls[which], what)(*() if what == "cancel" else (seconds,))

    def _note(self, number: int) -> None:
        self.made[-1][1].add(number)

    def waiting(self) -> list[float]:
        return [call.getTime() for call in sorted(self.clock.getDelayedCalls(), key=due)]


def due(call: Any) -> float:
    return float(call.getTime())


def test_thousands_of_calls_may_wait_and_be_cancelled() -> None:
    time = ServerTime()
    calls = [time.callLater(1 + number, print) for number in range(20_000)]
    for call in calls[1:]:
        call.cancel()
    assert time.getDelayedCalls() == calls[:1]
    assert len(time._waiting) < 1_000


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
