"""Takes the events of one process, and has them written a moment later, away from the reactor thread."""

from collections import deque
from collections.abc import Callable, Sequence
from time import time
from typing import Generic, TypeVar

from twisted_mail.interfaces import Blocking
from twisted_mail.journey.day_files import DayFiles

MOMENT_SECONDS = 0.25  # between two writes
MAX_WAITING = 4000  # events that wait to be written; beyond it the oldest are lost
TROUBLE_SECONDS = 60.0  # between two lines of the log that say that events cannot be written
MAX_DIALOGUES = 200  # that wait: each is 64 KiB at most
EXPIRE_SECONDS = 3600.0  # between two looks at what is too old, where nothing happens


T = TypeVar("T")


class JourneyRecorder(Generic[T]):
    """Writes events, or dialogues: what ``as_lines`` makes lines of.

    ``record`` takes one, on the reactor thread, and costs next to nothing. What cannot be written is
    lost: mail never waits for it. ``warn`` takes a line that says so. After an end by force the
    events of the last moment are missing, and a line may be torn.
    """

    def __init__(
        self,
        files: DayFiles,
        as_lines: Callable[[Sequence[T]], bytes],
        lane: Blocking,
        warn: Callable[[str], None],
        now: Callable[[], float] = time,
        most: int = MAX_WAITING,
    ) -> None:
        self._files = files
        self._as_lines = as_lines
        self._lane = lane
        self._warn = warn
        self._now = now
        self._waiting: deque[T] = deque(maxlen=most)
        self._most = most
        # The method of the list itself: it is called for each event of each message.
        self.record: Callable[[T], None] = self._waiting.append
        self._lost = 0
        self._warned_at = 0.0
        self._expired_at = 0.0

    async def work(self) -> None:
        """Write what has gathered. To be called every ``MOMENT_SECONDS``."""
        now = self._now()
        events = self._take()
        if events:
            self._note_result(await self._lane.run(self._write, events, now), len(events))
        elif not 0 <= now - self._expired_at < EXPIRE_SECONDS:
            self._expired_at = now
            self._note_result(await self._lane.run(self._expire, now), 0)

    def _take(self) -> list[T]:
        events = list(self._waiting)
        self._waiting.clear()
        if len(events) == self._most:
            self._lost += 1  # at least
        return events

    def _write(self, events: list[T], now: float) -> str:
        """Write events; return why that cannot be, or the empty text. Belongs to the lane."""
        try:
            self._files.append(self._as_lines(events), now)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _expire(self, now: float) -> str:
        try:
            self._files.expire(now)
        except OSError as error:
            return error.strerror or str(error)
        return ""

    def _note_result(self, why: str, events: int) -> None:
        """Have the log say what is lost, once in a while."""
        now = self._now()
        self._lost += events if why else 0
        if not (why or self._lost) or 0 <= now - self._warned_at < TROUBLE_SECONDS:
            return
        cause = why or "too many came at once, or the disk was too slow"
        self._warn(f"events of the journey are lost ({self._lost} or more): {cause}")
        self._warned_at, self._lost = now, 0

    def close(self) -> None:
        """Write what is left, at once, and close; no thread is needed any more."""
        events = self._take()
        if events:
            self._note_result(self._write(events, self._now()), len(events))
        self._files.close()
