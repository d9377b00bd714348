"""What is to be looked at again at its time, the earliest first."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Protocol

SLACK = 20_000  # times that were altered and are not thrown away yet: that takes long with many
SPAN = 1.0  # seconds that are put in order together


class Timed(Protocol):
    """Something with one time at which it is looked at; 0 for none."""

    timer: float


class Timers:
    """Times in spans of a second, of which only the nearest is a heap.

    A hundred thousand sites that rest take a place in a list each, and no object more: what is in a heap
    takes four. One that was altered since stays where it is, and is passed over.
    """

    def __init__(self) -> None:
        self._near: list[tuple[float, int, Timed]] = []  # a heap: what is in no later span
        self._far: dict[int, list[Timed]] = {}  # by the span
        self._spans: list[int] = []  # a heap: those in _far
        self._opened = -1  # the last span that is in _near
        self._numbers = count()
        self._set = 0  # how many have a time
        self._entries = 0  # with those that were altered since

    def __len__(self) -> int:
        return self._set

    @property
    def entries(self) -> int:
        """Return for how many times there is room, also where they were altered since."""
        return self._entries

    def set(self, timed: Timed, at: float) -> None:
        """Have something looked at at a time, and no more at the one that was set before."""
        if timed.timer == at:
            return
        self._set += not timed.timer
        timed.timer = at
        self._add(timed)
        if self._entries > 4 * self._set + SLACK:
            self._sweep()

    def _add(self, timed: Timed) -> None:
        self._entries += 1
        span = _span_of(timed)
        if span <= self._opened:
            heappush(self._near, (timed.timer, next(self._numbers), timed))
            return
        row = self._far.get(span)
        if row is None:
            row = self._far[span] = []
            heappush(self._spans, span)
        row.append(timed)

    def _open(self) -> None:
        """Put the times of the next span in order."""
        self._opened = span = heappop(self._spans)
        row = self._far.pop(span)
        self._entries -= len(row)
        for timed in row:
            if timed.timer and _span_of(timed) == span:
                self._add(timed)

    def _sweep(self) -> None:
        """Throw away at once what was altered since, and what is there twice.

        Most of that goes by itself, when its time comes.
        """
        near = {id(item[2]): item for item in self._near if item[2].timer == item[0]}
        self._near = [*near.values()]
        heapify(self._near)
        for span, row in self._far.items():
            row[:] = {id(one): one for one in row if one.timer and _span_of(one) == span}.values()
        self._entries = len(self._near) + sum(map(len, self._far.values()))

    def clear(self, timed: Timed) -> None:
        """Have something looked at no more."""
        self._set -= bool(timed.timer)
        timed.timer = 0.0

    def next_time(self) -> float | None:
        """Return the earliest time; None if there is none."""
        while True:
            while self._near and self._near[0][2].timer != self._near[0][0]:
                heappop(self._near)
                self._entries -= 1
            if self._near:
                return self._near[0][0]
            if not self._spans:
                return None
            self._open()

    def due(self, now: float, limit: int) -> Iterator[Timed]:
        """Yield what is due, and at most ``limit``."""
        for _ in range(limit):
            at = self.next_time()
            if at is None or at > now:
                return
            timed = heappop(self._near)[2]
            self._entries -= 1
            self.clear(timed)
            yield timed


def _span_of(timed: Timed) -> int:
    return int(timed.timer // SPAN)
