"""A time limit that is set again and again, and hardly ever reached."""

import math
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class TimeLimit:
    """Calls ``passed`` when the time is over: at ``deadline``, in seconds of the reactor.

    One timer for all limits of a connection: it looks at the deadline when it fires, at ``looks_at``. Who
    sets a later deadline need do no more; for an earlier one the timer is moved by ``look_in``. Two timer
    operations for each command would cost more than the command.
    """

    __slots__ = ("_passed", "_reactor", "_timer", "deadline", "looks_at")

    def __init__(self, reactor: IReactorTime, passed: Callable[[], None]) -> None:
        self._reactor = reactor
        self._passed = passed
        self._timer: IDelayedCall | None = None
        self.deadline = 0.0
        self.looks_at = math.inf  # if there is a timer: when it fires

    def set(self, seconds: float) -> None:
        """Start again: the time is over after ``seconds``."""
        self.deadline = self._reactor.seconds() + seconds
        if self.deadline < self.looks_at:
            self.look_in(seconds)

    def look_in(self, seconds: float) -> None:
        """Look after ``seconds``, when the deadline is."""
        self.looks_at = self.deadline
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
        self._timer, self.looks_at = None, math.inf
        left = self.deadline - self._reactor.seconds()
        if left > 0:
            self.look_in(left)
        else:
            self._passed()


def _nothing() -> None:
    """Do nothing; a reference to the connection would keep it in memory."""
