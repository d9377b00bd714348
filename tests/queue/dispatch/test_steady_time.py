from itertools import pairwise

import pytest

from twisted_mail.queue.dispatch.memory.steady_time import CATCH_UP, SteadyTime


class TwoClocks:
    """A clock whose wall time a test sets apart from the time that passes."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.passed = 50.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.passed

    def go_on(self, seconds: float) -> None:
        self.wall += seconds
        self.passed += seconds


DAY = 86400.0


def steady(clock: TwoClocks) -> SteadyTime:
    return SteadyTime(clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("jump", [DAY, -DAY, 5000.0, -0.5])
def test_a_clock_that_jumps_is_followed_slowly(jump: float) -> None:
    clock = TwoClocks()
    time = steady(clock)
    before = time.now()
    clock.wall += jump
    assert time.now() == before
    clock.go_on(100.0)
    off = time.now() - before - 100
    assert abs(off) <= 100 * CATCH_UP + 0.001
    assert off * jump > 0
    for _ in range(1000):
        clock.go_on(abs(jump) / 90)
        time.now()
    assert time.now() == pytest.approx(clock.wall)


def test_it_goes_back_by_no_more_than_a_moment() -> None:
    clock = TwoClocks()
    time = steady(clock)
    seen = []
    for step in range(100):
        clock.wall -= 1000.0 * (step % 3)
        clock.go_on(0.1)
        seen.append(time.now())
    assert min(later - sooner for sooner, later in pairwise(seen)) > -CATCH_UP
