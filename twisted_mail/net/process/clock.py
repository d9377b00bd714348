"""Time, from the reactor."""

import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

T = TypeVar("T")


class ReactorClock:
    """Fulfils ``interfaces.Clock``."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor

    # Asked several times for each command, so they are the functions of Python themselves.
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        waiting: Deferred[None] = Deferred()
        self._reactor.callLater(seconds, waiting.callback, None)
        await waiting

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Return or raise what ``work`` does, or cancel it and raise TimeoutError."""
        running = Deferred.fromCoroutine(work)
        if running.called:
            return await running
        late = self._reactor.callLater(seconds, running.cancel)
        try:
            return await running
        except CancelledError:
            if late.active():
                raise
            raise TimeoutError from None
        finally:
            if late.active():
                late.cancel()
