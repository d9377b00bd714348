"""Lanes: serial queues of work in threads, and their turns, short and long."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, thread_time
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
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


def _nothing() -> None:
    pass


@dataclass(slots=True, eq=False)
class Turn:
    """Pieces of work that one thread does one after the other.

    ``ended`` is called on the reactor thread, after all Deferreds were fired, with the seconds for which
    the processor worked and those in which the turn waited for a thread. Turns that are ``is_long`` wait
    for each other.
    """

    pieces: list[Piece]
    is_long: bool = False
    ended: Callable[[float, float], None] | None = None
    _results: list[object] = field(default_factory=list)
    _given_at: float = 0.0
    _seconds: float = 0.0
    _waited: float = 0.0

    def __post_init__(self) -> None:
        self._given_at = monotonic()

    def work(self) -> None:
        """Do all pieces. Belongs to the thread; nothing is raised."""
        self._waited = monotonic() - self._given_at
        began = thread_time()
        self._results = [_outcome_of(work) for _, work in self.pieces]
        # What the work held is released before the next comes.
        self.pieces = [(deferred, _nothing) for deferred, _ in self.pieces]
        self._seconds = thread_time() - began

    def finish(self) -> None:
        """Fire the Deferreds."""
        for (deferred, _), result in zip(self.pieces, self._results, strict=True):
            deferred.callback(result)  # a Failure here becomes an errback
        if self.ended is not None:
            self.ended(self._seconds, self._waited)


def _outcome_of(work: Callable[[], object]) -> object:
    try:
        return work()
    except BaseException:
        return Failure()  # type: ignore[no-untyped-call]


class Lane:
    """A serial queue: one piece of work at a time, in order, on any thread of the pool.

    What was submitted while a thread was busy goes to the next thread together, so that under load many
    share one trip between threads. A lane that has computed for more than its share takes long turns, of
    one piece each, if it ``has_long_turns``. ``submit`` takes a turn, and raises Unavailable when too
    much is waiting.
    """

    __slots__ = ("_bucket", "_has_long_turns", "_is_busy", "_leaked_at", "_queue", "_submit")

    def __init__(self, submit: Callable[[Turn], None], has_long_turns: bool) -> None:
        self._submit = submit
        self._has_long_turns = has_long_turns
        self._queue: deque[Piece] = deque()
        self._is_busy = False
        self._bucket = 0.0  # seconds of computing that count
        self._leaked_at = 0.0

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` after all that was submitted earlier."""
        result: Deferred[T] = Deferred()
        self._queue.append((result, lambda: work(*args, **kwargs)))
        if not self._is_busy:
            self._next()
        return await result

    def lane(self) -> Blocking:
        """Return another serial queue of the same pool."""
        return Lane(self._submit, self._has_long_turns)

    @property
    def is_long(self) -> bool:
        """Return whether the lane has computed for more than its share."""
        return self._has_long_turns and self._bucket > SHORT_SECONDS

    def _next(self) -> None:
        self._is_busy = bool(self._queue)
        if self._is_busy:
            if self._bucket:
                self._leak()
            self._take_turn(1 if self.is_long else len(self._queue))

    def _take_turn(self, number: int) -> None:
        """Submit the next pieces of work."""
        pieces = [self._queue.popleft() for _ in range(number)]
        try:
            self._submit(Turn(pieces, self.is_long, self._ended))
        except Unavailable:
            self._is_busy = False
            pieces += self._queue
            self._queue.clear()
            for deferred, _ in pieces:
                deferred.errback()

    def _ended(self, seconds: float, waited: float) -> None:
        # Nothing leaks in line: else those who wait there long enough would all be let go at once.
        self._leaked_at += waited
        self._leak()
        self._bucket = min(self._bucket + seconds, FULL_SECONDS)
        self._next()

    def _leak(self) -> None:
        now = monotonic()
        self._bucket = max(self._bucket - LEAK * (now - self._leaked_at), 0.0)
        self._leaked_at = now
