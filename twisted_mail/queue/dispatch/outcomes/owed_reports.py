"""Reports that are owed: those of this moment in memory, and all others on disk.

What a report is about is on disk before (an *unreported* recipient), so nothing here has to be kept: what
cannot be written now, or is too much, is read again later, also after a restart. A notice that cannot be
written is not owed any more: who is late is looked at again.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from twisted_mail.interfaces import LoadedJob, ReportAction, ReportedRecipient, UnreportedPlace
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.memory.taken import LentMessage
from twisted_mail.queue.dispatch.outcomes.note import OwedReport
from twisted_mail.queue.dispatch.outcomes.report_writing import ReportWriting
from twisted_mail.queue.reports.rules import success_action

MOST = 1_000  # recipients in memory, with their messages; and those that are read at a time
JOBS = 100  # whose reports are in memory at a time
PAUSES = (10.0, 20.0, 60.0, 120.0, 300.0)  # after reports that cannot be written now


class OwedReports:
    """Has reports written, some at a time; what cannot be written keeps no other waiting."""

    def __init__(self, state: DispatchState) -> None:
        self._state = state
        self._writing = ReportWriting(state)
        self._owed: deque[OwedReport] = deque()
        self._under_way = 0
        self._is_writing = False
        self._is_reading = False
        self._is_on_disk = False  # there may be some that are not in memory

    @property
    def is_empty(self) -> bool:
        """Return whether all are written that are in memory."""
        return not (self._owed or self._under_way)

    # ------------------------------------------------------------ those of this moment

    def add(self, owed: Sequence[OwedReport]) -> None:
        """Have reports written, soon. What they are about is on disk, but for notices.

        The recipients are claimed until then.
        """
        for one in owed:
            self._state.claims.take(one.key)
            if len(self._owed) < MOST:
                self._owed.append(one)
            else:
                self._let_go(one, is_written=False)
        if self._owed and not self._is_writing:
            self._is_writing = True
            self._state.doors.tasks.start("queue", self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._owed:
                await self._write(self._some())
        finally:
            self._is_writing = False

    def _some(self) -> list[OwedReport]:
        """Take what is written together."""
        some: list[OwedReport] = []
        jobs: set[str] = set()
        while self._owed and len(jobs | {self._owed[0].job.id}) <= JOBS:
            some.append(self._owed.popleft())
            jobs.add(some[-1].job.id)
        return some

    async def _write(self, some: Sequence[OwedReport]) -> int:
        """Write reports; return of how many recipients they could not be written now."""
        self._under_way += len(some)
        late = await self._writing.write(some)
        self._under_way -= len(some)
        put_off = {one.key for one in late}
        for one in some:
            self._let_go(one, is_written=one.key not in put_off)
        return len(late)

    def _let_go(self, one: OwedReport, is_written: bool) -> None:
        """Release a recipient, and the message."""
        state, recipient = self._state, one.told.recipient
        is_overruled = state.claims.is_overruled(one.key)
        state.claims.release(one.key)
        one.lent.release()
        if one.is_notice:
            state.queue(recipient.destination).under_way -= 1
            state.remind(recipient.destination, 0.0 if is_overruled else recipient.due)
        elif is_overruled or not is_written:  # a word may have left it as it is
            self.look_at_disk(PAUSES[0])

    # ------------------------------------------------------------ those on disk

    def look_at_disk(self, seconds: float = 0.0) -> None:
        """Have those written that are on disk alone, after a while."""
        self._is_on_disk = True
        if not self._is_reading:
            self._is_reading = True
            self._state.doors.tasks.start("queue", self._read_all(seconds))

    async def _read_all(self, seconds: float) -> None:
        """Go through all on disk, and again as long as some cannot be written."""
        try:
            await self._state.doors.clock.sleep(seconds)
            while self._is_on_disk and not self._state.is_stopping:
                self._is_on_disk = False
                await self._go_through()
        finally:
            self._is_reading = False

    async def _go_through(self) -> None:
        """Go through all on disk once, with a pause after each page of which some is left."""
        place: UnreportedPlace | None = (0, 0)
        fruitless = 0
        while place is not None and not self._state.is_stopping:
            left, written, place = await self._page(place)
            fruitless = 0 if written else fruitless + 1
            if left:
                self._is_on_disk = True
                pause = PAUSES[min(fruitless, len(PAUSES) - 1)]
                await self._state.doors.clock.sleep(pause)

    async def _page(self, place: UnreportedPlace) -> tuple[int, int, UnreportedPlace | None]:
        """Write the reports of one page; return how many are left, how many not, and what is behind."""
        try:
            page = await self._state.doors.spool.unreported_page(place, MOST)
        except Unavailable as error:
            self._state.doors.journal.warned("queue", error.outcome.text)
            return 1, 0, place
        left = 0
        for jobs in _portions(page.jobs):
            left += await self._write_read(jobs)
        return left, sum(map(len, page.jobs.values())) - left, page.after

    async def _write_read(self, jobs: Mapping[str, Sequence[int]]) -> int:
        """Read some jobs, and write their reports; return how many recipients are left."""
        some: list[OwedReport] = []
        left = 0
        for id, numbers in jobs.items():
            mine = [number for number in numbers if self._state.claims.take((id, number))]
            try:
                loaded = await self._load(id, mine)
            except Unavailable as error:  # one that cannot be read keeps no other waiting
                self._state.doors.journal.warned("queue", error.outcome.text)
                left += len(mine)
                loaded = None
            found = [] if loaded is None else _reports(loaded)
            some += found
            for number in set(mine).difference(one.told.recipient.number for one in found):
                self._state.claims.release((id, number))
        return left + await self._write(some)

    async def _load(self, id: str, numbers: Sequence[int]) -> LoadedJob | None:
        if not numbers:
            return None
        return await self._state.doors.spool.load(id, numbers, RecipientState.UNREPORTED)


def _portions(jobs: Mapping[str, Sequence[int]]) -> list[dict[str, Sequence[int]]]:
    """Return jobs, so many together as are written together."""
    items = list(jobs.items())
    return [dict(items[start : start + JOBS]) for start in range(0, len(items), JOBS)]


def _reports(loaded: LoadedJob) -> list[OwedReport]:
    """Return the reports that are owed about recipients of a job."""
    lent = LentMessage(loaded.message)
    found = [
        OwedReport(loaded.job, ReportedRecipient(one, _action(loaded.job, one)), lent.hold())
        for one in loaded.recipients
    ]
    lent.release()
    return found


def _action(job: QueuedJob, recipient: OwedRecipient) -> ReportAction:
    """Return what has become of an unreported recipient: its last attempt says so."""
    last = recipient.last
    if last is None or not last.outcome.is_success:
        return ReportAction.FAILED
    return success_action(job, recipient) or ReportAction.DELIVERED
