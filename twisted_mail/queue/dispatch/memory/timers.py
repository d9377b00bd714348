"""What is to be looked at again at its time, the earliest first."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

SLACK = 20_000  # times that were altered and are not thrown away yet: that takes long with many


class Timed(Protocol):
    """Something with one time at which it is looked at; 0 for none."""

    timer: float


class Timers:
    """A heap of times. One that was altered since stays in it, and is passed over."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed]] = []
        self._numbers = count()
        self._set = 0  # of those in the heap, how many are not altered

    def __len__(self) -> int:
        return self._set

    def set(self, timed: Timed, at: float) -> None:
        """Have something looked at at a time, and no more at the one that was set before."""
        if timed.timer == at:
            return
        self._set += not timed.timer
        timed.timer = at
        heappush(self._heap, (at, next(self._numbers), timed))
        if len(self._heap) > 4 * self._set + SLACK:
            self._sweep()

    def _sweep(self) -> None:
        """Throw away at once what was altered since, and what is there twice.

        Most of that goes by itself, when its time comes.
        """
        valid = {id(item[2]): item for item in self._heap if item[2].timer == item[0]}
        self._heap = [*valid.values()]
        heapify(self._heap)

    def clear(self, timed: Timed) -> None:
        """Have something looked at no more."""
        self._set -= bool(timed.timer)
        timed.timer = 0.0

    def next_time(self) -> float | None:
        """Return the earliest time; None if there is none."""
        while self._heap and self._heap[0][2].timer != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: float, limit: int) -> Iterator[Timed]:
        """Yield what is due, and at most ``limit``."""
        for _ in range(limit):
            at = self.next_time()
            if at is None or at > now:
                return
            timed = heappop(self._heap)[2]
            self.clear(timed)
            yield timed
