"""Turns of work in threads, in a short and a long line; and lanes, which have one turn after the other.

A pool may have two lines. Work in the short one begins at once, as long as a thread is free. A lane that
has computed for long is in the long line until it has paused: few turns of that line run at a time, each
lane has one turn after the other lanes had theirs, and the other threads stay free for everybody else.
"""

import math
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from time import monotonic, thread_time
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.outcome import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

Piece = tuple[Deferred[Any], Callable[[], Any]]

# A leaky bucket: a lane that fills it waits in the long line until it has leaked below the mark again.
SHORT_SECONDS = 0.02  # of computing that a lane may do at once
LEAK = 0.05  # seconds of computing in a second that a lane may do for ever
FULL_SECONDS = 0.1  # that the bucket holds: the long line is left two seconds after the last work


@dataclass(slots=True, eq=False)
class Turn:
    """Pieces of work that one thread does one after the other.

    ``ended`` is called on the reactor thread, after all Deferreds were fired. Turns that are ``is_long``
    wait for each other. ``results`` take the place of ``pieces`` when they are done. A turn that is
    measured says then for how many ``seconds`` the processor worked, and how many it ``waited`` for a
    thread.
    """

    pieces: list[Piece]
    is_long: bool = False
    ended: "Callable[[Turn], None] | None" = None
    results: list[tuple[Deferred[Any], object]] = field(default_factory=list)
    seconds: float = 0.0
    waited: float = 0.0

    def work(self) -> None:
        """Do all pieces. Belongs to the thread; nothing is raised."""
        self.results = [(deferred, _outcome_of(work)) for deferred, work in self.pieces]
        self.pieces = []  # what the work held is released before the next comes

    def finish(self) -> None:
        """Fire the Deferreds."""
        for deferred, result in self.results:
            deferred.callback(result)  # a Failure here becomes an errback
        if self.ended is not None:
            self.ended(self)


@dataclass(slots=True, eq=False)
class MeasuredTurn(Turn):
    """A turn that is measured."""

    given_at: float = 0.0

    def work(self) -> None:
        """Do all pieces, and measure that."""
        self.waited = monotonic() - self.given_at
        began = thread_time()
        Turn.work(self)
        self.seconds = thread_time() - began


def _outcome_of(work: Callable[[], object]) -> object:
    try:
        return work()
    except BaseException:
        return Failure()  # type: ignore[no-untyped-call]


class TurnLines:
    """The turns of a pool, from their submission to their results; the reactor is called once for many.

    At most ``waiting`` pieces of work are not finished, and ``long_turns`` of the long line run together;
    0: there is none. Threads take turns that are ``_ready`` and give them back to ``_end``; those that
    find none are ``_idle``, each with the lock that it waits for. More are begun while there are more
    turns than ``_enough``. All else belongs to the reactor thread.
    """

    def __init__(self, reactor: IReactorFromThreads, waiting: int, long_turns: int) -> None:
        self._reactor = reactor
        self._waiting = waiting
        self._long_turns = long_turns
        self._ready: deque[Turn | None] = deque()  # None: a thread is to end
        self._idle: list[Lock] = []
        self._enough: float = math.inf
        self._given = 0  # turns that are ready or with a thread
        self._unfinished = 0
        self._long: deque[Turn] = deque()  # that wait for others of the long line
        self._long_given = 0
        self._done: deque[Turn] = deque()  # for the reactor, which is called once for many
        self._is_called = False

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
        self._hand_over(turn)
        if self._given > self._enough:
            self._start_thread()

    def _hand_over(self, turn: Turn | None) -> None:
        """Wake one thread, if any is idle: the one that was at work last."""
        self._ready.append(turn)
        with suppress(IndexError):
            self._idle.pop().release()

    def _start_thread(self) -> None:
        """Begin one more thread."""
        raise NotImplementedError

    def _next_turn(self, woken: Lock) -> Turn | None:
        """Return the next turn; a thread that waits for it has its lock released when it is woken.

        In a ``queue.SimpleQueue`` each item wakes a second idle thread, too, which finds nothing.
        """
        while True:
            with suppress(IndexError):
                return self._ready.popleft()
            self._idle.append(woken)
            if self._ready:  # since before it was known that this thread is idle
                with suppress(ValueError):  # it is being woken
                    self._idle.remove(woken)
                    continue
            woken.acquire()

    def _end(self, turn: Turn) -> None:
        """Take a turn that is done. Called in threads."""
        self._done.append(turn)
        if not self._is_called:
            self._is_called = True
            self._reactor.callFromThread(self._finish)

    def _finish(self) -> None:
        self._is_called = False  # first of all: results that come from now on call again
        while self._done:
            turn = self._done.popleft()
            self._given -= 1
            self._unfinished -= len(turn.results)
            if turn.is_long:
                self._long_given -= 1
                if self._long:
                    self._give(self._long.popleft())
            turn.finish()


class Lane:
    """A serial queue: one piece of work at a time, in order, on any thread of the pool.

    What was submitted while a thread was busy goes to the next thread together, so that under load many
    share one trip between threads. ``submit`` takes a turn, and raises Unavailable when too much is
    waiting.
    """

    __slots__ = ("_is_busy", "_queue", "_submit")

    def __init__(self, submit: Callable[[Turn], None]) -> None:
        self._submit = submit
        self._queue: deque[Piece] = deque()
        self._is_busy = False

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` after all that was submitted earlier."""
        result: Deferred[T] = Deferred()
        self._queue.append((result, partial(work, *args, **kwargs)))
        if not self._is_busy:
            self._next()
        return await result

    def lane(self) -> Blocking:
        """Return another serial queue of the same pool."""
        return type(self)(self._submit)

    @property
    def is_idle(self) -> bool:
        """Return whether all work is done that was submitted here."""
        return not self._is_busy

    def _next(self) -> None:
        """Submit what waits, if anything does."""
        self._is_busy = bool(self._queue)
        if self._is_busy:
            turn = Turn([*self._queue], ended=self._ended)
            self._queue.clear()
            self._take(turn)

    def _ended(self, turn: Turn) -> None:
        self._next()

    def _take(self, turn: Turn) -> None:
        try:
            self._submit(turn)
        except Unavailable:
            self._is_busy = False
            refused = [*turn.pieces, *self._queue]
            self._queue.clear()
            for deferred, _ in refused:
                deferred.errback()


class MeasuredLane(Lane):
    """A lane that takes long turns, of one piece each, once it has computed for more than its share."""

    __slots__ = ("_bucket", "_leaked_at")

    def __init__(self, submit: Callable[[Turn], None]) -> None:
        super().__init__(submit)
        self._bucket = 0.0  # seconds of computing that count
        self._leaked_at = 0.0

    def _next(self) -> None:
        self._is_busy = bool(self._queue)
        if not self._is_busy:
            return
        if self._bucket:
            self._leak()
        is_long = self._bucket > SHORT_SECONDS
        number = 1 if is_long else len(self._queue)
        pieces = [self._queue.popleft() for _ in range(number)]
        self._take(MeasuredTurn(pieces, is_long, self._ended, given_at=monotonic()))

    def _ended(self, turn: Turn) -> None:
        # Nothing leaks in line: else those who wait there long enough would all be let go at once.
        self._leaked_at += turn.waited
        self._leak()
        self._bucket = min(self._bucket + turn.seconds, FULL_SECONDS)
        self._next()

    def _leak(self) -> None:
        now = monotonic()
        self._bucket = max(self._bucket - LEAK * (now - self._leaked_at), 0.0)
        self._leaked_at = now
