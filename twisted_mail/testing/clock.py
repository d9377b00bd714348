"""Time that a test moves, and that runs by itself only once real connections need it."""

from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Clock

from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.testing.doubles import EPOCH

TICK_SECONDS = 0.02  # between two looks for what is due, where time runs


class ServerTime(Clock):
    """The reactor's time as a server in memory has it.

    It stands still, and ``advance`` moves it. After ``follow`` it runs with a reactor besides, and
    belongs to that reactor's thread, until ``stand_still``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reactor: IReactorTime | None = None
        self._began = 0.0

    def seconds(self) -> float:
        """Return the seconds since the server was made."""
        if self._reactor is None:
            return self.rightNow
        return self.rightNow + self._reactor.seconds() - self._began

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

    def callLater(
        self,
        delay: float,
        callable: Any,  # noqa: A002
        *args: object,
        **kwargs: object,
    ) -> IDelayedCall:
        """Call something when ``delay`` seconds have passed."""
        call: IDelayedCall = super().callLater(delay, callable, *args, **kwargs)
        if self._reactor is not None and delay < TICK_SECONDS:
            self._reactor.callLater(delay, self.advance, 0)
        return call


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
