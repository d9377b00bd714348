"""Transactions for the connections of a site: read when their turn is near, and not much earlier."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import takewhile

from twisted_mail.interfaces import DueRecipient, LoadedJob
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue, SiteQueue
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.memory.suspensions import ends_at
from twisted_mail.queue.dispatch.memory.taken import LentMessage, TakenTransaction
from twisted_mail.queue.dispatch.outcomes.ledger import Ledger
from twisted_mail.queue.dispatch.outcomes.note import ResultNote
from twisted_mail.queue.dispatch.outcomes.results import Fate
from twisted_mail.queue.spool.turns import crowd, due_recipient

RETRY_SECONDS = 10.0  # after a read that failed
UNREADABLE_SECONDS = 60.0  # for which a job that cannot be read lets the others go first
MOST_UNREADABLE = 1_000  # recipients of such jobs; with more the disk is taken to fail
NONE_FREE_SECONDS = 0.2  # after a read that found only those who are under way
MOST_UNDER_WAY = 2_000  # of a destination, that are read again only to be passed over


class Supply:
    """Fills the line of transactions that are in memory, destination by destination."""

    def __init__(self, state: DispatchState, ledger: Ledger) -> None:
        self._state = state
        self._ledger = ledger
        self._unreadable = 0

    def fill(self, site: SiteQueue) -> None:
        """Read what is next for a site, up to its depth; done on return unless it is only on disk."""
        if not site.is_filling and site.in_turn and len(site.loaded) < site.depth:
            site.is_filling = True
            self._state.doors.tasks.start("queue", self._fill(site))

    async def _fill(self, site: SiteQueue) -> None:
        try:
            while site.connections and len(site.loaded) < site.depth:
                if self._state.is_stopping or (queue := site.next_turn()) is None:
                    break
                await self._turn(site, queue)
        finally:
            site.is_filling = False
            if not site.connections:
                self.unload(site)
                if site.in_turn:
                    self._state.look_at(site, 0.0)

    async def _turn(self, site: SiteQueue, queue: DestinationQueue) -> None:
        """Give a destination its turn: one transaction; then put it at the end of the line, or away."""
        queue.is_busy = True
        try:
            if queue.rests(self._state.time.now()) or self._is_stopped(queue):
                return
            if queue.ready is None and queue.has_due(self._state.time.now()):
                await self._read(queue)
            if queue.ready is not None:
                await self._load(site, queue)
        except Unavailable as error:
            self._state.doors.journal.warned(f"queue {queue.destination}", error.outcome.text)
            self._state.drop_ready(queue)
            queue.next_due = self._state.time.now() + RETRY_SECONDS
        finally:
            queue.is_busy = False
            self.go_on(site, queue)

    def _is_stopped(self, queue: DestinationQueue) -> bool:
        """Return whether the operator has stopped a destination; then it waits for that to end."""
        now = self._state.time.now()
        stop = self._state.suspensions.of_destination(queue.destination, now)
        if stop is None:
            return False
        self._state.drop_ready(queue)
        queue.next_due = ends_at(stop, now)
        return True

    def go_on(self, site: SiteQueue, queue: DestinationQueue) -> None:
        """Let a destination stand in line if it has more that is due, or else wait for its time."""
        state, now = self._state, self._state.time.now()
        if state.is_crowded or site.rest_until > now or queue.rests(now):
            state.drop_ready(queue)
        if queue.in_turn or queue.is_busy:
            return
        if queue.rests(now) and queue.is_on_disk:
            state.look_at(queue, max(queue.rest_until, queue.next_due))
        elif queue.has_due(now):
            site.append(queue)
        elif queue.is_on_disk:
            state.look_at(queue, queue.next_due)
        else:
            state.forget_if_empty(queue)

    # ------------------------------------------------------------ reading

    async def _read(self, queue: DestinationQueue) -> None:
        """Read who is due for a destination, or when the next one is."""
        state, spool = self._state, self._state.doors.spool
        now = state.time.now()
        limit = max(state.allowance(queue), 1) + min(queue.under_way, MOST_UNDER_WAY)
        queue.is_on_disk = False  # what joins while this reads sets it again
        try:
            rows = await spool.due(queue.destination, math.nextafter(now, math.inf), limit)
            for row in rows:
                if (row.job, row.number) not in state.claims:
                    state.make_ready(queue, row)
            if len(rows) >= limit or _has_crowd(rows, limit):
                queue.remind(0.0 if queue.ready is not None else now + NONE_FREE_SECONDS)
            elif (due := await spool.first_due(queue.destination, now)) is not None:
                queue.remind(due)
        except Unavailable:
            queue.remind(0.0)
            raise

    # ------------------------------------------------------------ loading

    async def _load(self, site: SiteQueue, queue: DestinationQueue) -> None:
        """Read the job whose turn it is, and put one transaction in the line."""
        state, claims = self._state, self._state.claims
        job, numbers = state.take_ready(queue)
        mine = {number for number in numbers if claims.take((job, number))}
        queue.under_way += len(mine)
        try:
            loaded = await state.doors.spool.load(job, sorted(mine)) if mine else None
            if loaded is not None:
                mine.difference_update(self._enqueue(site, queue, loaded))
        except Unavailable as error:
            if self._unreadable + len(mine) > MOST_UNREADABLE:
                queue.remind(0.0)
                raise
            state.doors.journal.warned(f"queue {queue.destination}", error.outcome.text)
            self._unreadable += len(mine)
            state.doors.tasks.start("queue", self._let_wait(queue, job, frozenset(mine)))
            mine.clear()
        finally:
            self._release(queue, job, mine)

    async def _let_wait(self, queue: DestinationQueue, job: str, numbers: frozenset[int]) -> None:
        """Keep a job that cannot be read claimed for a while: what comes after it goes."""
        await self._state.doors.clock.sleep(UNREADABLE_SECONDS)
        self._unreadable -= len(numbers)
        self._release(queue, job, numbers)
        self._state.remind(queue.destination, 0.0)

    def _release(self, queue: DestinationQueue, job: str, numbers: Collection[int]) -> None:
        for number in numbers:
            self._state.claims.release((job, number))
        queue.under_way -= len(numbers)

    def _enqueue(
        self, site: SiteQueue, queue: DestinationQueue, loaded: LoadedJob
    ) -> Sequence[int]:
        """Put a transaction in the line; return the numbers of those who stay claimed.

        The others are ready again: with another sender or other fields they have one of their own.
        """
        due = self._due(queue, loaded)
        if not due:
            loaded.message.blob.close()
            return ()
        lent = LentMessage(loaded.message)
        if self._suspend(queue, loaded.job, due):
            lent.release()
            return [one.number for one in due]
        first = transaction(loaded, due)
        if len(first.recipients) < len(due):
            for one in due[len(first.recipients) :]:
                self._state.make_ready(queue, due_recipient(loaded.job, one))
            self._state.limit_ready(queue, loaded.job, len(first.recipients))
        site.loaded.append(TakenTransaction(first, lent))
        lent.release()
        if site.idle:
            site.idle.popleft().wake()
        return [one.number for one in first.recipients]

    def _due(self, queue: DestinationQueue, loaded: LoadedJob) -> Sequence[OwedRecipient]:
        """Return those who are due, and really of this destination: it may have been altered since."""
        now = self._state.time.now()
        mine = [one for one in loaded.recipients if one.destination == queue.destination]
        for one in mine:
            if one.due > now:
                queue.remind(one.due)
        return [one for one in mine if one.due <= now]

    def _suspend(
        self, queue: DestinationQueue, job: QueuedJob, due: Sequence[OwedRecipient]
    ) -> bool:
        """Put recipients off until the operator lets the mail of their sender go on."""
        now = self._state.time.now()
        stop = self._state.suspensions.of_mail(job.sender, job.submitter, now)
        if stop is None:
            return False
        for one in due:
            later = replace(one, due=ends_at(stop, now))
            self._ledger.add(ResultNote(queue, job, later, Fate.SUSPENDED))
        return True

    # ------------------------------------------------------------ giving back

    def unload(self, site: SiteQueue) -> None:
        """Give back what is in the line, for which there is no connection any more."""
        while site.loaded:
            self.put_back(site, site.loaded.popleft())
        site.release()

    def put_back(self, site: SiteQueue, taken: TakenTransaction) -> None:
        """Let a transaction that was not tried to its end be as it was before."""
        state, job = self._state, taken.transaction.job
        queue = state.queue(taken.destination)
        for number, recipient in taken.open.items():
            key = (job.id, number)
            if state.claims.is_overruled(key) or not state.allowance(queue):
                queue.remind(0.0)
            else:
                state.make_ready(queue, due_recipient(job, recipient))
            state.claims.release(key)
            queue.under_way -= 1
        if taken.open:
            taken.open.clear()
            taken.lent.release()
        self.go_on(site, queue)


def transaction(loaded: LoadedJob, due: Sequence[OwedRecipient]) -> Transaction:
    """Return a transaction for the first of the recipients, and those after it who may go with it.

    All have the same sender and fields.
    """
    first = due[0]
    if first.sender is None and not first.fields and len(due) == 1:
        return Transaction(loaded.job, (first,), loaded.message)
    same = takewhile(lambda one: (one.sender, one.fields) == (first.sender, first.fields), due)
    return Transaction(loaded.job, tuple(same), loaded.message)


def _has_crowd(rows: Sequence[DueRecipient], limit: int) -> bool:
    """Return whether a job may have more who are due than the spool returns of one job."""
    most = crowd(limit)
    jobs = Counter((row.job, row.due) for row in rows) if len(rows) >= most else {}
    return max(jobs.values(), default=0) >= most
