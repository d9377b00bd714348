"""Threads for work that may block: files, databases, password hashes.

Each kind of work has its own pool, so that slow hashing never delays mail, and none is the reactor's
default pool, which also resolves names.
"""

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.outcome import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

Piece = tuple[Deferred[Any], Callable[[], Any]]
Results = list[tuple[Deferred[Any], object]]


def _nothing() -> None:
    pass


class ThreadBlocking:
    """Fulfils ``interfaces.Blocking`` with a bounded number of threads and a bounded queue.

    Threads start when there is work for them, with a call of ``begin``, and stay. This is not
    ``twisted.python.threadpool``: its queue in Python and its call of the reactor for each result cost
    more than a delivery's system calls, and hold the interpreter's lock.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        name: str,
        threads: int,
        waiting: int = 10_000,
        begin: Callable[[], None] = _nothing,
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._most = threads
        self._begin = begin
        self._threads: list[Thread] = []
        self._queue: SimpleQueue[list[Piece] | None] = SimpleQueue()
        self._is_started = False
        self._given = 0  # lists of pieces that are not done
        self._waiting = waiting
        self._unfinished = 0
        self._done: deque[Results] = deque()  # for the reactor, which is called once for many
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

    def stop(self) -> None:
        """Finish the work that was submitted and end the threads. Blocks until then."""
        self._is_started = False
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a thread; return or raise what it does."""
        result: Deferred[T] = Deferred()
        self.submit([(result, lambda: work(*args, **kwargs))])
        return await result

    def submit(self, pieces: list[Piece]) -> None:
        """Do pieces of work one after the other in one thread, and fire their Deferreds.

        Raises Unavailable when too much is waiting already.
        """
        if self._unfinished + len(pieces) > self._waiting:
            raise Unavailable("Too busy, try again later")
        self._unfinished += len(pieces)
        self._given += 1
        self._queue.put(pieces)
        if self._is_started and len(self._threads) < min(self._given, self._most):
            self._start_thread()

    def _work(self) -> None:
        """Run one worker thread."""
        self._begin()
        while (pieces := self._queue.get()) is not None:
            self._done.append([(deferred, _outcome_of(work)) for deferred, work in pieces])
            del pieces  # what the work held is released before the next comes
            if not self._is_called:
                self._is_called = True
                self._reactor.callFromThread(self._finish)

    def _finish(self) -> None:
        self._is_called = False  # first of all: results that come from now on call again
        while self._done:
            results = self._done.popleft()
            self._given -= 1
            self._unfinished -= len(results)
            for deferred, result in results:
                deferred.callback(result)  # a Failure here becomes an errback

    def lane(self) -> Blocking:
        """Return a serial queue: one piece of work at a time, in order."""
        return Lane(self)


def _outcome_of(work: Callable[[], object]) -> object:
    try:
        return work()
    except BaseException:
        return Failure()  # type: ignore[no-untyped-call]


class Lane:
    """A serial queue: one piece of work at a time, in order, on any thread of the pool.

    What was submitted while a thread was busy goes to the next thread together, so that under load many
    share one trip between threads.
    """

    __slots__ = ("_is_busy", "_pool", "_queue")

    def __init__(self, pool: ThreadBlocking) -> None:
        self._pool = pool
        self._queue: deque[Piece] = deque()
        self._is_busy = False

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` after all that was submitted earlier."""
        result: Deferred[T] = Deferred()
        self._queue.append((result, lambda: work(*args, **kwargs)))
        if not self._is_busy:
            self._next()
        return await result

    def lane(self) -> Blocking:
        """Return another serial queue of the same pool."""
        return Lane(self._pool)

    def _next(self) -> None:
        self._is_busy = bool(self._queue)
        if not self._is_busy:
            return
        pieces = list(self._queue)
        self._queue.clear()
        turn: Deferred[None] = Deferred()
        turn.addCallback(lambda _: self._next())
        try:
            self._pool.submit([*pieces, (turn, _nothing)])
        except Unavailable:
            self._is_busy = False
            for deferred, _ in pieces:
                deferred.errback()
