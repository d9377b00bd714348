"""What was made lately of values that peers choose: bounded in octets, and forgotten when nobody asks."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class RecentCache(Generic[K, V]):
    """Calls ``make`` for a key, and remembers what it returned. Used by any thread.

    ``octets`` is what all that is remembered may take; ``size`` says what a key takes with its value.
    What is not asked for while half of that is filled anew is forgotten; what is, stays. Two threads that
    ask at the same moment may get two equal values.
    """

    __slots__ = ("_filled", "_half", "_make", "_old", "_size", "_young")

    def __init__(self, make: Callable[[K], V], octets: int, size: Callable[[K], int]) -> None:
        self._make = make
        self._half = octets // 2
        self._size = size
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._filled = 0  # octets that the young take

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def __call__(self, key: K) -> V:
        """Return what is made of a key."""
        found = self._young.get(key)
        return found if found is not None else self._from_old(key)

    def _from_old(self, key: K) -> V:
        found = self._old.get(key)
        if found is None:
            found = self._make(key)
        size = self._size(key)
        if self._filled + size > self._half:
            self._old, self._young, self._filled = self._young, {}, 0
        if size <= self._half:
            self._young[key] = found
            self._filled += size
        return found
