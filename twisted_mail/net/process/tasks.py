"""Coroutines that run next to each other, and signals between them, on the reactor."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from twisted_mail.interfaces import Journal, Signal


class ReactorTasks:
    """Fulfils ``interfaces.Tasks``."""

    def __init__(self, reactor: IReactorTime, journal: Journal) -> None:
        self._reactor = reactor
        self._journal = journal

    def start(self, name: str, work: Coroutine[Any, Any, object]) -> Callable[[], None]:
        """Run a coroutine, which begins at once; return what cancels it."""
        return Deferred.fromCoroutine(self._run(name, work)).cancel

    async def _run(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except CancelledError:
            return
        except Exception:
            self._journal.failed(name)

    def signal(self) -> Signal:
        """Return a new signal."""
        return ReactorSignal(self._reactor)


class ReactorSignal:
    """Fulfils ``interfaces.Signal``."""

    __slots__ = ("_is_fired", "_reactor", "_waiting")

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._is_fired = False
        self._waiting: Deferred[bool] | None = None

    def fire(self) -> None:
        """End the wait that is under way, or else the next one at once."""
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            self._is_fired = True
        else:
            waiting.callback(True)

    async def wait(self, seconds: float) -> bool:
        """Wait until it is fired, and no longer than ``seconds``; return whether it was."""
        if self._is_fired:
            self._is_fired = False
            return True
        waiting: Deferred[bool] = Deferred()
        self._waiting = waiting
        late = self._reactor.callLater(max(seconds, 0.0), self._end, waiting)
        try:
            return await waiting
        finally:
            if late.active():
                late.cancel()

    def _end(self, waiting: Deferred[bool]) -> None:
        if self._waiting is waiting:
            self._waiting = None
            waiting.callback(False)
