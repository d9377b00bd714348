"""Threads for work that may block: files, databases, password hashes.

Each kind of work has its own pool, so that slow hashing never delays mail, and none is the reactor's
default pool, which also resolves names.

A pool may have two lines. Work in the short one begins at once, as long as a thread is free. A lane that
has computed for long is in the long line until it has paused: few turns of that line run at a time, each
lane has one turn after the other lanes had theirs, and the other threads stay free for everybody else.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.process.lane import Lane, Turn

P = ParamSpec("P")
T = TypeVar("T")

STOP_SECONDS = 4.0  # that the work which was begun may take when the server ends


def _nothing() -> None:
    pass


class ThreadBlocking:
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
        self._reactor = reactor
        self._name = name
        self._most = threads
        self._begin = begin
        self._long_turns = long_turns
        self._threads: list[Thread] = []
        self._queue: SimpleQueue[Turn | None] = SimpleQueue()
        self._is_started = False
        self._given = 0  # turns in the queue or with a thread
        self._waiting = waiting
        self._unfinished = 0
        self._long: deque[Turn] = deque()  # that wait for others of the long line
        self._long_given = 0
        self._done: deque[Turn] = deque()  # for the reactor, which is called once for many
        self._is_called = False

    def start(self) -> None:
        """Start working, also on what was submitted before."""
        self._is_started = True
        for _ in range(min(self._given, self._most)):
            self._start_thread()

    def _start_thread(self) -> None:
        name = f"{self._name}-{len(self._threads) + 1}"
        thread = Thread(target=self._work, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, seconds: float = STOP_SECONDS, drops: bool = False) -> bool:
        """Finish the work that was submitted and end the threads; return whether all of it is done.

        Blocks until then, and for no more than ``seconds``: a disk may never answer. With ``drops`` only
        the work that was begun is finished; the rest is never done.
        """
        self._is_started = False
        if drops:
            self._drop()
        while self._long:
            self._give(self._long.popleft())
        for _ in self._threads:
            self._queue.put(None)
        deadline = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        is_done = not any(thread.is_alive() for thread in self._threads)
        self._threads.clear()
        return is_done

    def _drop(self) -> None:
        """Forget the work that no thread has begun."""
        self._long.clear()
        with suppress(Empty):
            while True:
                self._queue.get_nowait()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a thread; return or raise what it does."""
        result: Deferred[T] = Deferred()
        self.submit(Turn([(result, lambda: work(*args, **kwargs))]))
        return await result

    def submit(self, turn: Turn) -> None:
        """Do a turn in one thread. Raises Unavailable when too much is waiting already."""
        if self._unfinished + len(turn.pieces) > self._waiting:
            raise Unavailable("Too busy, try again later")
        self._unfinished += len(turn.pieces)
        if turn.is_long and self._long_given >= self._long_turns:
            self._long.append(turn)
        else:
            self._give(turn)

    def _give(self, turn: Turn) -> None:
        """Let the next free thread have a turn."""
        self._given += 1
        self._long_given += turn.is_long
        self._queue.put(turn)
        if self._is_started and len(self._threads) < min(self._given, self._most):
            self._start_thread()

    def _work(self) -> None:
        """Run one worker thread."""
        self._begin()
        while (turn := self._queue.get()) is not None:
            turn.work()
            self._done.append(turn)
            del turn
            if not self._is_called:
                self._is_called = True
                self._reactor.callFromThread(self._finish)

    def _finish(self) -> None:
        self._is_called = False  # first of all: results that come from now on call again
        while self._done:
            turn = self._done.popleft()
            self._given -= 1
            self._unfinished -= len(turn.pieces)
            if turn.is_long:
                self._long_given -= 1
                if self._long:
                    self._give(self._long.popleft())
            turn.finish()

    def lane(self) -> Blocking:
        """Return a serial queue: one piece of work at a time, in order."""
        return Lane(self.submit, has_long_turns=self._long_turns > 0)
