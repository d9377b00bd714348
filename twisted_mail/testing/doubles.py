"""Doubles of the doors to the system: time that stands still, and threads that are none."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

# The time at which doubles of a clock begin: 9 September 2001, 01:46:40 UTC.
EPOCH = 1_000_000_000.0


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never has to wait, and return its result.

    Raises AssertionError if it waits for something.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coroutine.close()
    raise AssertionError("the coroutine waits for something")


class InlineBlocking:
    """Does blocking work at once, without threads. Fulfils ``interfaces.Blocking``."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the work; return or raise what it does."""
        return work(*args, **kwargs)

    def lane(self) -> "InlineBlocking":
        """Return itself: all work is done in order."""
        return self

    @property
    def is_idle(self) -> bool:
        """Return True: nothing is done later."""
        return True


class StillClock:
    """A clock that moves only in its sleeps, which take no time. Fulfils ``interfaces.Clock``.

    ``seconds`` is the time and may be set; ``slept`` has the length of each sleep.
    """

    def __init__(self, now: float = EPOCH) -> None:
        self.seconds = now
        self.slept: list[float] = []

    def now(self) -> float:
        """Return seconds since 1970."""
        return self.seconds

    def monotonic(self) -> float:
        """Return the same."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Move on by ``seconds`` at once."""
        self.slept.append(seconds)
        self.seconds += seconds

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Return what ``work`` does. Raises TimeoutError if it slept longer than ``seconds``."""
        began = self.seconds
        result = await work
        if self.seconds - began > seconds:
            raise TimeoutError
        return result
