"""Finding the sites of destinations, some at a time, and what follows if there is none."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from twisted_mail.interfaces import Site
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.outcomes.conclusions import Conclusions, Judge
from twisted_mail.queue.dispatch.outcomes.results import Result, result_of
from twisted_mail.queue.dispatch.schedule import rest_seconds

MOST = 40  # look-ups at a time: the resolver has others to answer, too
FRESH = 3  # look-ups for new mail for each one for older mail
PORTION = 1_000  # recipients who are given up at a time
UNREADABLE_SECONDS = 60.0  # until jobs are read again that could not be
MOST_UNREAD = 10_000  # recipients of such jobs behind which others are still found
NO_CARRIER = Outcome(451, "4.3.5", "The configuration has no carrier for this any more")


class Lookups:
    """Looks sites up; new mail does not wait behind all the old. ``found`` gets those that have one."""

    def __init__(
        self,
        state: DispatchState,
        conclusions: Conclusions,
        found: Callable[[DestinationQueue, Site], None],
        go: Callable[[DestinationQueue], None],
    ) -> None:
        self._state = state
        self._conclusions = conclusions
        self._found = found
        self._go = go
        self._fresh: deque[DestinationQueue] = deque()
        self._older: deque[DestinationQueue] = deque()
        self._turn = 0
        self._running = 0
        self._unread: dict[Destination, int] = {}  # recipients of jobs that could not be read

    def want(self, queue: DestinationQueue, is_fresh: bool) -> None:
        """Look the site of a destination up, soon."""
        queue.is_busy = True
        (self._fresh if is_fresh else self._older).append(queue)
        if self._running < MOST:
            self._running += 1
            self._state.doors.tasks.start("queue", self._run())

    async def _run(self) -> None:
        try:
            while (queue := self._next()) is not None:
                await self._look_up(queue)
        finally:
            self._running -= 1

    def _next(self) -> DestinationQueue | None:
        if self._state.is_stopping or not (self._fresh or self._older):
            return None
        self._turn += 1
        is_older = not self._fresh or (bool(self._older) and self._turn % (FRESH + 1) == 0)
        return (self._older if is_older else self._fresh).popleft()

    async def _look_up(self, queue: DestinationQueue) -> None:
        found = await self._site(queue)
        now = self._state.time.now()
        if isinstance(found, Attempt) and not found.outcome.is_temporary:
            try:
                await self._refuse(queue, found)
            except Exception:
                self._state.doors.journal.failed(f"queue {queue.destination}")
                self._put_off(queue)
            self._end(queue)
        elif isinstance(found, Attempt):
            queue.failures += 1
            queue.last = found
            queue.rest_until = now + rest_seconds(queue.failures)
            self._state.drop_ready(queue)
            self._state.doors.events.tried("", queue.destination, "", found, queue.rest_until)
            self._end(queue)
        else:
            if not queue.is_unreached:
                queue.failures, queue.last, queue.rest_until = 0, None, 0.0
            queue.found_at = now
            queue.is_busy = False
            self._found(queue, found)

    def _end(self, queue: DestinationQueue) -> None:
        queue.is_busy = False
        self._go(queue)

    async def _site(self, queue: DestinationQueue) -> Site | Attempt:
        """Return the site, or why there is none. A bug of the carrier is none of its mail's."""
        carrier = self._state.doors.carriers.get(queue.destination.carrier)
        now = self._state.time.now()
        if carrier is None:
            return Attempt(NO_CARRIER, now, ReplyClass.CONFIGURATION)
        try:
            return await carrier.site(queue.destination)
        except Unavailable as error:
            return Attempt(error.outcome, now)
        except Exception:
            self._state.doors.journal.failed(f"carrier {queue.destination.carrier}")
            return Attempt(Outcome(451, "4.3.0", "an error inside"), now)

    # ------------------------------------------------------------ a destination that there is not

    async def _refuse(self, queue: DestinationQueue, attempt: Attempt) -> None:
        """Give up all that is due for a destination that can never be reached."""
        state = self._state

        def judge(job: QueuedJob, recipient: OwedRecipient) -> Result | None:
            if recipient.destination != queue.destination:
                return None
            now = state.time.now()
            return result_of(job, recipient, replace(attempt, at=now), now, state.schedule)

        try:
            while queue.ready is not None:
                job, numbers = state.take_ready(queue)
                if not await self._give_up(queue, job, numbers, judge):
                    queue.remind(state.time.now() + UNREADABLE_SECONDS)
            if queue.is_on_disk and queue.next_due <= state.time.now():
                await self._refuse_on_disk(queue, judge)
        except Unavailable as error:
            state.doors.journal.warned(f"queue {queue.destination}", error.outcome.text)
            self._put_off(queue)

    def _put_off(self, queue: DestinationQueue) -> None:
        """Look at a destination again after a while, whatever waits for it."""
        queue.remind(0.0)
        queue.next_due = queue.rest_until = self._state.time.now() + rest_seconds(1)

    async def _give_up(
        self, queue: DestinationQueue, job: str, numbers: Sequence[int], judge: Judge
    ) -> bool:
        """Give up recipients of one job; one that cannot be read keeps no other from its end."""
        try:
            await self._conclusions.give_up(job, numbers, judge)
        except Unavailable as error:
            self._state.doors.journal.warned(f"queue {queue.destination}", error.outcome.text)
            return False
        return True

    async def _refuse_on_disk(self, queue: DestinationQueue, judge: Judge) -> None:
        """Give up a portion of what is on disk; the rest has its turn when that is noted."""
        state = self._state
        now = state.time.now()
        queue.is_on_disk = False
        before = math.nextafter(now, math.inf)
        unread = self._unread.get(queue.destination, 0)  # they are the first again
        rows = await state.doors.spool.due(queue.destination, before, PORTION + unread)
        by_job: dict[str, list[int]] = {}
        for row in rows:
            by_job.setdefault(row.job, []).append(row.number)
        left = 0
        for job, numbers in by_job.items():
            if not await self._give_up(queue, job, numbers, judge):
                left += len(numbers)
        self._note_unread(queue, left)
        if rows:
            queue.remind(now + (UNREADABLE_SECONDS if left == len(rows) else 1.0))
        elif (due := await state.doors.spool.first_due(queue.destination, now)) is not None:
            queue.remind(due)

    def _note_unread(self, queue: DestinationQueue, left: int) -> None:
        """Remember how many could not be read: the next time others are read besides."""
        self._unread.pop(queue.destination, None)
        if left:
            self._unread[queue.destination] = min(left, MOST_UNREAD)
