"""Chores: what is done again and again beside the conversations, a little at a time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from twisted_mail.interfaces import Journal

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Some work with its name for the journal, and the seconds between two beginnings of it.

    A chore that takes longer than that is not begun twice; one that fails is noted and tried again.
    """

    name: str
    seconds: float
    work: Work


class PeriodicTasks:
    """The chores of a service."""

    def __init__(self, reactor: IReactorTime, journal: Journal) -> None:
        self._reactor = reactor
        self._journal = journal
        self._loops: list[LoopingCall] = []
        self._ends: list[Deferred[LoopingCall]] = []

    def start(self, *periodic_tasks: PeriodicTask) -> None:
        """Begin each chore after its first interval."""
        for chore in periodic_tasks:
            loop = LoopingCall(self._begin, chore)
            loop.clock = self._reactor
            self._loops.append(loop)
            self._ends.append(loop.start(chore.seconds, now=False))

    def _begin(self, chore: PeriodicTask) -> Deferred[None]:
        return Deferred.fromCoroutine(self._do(chore))

    async def _do(self, chore: PeriodicTask) -> None:
        try:
            await chore.work()
        except Exception:
            self._journal.failed(chore.name)

    async def stop(self) -> None:
        """Begin nothing more, and wait for what was begun."""
        for loop in self._loops:
            if loop.running:
                loop.stop()
        await DeferredList(self._ends, consumeErrors=True)
        self._loops.clear()
        self._ends.clear()
