"""Doors without a reactor: work is done at once, and nothing waits."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SynchronousBlocking:
    """Fulfils ``interfaces.Blocking`` by doing the work at once."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the work; return or raise what it does."""
        return work(*args, **kwargs)

    def lane(self) -> "SynchronousBlocking":
        """Return this door: here nothing runs at the same time anyway."""
        return self

    @property
    def is_idle(self) -> bool:
        """Return True: nothing is done later."""
        return True


def run_synchronously(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that has nothing to wait for; return what it returns."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("the work waits for something")
