"""Time that a test moves, and that runs by itself only once real connections need it."""

import itertools
import math
from collections.abc import Sequence
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Clock

from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.testing.doubles import EPOCH

TICK_SECONDS = 0.02  # between two looks for what is due, where time runs
_CANCELLED = 100  # calls that may lie about, before they are cleared away


class ServerTime(Clock):
    """The reactor's time as a server in memory has it.

    It stands still, and ``advance`` moves it. After ``follow`` it runs with a reactor besides, and
    belongs to that reactor's thread, until ``stand_still``. Thousands of calls may wait: unlike
    Twisted's Clock it does not look at all of them for each that is made or made due.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reactor: IReactorTime | None = None
        self._began = 0.0
        # When each is due, as far as is known: a call that was put off says so once it is looked at.
        self._waiting: list[tuple[float, int, DelayedCall]] = []
        self._numbers = itertools.count()
        self._cancelled = 0

    def seconds(self) -> float:
        """Return the seconds since the server was made."""
        if self._reactor is None:
            return self.rightNow
        return self.rightNow + self._reactor.seconds() - self._began

    # ------------------------------------------------------------ calls

    def callLater(
        self,
        delay: float,
        callable: Any,  # noqa: A002
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        """Call something when ``delay`` seconds have passed."""
        due = self.seconds() + delay
        call = DelayedCall(due, callable, args, kwargs, self._forget, self._put, self.seconds)
        self._put(call)
        if self._reactor is not None and delay < TICK_SECONDS:
            self._reactor.callLater(delay, self.advance, 0)
        return call

    @property
    def next_due(self) -> float:
        """Return when the next call is due; infinity if none waits."""
        waiting = self._waiting
        while waiting:
            due, _, call = waiting[0]
            if not call.active():
                heappop(waiting)
            elif call.getTime() > due:
                call.activate_delay()  # so that it tells when it is to be sooner again
                heapreplace(waiting, (call.time, next(self._numbers), call))
            else:
                return due
        return math.inf

    def advance(self, amount: float) -> None:
        """Move time by so many seconds, and call what is due."""
        self.rightNow += amount
        while self.next_due <= self.seconds():
            call = heappop(self._waiting)[2]
            call.called = 1
            call.func(*call.args, **call.kw)

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Return the calls that wait, the next one first."""
        calls = {call: None for _, _, call in sorted(self._waiting) if call.active()}
        return sorted(calls, key=DelayedCall.getTime)

    def _put(self, call: DelayedCall) -> None:
        heappush(self._waiting, (call.getTime(), next(self._numbers), call))

    def _forget(self, call: DelayedCall) -> None:
        self._cancelled += 1
        if self._cancelled > max(_CANCELLED, len(self._waiting) // 2):
            self._waiting = [one for one in self._waiting if one[2].active()]
            heapify(self._waiting)
            self._cancelled = 0

    # ------------------------------------------------------------ a reactor besides

    def follow(self, reactor: IReactorTime) -> None:
        """Run with a reactor from now on."""
        self.rightNow = self.seconds()
        self._reactor, self._began = reactor, reactor.seconds()
        self._tick()

    def stand_still(self) -> None:
        """Follow no reactor any more."""
        self.rightNow = self.seconds()
        self._reactor = None

    def _tick(self) -> None:
        self.advance(0)
        if self._reactor is not None:
            self._reactor.callLater(TICK_SECONDS, self._tick)


class ServerClock(ReactorClock):
    """The Clock door over ``ServerTime``, which begins at ``epoch`` (seconds since 1970)."""

    def __init__(self, time: Clock, epoch: float = EPOCH) -> None:
        super().__init__(time)
        self._time = time
        self._epoch = epoch

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._epoch + self._time.seconds()

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return self._time.seconds()
