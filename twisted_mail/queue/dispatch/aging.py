"""What becomes of mail with time alone: notices that it is late, and in the end its expiry.

All that waits is looked at, wherever it is: also what waits for a site that rests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from twisted_mail.interfaces import DueRecipient
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import JobKind, OwedRecipient, QueuedJob
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.outcomes.conclusions import Conclusions, Judge
from twisted_mail.queue.dispatch.outcomes.results import Fate, Result, expired
from twisted_mail.queue.dispatch.schedule import expires_at, lifetime
from twisted_mail.queue.reports.rules import may_be_delayed

SWEEP_SECONDS = 60.0
PAGE = 1_000  # recipients that are read at a time
A_SECOND = 100  # jobs about which reports are written in a second

Rows = Sequence[tuple[Destination, DueRecipient]]


class Aging:
    """Walks through the mail that is old enough, the oldest first."""

    def __init__(self, state: DispatchState, conclusions: Conclusions) -> None:
        self._state = state
        self._conclusions = conclusions
        self._noticed: dict[int, DueRecipient] = {}  # how far each notice has come
        self._written = 0

    async def run(self) -> None:
        """Look every minute, until the dispatcher stops.

        Not at once: what was due while there was no process has a try before.
        """
        while not self._state.is_stopping:
            await self._state.doors.clock.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Unavailable as error:
                self._state.doors.journal.warned("queue", error.outcome.text)
            except Exception:
                self._state.doors.journal.failed("queue")

    async def sweep(self) -> None:
        """Give up what has expired, then send the notices that are due. Raises Unavailable."""
        now, settings = self._state.time.now(), self._state.schedule
        for kind in JobKind:
            await self._walk(kind, now - lifetime(kind, settings), None, self._judge_expiry)
        for number, age in enumerate(settings.notices):
            await self._notify(number, now - age)

    async def _notify(self, number: int, before: float) -> None:
        """Send the notices of one age, from where the walk before this ended."""

        def judge(job: QueuedJob, recipient: OwedRecipient) -> Result | None:
            if recipient.notices > number or not may_be_delayed(job, recipient):
                return None
            last = self._last_of(recipient)
            late = replace(recipient, notices=number + 1, last=last)
            return Result(Fate.DELAYED, late, until=expires_at(job, self._state.schedule))

        after = await self._walk(JobKind.MAIL, before, self._noticed.get(number), judge, number)
        if after is not None:
            self._noticed[number] = after

    def _judge_expiry(self, job: QueuedJob, recipient: OwedRecipient) -> Result | None:
        if self._state.time.now() < expires_at(job, self._state.schedule):
            return None
        return Result(Fate.EXPIRED, expired(recipient, self._last_of(recipient)))

    def _last_of(self, recipient: OwedRecipient) -> Attempt | None:
        """Return the newer of a recipient's last attempt and that of its site or destination."""
        queue = self._state.destinations.get(recipient.destination)
        if queue is None:
            return recipient.last
        found = [queue.last, recipient.last, queue.site.last if queue.site is not None else None]
        return max((one for one in found if one is not None), key=lambda one: one.at, default=None)

    async def _walk(
        self,
        kind: JobKind,
        before: float,
        after: DueRecipient | None,
        judge: Judge,
        notices: int | None = None,
    ) -> DueRecipient | None:
        """Judge all that arrived before a time; return the last of them that need not be seen again."""
        spool, clock = self._state.doors.spool, self._state.doors.clock
        seen, is_whole = after, True
        while not self._state.is_stopping:
            rows = await spool.older(kind, before, PAGE, after)
            for part in _jobs(rows):
                is_whole = await self._judge(part, judge, notices) and is_whole
                seen = part[-1] if is_whole else seen
            if len(rows) < PAGE:
                break
            after = rows[-1][1]
            await clock.sleep(0)  # others go first
        return seen

    async def _judge(self, rows: Sequence[DueRecipient], judge: Judge, notices: int | None) -> bool:
        """Judge recipients of one job; return whether nothing of them is to be looked at again.

        What is noted is: a notice may turn out to be one that cannot be written now.
        """
        wanted = [row for row in rows if notices is None or row.notices <= notices]
        free = [row.number for row in wanted if (row.job, row.number) not in self._state.claims]
        try:
            noted = free and await self._conclusions.give_up(rows[0].job, free, judge)
        except Unavailable as error:  # one that cannot be read keeps no other from its end
            self._state.doors.journal.warned("queue", error.outcome.text)
            return False
        if noted:
            self._written += 1
            if self._written % A_SECOND == 0:
                await self._state.doors.clock.sleep(1.0)
        return len(free) == len(wanted) and not noted


def _jobs(rows: Rows) -> Iterator[Sequence[DueRecipient]]:
    """Yield the rows of each job."""
    for _, part in groupby((row for _, row in rows), key=lambda row: row.job):
        yield tuple(part)
