"""Threads for work that may block: files, databases, password hashes.

Each kind of work has its own pool, so that slow hashing never delays mail, and none is the reactor's
default pool, which also resolves names. Here are the threads; ``lane`` says which work comes first.
"""

import math
from collections.abc import Callable
from functools import partial
from threading import Lock, Thread
from time import monotonic
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads

from twisted_mail.interfaces import Blocking
from twisted_mail.net.process.lane import Lane, MeasuredLane, Turn, TurnLines

P = ParamSpec("P")
T = TypeVar("T")

STOP_SECONDS = 4.0  # that the work which was begun may take when the server ends


def _nothing() -> None:
    pass


class ThreadBlocking(TurnLines):
    """Fulfils ``interfaces.Blocking`` with a bounded number of threads and a bounded queue.

    Threads start when there is work for them, with a call of ``begin``, and stay. This is not
    ``twisted.python.threadpool``: its queue in Python and its call of the reactor for each result cost
    more than a delivery's system calls, and hold the interpreter's lock.

    ``long_turns`` of the long line run together; 0: there is none. It is for lanes of accounts, and not
    for those that serve everybody, such as that of deliveries.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        name: str,
        threads: int,
        waiting: int = 10_000,
        begin: Callable[[], None] = _nothing,
        long_turns: int = 0,
    ) -> None:
        super().__init__(reactor, waiting, long_turns)
        self._name = name
        self._most = threads
        self._begin = begin
        self._threads: list[Thread] = []

    def start(self) -> None:
        """Start working, also on what was submitted before."""
        self._enough = 0
        while self._given > self._enough:
            self._start_thread()

    def _start_thread(self) -> None:
        """Begin one more thread."""
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        self._enough = len(self._threads) if len(self._threads) < self._most else math.inf
        thread.start()

    def stop(self, seconds: float = STOP_SECONDS, drops: bool = False) -> bool:
        """Finish the work that was submitted and end the threads; return whether all of it is done.

        Blocks until then, and for no more than ``seconds``: a disk may never answer. With ``drops`` only
        the work that was begun is finished; the rest is never done.
        """
        self._enough = math.inf
        if drops:
            self._drop()
        while self._long:
            self._give(self._long.popleft())
        for _ in self._threads:
            self._hand_over(None)
        deadline = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        is_done = not any(thread.is_alive() for thread in self._threads)
        self._threads.clear()
        return is_done

    def _drop(self) -> None:
        """Forget the work that no thread has begun."""
        self._long.clear()
        self._ready.clear()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a thread; return or raise what it does."""
        result: Deferred[T] = Deferred()
        self.submit(Turn([(result, partial(work, *args, **kwargs))]))
        return await result

    def _work(self) -> None:
        """Run one worker thread."""
        self._begin()
        woken = Lock()
        woken.acquire()
        while (turn := self._next_turn(woken)) is not None:
            turn.work()
            self._end(turn)
            del turn

    @property
    def is_idle(self) -> bool:
        """Return whether all work is done that was submitted here or in lanes."""
        return self._unfinished == 0

    def lane(self) -> Blocking:
        """Return a serial queue: one piece of work at a time, in order."""
        return MeasuredLane(self.submit) if self._long_turns else Lane(self.submit)
