"""What tests of pure rooms share: coroutines run to their end, time that stands still."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never has to wait, and return its result."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("the coroutine waits for something")


class InlineBlocking:
    """A Blocking door without threads."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return work(*args, **kwargs)

    def lane(self) -> "InlineBlocking":
        return self


class StillClock:
    """A Clock that moves when told, and whose sleeps take no time."""

    def __init__(self, now: float = 1_000_000_000.0) -> None:
        self.seconds = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        began = self.seconds
        result = await work
        if self.seconds - began > seconds:
            raise TimeoutError
        return result


class NoteJournal:
    """A Journal that keeps what it is told: a list of (event, arguments)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, event: str) -> Callable[..., None]:
        if event.startswith("_"):
            raise AttributeError(event)
        return lambda *args: self.events.append((event, args))
