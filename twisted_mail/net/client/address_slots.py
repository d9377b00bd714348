"""How many connections there are to each address, and who waits until there may be one more."""

from collections import Counter, deque
from contextlib import suppress

from twisted.internet.defer import Deferred

from twisted_mail.interfaces import Clock

MAX_WAITING = 10  # for one address
WAIT_SECONDS = 10.0


class AddressSlots:
    """At most ``most`` connections to one address. Reactor thread only.

    What is taken is given back by ``release``.
    """

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._open: Counter[str] = Counter()
        self._waiting: dict[str, deque[Deferred[None]]] = {}

    def take(self, address: str) -> bool:
        """Take a slot, if one is free; return whether it was."""
        if self._open[address] >= self._most:
            return False
        self._open[address] += 1
        return True

    async def wait(self, address: str) -> bool:
        """Wait for a slot and take it; return False if that takes too long, or too many wait."""
        waiting = self._waiting.setdefault(address, deque())
        if len(waiting) >= MAX_WAITING:
            return False
        given: Deferred[None] = Deferred()
        waiting.append(given)
        try:
            await self._clock.within(WAIT_SECONDS, _wait_for(given))
        except TimeoutError:
            return False
        finally:
            with suppress(ValueError):  # it has got it
                waiting.remove(given)
            if not waiting:
                self._waiting.pop(address, None)
        return True

    def is_wanted(self, address: str) -> bool:
        """Return whether somebody waits for a slot."""
        return address in self._waiting

    def release(self, address: str) -> None:
        """Give a slot back, to who has waited longest."""
        waiting = self._waiting.get(address)
        if waiting:
            waiting.popleft().callback(None)
            return
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]

    def __len__(self) -> int:
        """Return how many slots are taken."""
        return self._open.total()


async def _wait_for(given: Deferred[None]) -> None:
    await given
