"""A time limit that is set again and again, and hardly ever reached."""

import math
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class TimeLimit:
    """Calls ``passed`` when the time set last is over.

    One timer for all limits of a connection: it is moved only to come earlier, and looks at the
    deadline again when it fires. Two timer operations for each command would cost more than the
    command.
    """

    __slots__ = ("_deadline", "_looks_at", "_passed", "_reactor", "_timer")

    def __init__(self, reactor: IReactorTime, passed: Callable[[], None]) -> None:
        self._reactor = reactor
        self._passed = passed
        self._timer: IDelayedCall | None = None
        self._deadline = 0.0
        self._looks_at = math.inf  # when the timer fires, if there is one

    def set(self, seconds: float) -> None:
        """Start again: the time is over after ``seconds``."""
        self._deadline = self._reactor.seconds() + seconds
        if self._deadline < self._looks_at:
            self._look_in(seconds)

    def _look_in(self, seconds: float) -> None:
        self._looks_at = self._deadline
        if self._timer is None:
            self._timer = self._reactor.callLater(seconds, self._look)
        else:
            self._timer.reset(seconds)

    def end(self) -> None:
        """End the limit permanently."""
        self._passed = _nothing
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _look(self) -> None:
        self._timer, self._looks_at = None, math.inf
        left = self._deadline - self._reactor.seconds()
        if left > 0:
            self._look_in(left)
        else:
            self._passed()


def _nothing() -> None:
    """Do nothing; a reference to the connection would keep it in memory."""
