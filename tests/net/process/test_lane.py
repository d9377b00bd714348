"""Lanes: whose turns are long, without threads; the test says what each turn took."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.process import lane as lane_module
from twisted_mail.net.process.lane import LEAK, SHORT_SECONDS, Lane, MeasuredLane, Turn


class Pool:
    """Takes turns and, when the test says so, does them; the clock is the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.computed = 0.0
        self.turns: list[Turn] = []
        self.is_full = False
        self.results: list[Any] = []
        monkeypatch.setattr(lane_module, "monotonic", lambda: self.now)
        monkeypatch.setattr(lane_module, "thread_time", lambda: self.computed)
        self.lane: Lane = MeasuredLane(self.submit)

    def submit(self, turn: Turn) -> None:
        if self.is_full:
            raise Unavailable("Too busy")
        self.turns.append(turn)

    def ask(self, number: int = 1, seconds: float = 0.0) -> None:
        """Give the lane pieces of work, each of which computes for some seconds."""
        for each in range(number):
            running = Deferred.fromCoroutine(self.lane.run(self._compute, each, seconds))
            running.addBoth(self.results.append)

    def _compute(self, name: int, seconds: float) -> int:
        self.computed += seconds
        self.now += seconds
        return name

    def turn(self) -> Turn:
        """Do the next turn."""
        turn = self.turns.pop(0)
        turn.work()
        turn.finish()
        return turn


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Pool:
    return Pool(monkeypatch)


def test_what_comes_meanwhile_goes_together(pool: Pool) -> None:
    pool.ask(4)
    assert len(pool.turn().results) == 1
    assert len(pool.turn().results) == 3
    assert pool.results == [0, 1, 2, 3]


def test_a_lane_that_has_computed_for_long_takes_long_turns_of_one_piece(pool: Pool) -> None:
    pool.ask(4, seconds=2 * SHORT_SECONDS)
    turns = [pool.turn() for _ in range(2)]
    assert [turn.is_long for turn in turns] == [False, True]
    assert [len(turn.results) for turn in turns] == [1, 1]


def test_work_that_never_computes_for_long_stays_short(pool: Pool) -> None:
    for _ in range(1000):
        pool.ask(seconds=0.001)
        assert not pool.turn().is_long
        pool.now += 0.001 / LEAK


def test_many_small_pieces_without_a_pause_become_long(pool: Pool) -> None:
    for _ in range(100):
        pool.ask(seconds=0.001)
        turn = pool.turn()
    assert turn.is_long


def test_a_pause_of_two_seconds_ends_long_turns(pool: Pool) -> None:
    pool.ask(seconds=3600)
    pool.turn()
    pool.now += 2
    pool.ask()
    assert not pool.turn().is_long


def test_waiting_in_line_is_no_pause(pool: Pool) -> None:
    pool.ask(2, seconds=3600)
    pool.turn()
    pool.now += 60  # others have their turns
    pool.turn()
    pool.ask()
    assert pool.turn().is_long


def test_all_that_waits_is_refused_when_a_turn_is(pool: Pool) -> None:
    pool.ask(3)
    pool.is_full = True
    pool.turn()
    assert pool.results[0] == 0
    assert [type(each.value) for each in pool.results[1:]] == [Unavailable, Unavailable]
    pool.is_full = False
    pool.ask()
    pool.turn()
    assert pool.results[3] == 0


def test_the_lanes_of_a_lane_have_turns_of_their_own(pool: Pool) -> None:
    pool.ask(seconds=3600)
    pool.turn()
    other: Any = pool.lane.lane()
    Deferred.fromCoroutine(other.run(int, "7")).addBoth(pool.results.append)
    assert not pool.turn().is_long
    assert pool.results == [0, 7]


def test_a_lane_that_serves_everybody_takes_no_long_turns(pool: Pool) -> None:
    pool.lane = Lane(pool.submit)
    pool.ask(4, seconds=3600)
    assert [len(pool.turn().results) for _ in range(2)] == [1, 3]
    pool.ask()
    assert not pool.turn().is_long
