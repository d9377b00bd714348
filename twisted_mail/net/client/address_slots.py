"""How many connections there are to each address, and who waits until there may be one more."""

from collections import Counter, deque
from contextlib import suppress

from twisted.internet.defer import Deferred

from twisted_mail.interfaces import Clock

MAX_WAITING = 10  # for one address
WAIT_SECONDS = 10.0

Waiting = deque[tuple[str, Deferred[None]]]


class AddressSlots:
    """At most ``most`` connections to one address, which its users share. Reactor thread only.

    A user is named, and may be a site, of which several can lie behind one address. None waits that has
    its share, without those of its connections that are about to end. What is taken is given back by
    ``release``.
    """

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._open: dict[str, Counter[str]] = {}  # by address and user
        self._waiting: dict[str, Waiting] = {}
        self._leaving: Counter[tuple[str, str]] = Counter()  # address and user

    def take(self, address: str, user: str) -> bool:
        """Take a slot, if one is free; return whether it was."""
        taken = self._open.setdefault(address, Counter())
        if taken.total() >= self._most:
            return False
        taken[user] += 1
        return True

    async def wait(self, address: str, user: str) -> bool:
        """Wait for a slot and take it; return False if there is none for this user, or not soon."""
        if self._has_share(address, user):
            return False
        waiting = self._waiting.setdefault(address, deque())
        given: Deferred[None] = Deferred()
        waiting.append((user, given))
        try:
            await self._clock.within(WAIT_SECONDS, _wait_for(given))
        except TimeoutError:
            return False
        finally:
            with suppress(ValueError):  # it has got it
                waiting.remove((user, given))
            if not waiting:
                self._waiting.pop(address, None)
        return True

    def _has_share(self, address: str, user: str) -> bool:
        """Return whether a user has, or waits for, as many slots as each of them may."""
        waiting = self._waiting.get(address, ())
        if len(waiting) >= MAX_WAITING:
            return True
        taken = self._open.get(address, Counter())
        own = taken[user] + sum(name == user for name, _ in waiting)
        own -= self._leaving[address, user]
        users = {user, *taken, *(name for name, _ in waiting)}
        return own >= max(self._most // len(users), 1)

    def is_wanted(self, address: str) -> bool:
        """Return whether somebody waits for a slot, so that none is to be kept for what may come."""
        return address in self._waiting

    def is_owed(self, address: str, user: str) -> bool:
        """Return whether a user is to give a slot up even if it has use for it.

        That is so while somebody waits who has fewer than this user would have left.
        """
        waiting = self._waiting.get(address)
        if not waiting:
            return False
        taken = self._open[address]
        return taken[waiting[0][0]] < taken[user] - self._leaving[address, user] - 1

    def note_leaving(self, address: str, user: str, more: int) -> None:
        """Note that so many more of a user's connections are about to end: their slots come back."""
        self._leaving[address, user] += more
        if not self._leaving[address, user]:
            del self._leaving[address, user]

    def release(self, address: str, user: str) -> None:
        """Give a slot back, to who has waited longest."""
        taken = self._open[address]
        taken[user] -= 1
        if not taken[user]:
            del taken[user]
        waiting = self._waiting.get(address)
        if waiting:
            name, given = waiting.popleft()
            taken[name] += 1
            given.callback(None)
        elif not taken:
            del self._open[address]

    def __len__(self) -> int:
        """Return how many slots are taken."""
        return sum(taken.total() for taken in self._open.values())


class HeldSlot:
    """A slot that was taken, until its connection is gone."""

    __slots__ = ("_is_leaving", "_key", "_slots")

    def __init__(self, slots: AddressSlots, address: str, user: str) -> None:
        self._slots = slots
        self._key = address, user
        self._is_leaving: bool | None = False  # None: given back

    def leave(self) -> None:
        """Note that the connection is about to end; harmless when it has."""
        if self._is_leaving is False:
            self._is_leaving = True
            self._slots.note_leaving(*self._key, 1)

    def release(self) -> None:
        """Give the slot back."""
        if self._is_leaving:
            self._slots.note_leaving(*self._key, -1)
        self._is_leaving = None
        self._slots.release(*self._key)


async def _wait_for(given: Deferred[None]) -> None:
    await given
