"""Doubles of clocks and threads."""

import pytest

from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class Pause:
    def __await__(self) -> object:
        yield


def test_what_does_not_wait_is_finished() -> None:
    async def work() -> int:
        return 7

    assert finish(work()) == 7


def test_what_waits_is_not_finished() -> None:
    async def work() -> None:
        await Pause()  # type: ignore[misc]

    with pytest.raises(AssertionError, match="waits"):
        finish(work())


def test_sleeping_moves_a_still_clock() -> None:
    clock = StillClock(5)
    finish(clock.sleep(2))
    assert (clock.now(), clock.monotonic(), clock.slept) == (7, 7, [2])


def test_what_takes_too_long_ends_in_time() -> None:
    clock = StillClock()
    finish(clock.within(3, clock.sleep(3)))
    with pytest.raises(TimeoutError):
        finish(clock.within(3, clock.sleep(4)))


def test_inline_work_is_done_at_once() -> None:
    blocking = InlineBlocking()
    assert finish(blocking.lane().run(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        finish(blocking.run(divmod, 7, 0))
