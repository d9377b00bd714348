"""How conversations with much work share one thread with all others.

A session that has worked for its time slice waits here; the more wait, the shorter is the slice. In each
round of the reactor those that wait get ``SLICE_SECONDS`` together, not each: between two rounds the
reactor looks at its sockets, so a client with little work never waits for all those with much.
"""

from collections import deque

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

SLICE_SECONDS = 0.005  # how long conversations work before the reactor looks at others
SHORTEST_SECONDS = 0.001  # below this, going round would cost more than the work


class FairShare:
    """The sessions that wait for their turn; one object for all conversations of a reactor."""

    __slots__ = ("_is_going_round", "_reactor", "_waiting")

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._waiting: deque[Deferred[None]] = deque()
        self._is_going_round = False

    @property
    def slice_seconds(self) -> float:
        """Return how long one conversation may work now before it waits."""
        return max(SLICE_SECONDS / (1 + len(self._waiting)), SHORTEST_SECONDS)

    async def wait(self) -> None:
        """Wait for the next turn."""
        turn: Deferred[None] = Deferred()
        self._waiting.append(turn)
        if not self._is_going_round:
            self._is_going_round = True
            self._reactor.callLater(0, self._go_round)
        await turn

    def _go_round(self) -> None:
        """Resume those that wait now, as many as time allows."""
        stop = self._reactor.seconds() + SLICE_SECONDS
        for _ in range(len(self._waiting)):
            self._waiting.popleft().callback(None)
            if self._reactor.seconds() >= stop:
                break
        self._is_going_round = bool(self._waiting)
        if self._is_going_round:
            self._reactor.callLater(0, self._go_round)
