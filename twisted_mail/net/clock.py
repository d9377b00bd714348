"""Time, from the reactor."""

import time

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class ReactorClock:
    """Fulfils ``interfaces.Clock``."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that only rise."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        waiting: Deferred[None] = Deferred()
        self._reactor.callLater(seconds, waiting.callback, None)
        await waiting
