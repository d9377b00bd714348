"""How much of whole messages is in memory at a time, however many threads take messages apart."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

MOST = 32 * 1024 * 1024  # octets of the whole messages that are in memory together
SMALL = 256 * 1024  # octets of which each thread may have so many besides

_ROOM_ENOUGH = nullcontext()


class MemoryLimit:
    """The room that the whole messages of one store have in memory. Used by all threads.

    ``most`` octets may be held together; what is larger is held alone. Whoever asks first is let in
    first, so that a large message is not overtaken for ever. ``held`` is what is held now.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._line: deque[object] = deque()
        self.held = 0

    def holding(self, octets: int) -> AbstractContextManager[None]:
        """Wait until there is room for that many octets, and keep it for the ``with``; do not nest."""
        return _ROOM_ENOUGH if octets <= SMALL else self._holding(octets)

    @contextmanager
    def _holding(self, octets: int) -> Iterator[None]:
        self._take(octets)
        try:
            yield
        finally:
            with self._changed:
                self.held -= octets
                self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Return how many threads wait for room."""
        return len(self._line)

    def _take(self, octets: int) -> None:
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            self._changed.wait_for(lambda: self._line[0] is ticket and self._fits(octets))
            self._line.popleft()
            self.held += octets
            self._changed.notify_all()

    def _fits(self, octets: int) -> bool:
        return self.held == 0 or self.held + octets <= self._most
