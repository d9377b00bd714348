"""What the carrier remembers of destinations and sites: bounded, and not over a restart."""

from collections import OrderedDict
from typing import Generic, TypeVar

from twisted_mail.interfaces import Clock

V = TypeVar("V")

MAX_REMEMBERED = 10_000  # destinations or sites


class RecentlyKnown(Generic[V]):
    """Values by name, each for so many seconds, more than 0; of too many the oldest are forgotten."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._values: OrderedDict[str, tuple[float, V]] = OrderedDict()

    def __getitem__(self, name: str) -> V | None:
        """Return what is known of a name, or None."""
        found = self._values.get(name)
        if found is None or found[0] <= self._clock.monotonic():
            return None
        return found[1]

    def __setitem__(self, name: str, value: V) -> None:
        """Remember a value."""
        now = self._clock.monotonic()
        self._values[name] = now + self._seconds, value
        self._values.move_to_end(name)
        while next(iter(self._values.values()))[0] <= now:  # ends at this one
            self._values.popitem(last=False)
        if len(self._values) > MAX_REMEMBERED:
            self._values.popitem(last=False)

    def __len__(self) -> int:
        return len(self._values)
