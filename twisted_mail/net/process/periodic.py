"""Tasks that run again and again next to the conversations, a little at a time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from twisted_mail.interfaces import Journal

Work = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Some work with its name for the journal, and the seconds between two starts.

    A task that takes longer is not started twice; one that fails is logged and tried again.
    """

    name: str
    seconds: float
    work: Work


class PeriodicTasks:
    """The tasks of a service."""

    def __init__(self, reactor: IReactorTime, journal: Journal) -> None:
        self._reactor = reactor
        self._journal = journal
        self._loops: list[LoopingCall] = []
        self._ends: list[Deferred[LoopingCall]] = []

    def start(self, *periodic_tasks: PeriodicTask) -> None:
        """Start each task after its first interval."""
        for task in periodic_tasks:
            loop = LoopingCall(self._begin, task)
            loop.clock = self._reactor
            self._loops.append(loop)
            self._ends.append(loop.start(task.seconds, now=False))

    def _begin(self, task: PeriodicTask) -> Deferred[None]:
        return Deferred.fromCoroutine(self._do(task))

    async def _do(self, task: PeriodicTask) -> None:
        try:
            await task.work()
        except Exception:
            self._journal.failed(task.name)

    async def stop(self) -> None:
        """Start nothing more, and wait for what is running."""
        for loop in self._loops:
            if loop.running:
                loop.stop()
        await DeferredList(self._ends, consumeErrors=True)
        self._loops.clear()
        self._ends.clear()
