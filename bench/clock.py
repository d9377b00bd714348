"""The real clock, for benchmarks that drive the store without a reactor."""

import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class RealClock:
    """Fulfils ``interfaces.Clock``; ``idle`` seconds seem to have passed since anything was used."""

    def __init__(self, idle: float = 0) -> None:
        self._idle = idle

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() + self._idle

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        return await work  # which ends before it is awaited: nothing here waits
