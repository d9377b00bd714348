"""Notes on disk how attempts ended, with the reports that follow, all of one moment in one transaction.

A recipient stays claimed until that is durable: what cannot be noted is kept in memory, and not sent
again.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import chain, repeat
from typing import ParamSpec

from twisted_mail.interfaces import SpoolChange, WrittenReports
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob, undeliverable
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.outcomes.note import ResultNote
from twisted_mail.queue.dispatch.outcomes.results import Fate
from twisted_mail.queue.dispatch.schedule import DAY

P = ParamSpec("P")

MOST = 1_000  # notes in one transaction
FULL = 10_000  # notes that wait for the disk; with more, nothing is sent
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)  # after a note that failed
REPORT_SECONDS = 10.0  # after a report that could not be written

Report = tuple[
    list[ResultNote], WrittenReports
]  # the notes of one job, and what was written about them


class Ledger:
    """Writes notes: those that come while the disk is busy go together."""

    def __init__(self, state: DispatchState) -> None:
        self._state = state
        self._notes: list[ResultNote] = []
        self._under_way = 0
        self._postponed = 0  # whose reports could not be written
        self._is_writing = False

    @property
    def is_full(self) -> bool:
        """Return whether so much waits to be noted that nothing more is to be sent."""
        return len(self._notes) + self._under_way + self._postponed >= FULL

    @property
    def is_empty(self) -> bool:
        """Return whether all is noted."""
        return not (self._notes or self._under_way or self._postponed)

    def add(self, *notes: ResultNote) -> None:
        """Note what has become of recipients, soon. Their claims are released then."""
        self._notes += notes
        if not self._is_writing:
            self._state.doors.tasks.start("queue", self._write_all())

    async def _write_all(self) -> None:
        self._is_writing = True
        try:
            while self._notes:
                notes, self._notes = self._notes[:MOST], self._notes[MOST:]
                self._under_way = len(notes)
                await self._write(notes)
        finally:
            self._is_writing = False
            self._under_way = 0

    async def _write(self, notes: Sequence[ResultNote]) -> None:
        """Write notes. A bug in one costs no other: it is neither noted nor sent again."""
        try:
            await self._commit(notes)
        except Exception:
            self._state.doors.journal.failed("queue")
            if len(notes) > 1:
                for note in notes:
                    await self._write([note])

    async def _commit(self, notes: Sequence[ResultNote]) -> None:
        """Write reports and notes in one transaction; put off those whose reports cannot be written."""
        reports, unwritten = await self._reports(notes)
        done = [note for note in notes if note.action is None or note.job.id not in unwritten]
        written = await self._apply(done, reports)
        for note in done:
            self._conclude(self._noted, note)
        for told, each in written:
            self._conclude(self._reported, told, each)
        late = [note for note in notes if note.action is not None and note.job.id in unwritten]
        if late:
            self._postponed += len(late)
            self._state.doors.tasks.start("queue", self._add_again(late))

    async def _add_again(self, notes: Sequence[ResultNote]) -> None:
        await self._state.doors.clock.sleep(REPORT_SECONDS)
        self._postponed -= len(notes)
        self.add(*notes)

    async def _apply(
        self, notes: Sequence[ResultNote], reports: Sequence[Report]
    ) -> Sequence[Report]:
        """Make a change durable, and try until that succeeds; return the reports that are in it.

        A report of which a word has overruled all is not: it has one of its own, or there is to be none.
        """
        standing = reports
        for seconds in chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1])):
            standing = [one for one in reports if not all(map(self._is_overruled, one[0]))]
            lost = {(told[0].job.id, number) for told, each in standing for number in each.lost}
            new = [job for _, each in standing for job in each.jobs]
            try:
                await self._state.doors.spool.apply(self._change(notes, lost, new))
            except Unavailable as error:
                text = f"{len(notes)} results cannot be noted now: {error.outcome.text}"
                self._state.doors.journal.warned("queue", text)
                await self._state.doors.clock.sleep(seconds)
            else:
                break
        return standing

    def _conclude(self, follow: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Do what follows from what is durable: a bug there must not have that written again."""
        try:
            follow(*args, **kwargs)
        except Exception:
            self._state.doors.journal.failed("queue")

    def _change(
        self, notes: Sequence[ResultNote], lost: Collection[tuple[str, int]], new: Sequence[NewJob]
    ) -> SpoolChange:
        """Return what is to be written; of ``lost`` recipients nobody can be told.

        What a word did meanwhile stands, unless the recipient is served.
        """
        gone: list[tuple[str, int]] = []
        altered: list[tuple[str, OwedRecipient]] = []
        for note in notes:
            if note.fate is Fate.DELIVERED:
                gone.append(note.key)
            elif self._is_overruled(note):
                continue
            elif note.stays:
                altered.append((note.job.id, note.recipient))
            elif note.key in lost:
                altered.append((note.job.id, self._undeliverable(note.recipient)))
            else:
                gone.append(note.key)
        return SpoolChange(gone, altered, new)

    def _undeliverable(self, recipient: OwedRecipient) -> OwedRecipient:
        until = self._state.time.now() + DAY * self._state.schedule.dead_days
        return undeliverable(recipient, until)

    def _is_overruled(self, note: ResultNote) -> bool:
        is_served = note.fate is Fate.DELIVERED
        return not is_served and self._state.claims.is_overruled(note.key)

    # ------------------------------------------------------------ reports

    async def _reports(self, notes: Sequence[ResultNote]) -> tuple[list[Report], set[str]]:
        """Write one report for each job; return them, and the jobs for which that failed for now."""
        by_job: dict[str, list[ResultNote]] = {}
        for note in notes:
            if note.action is not None and not self._is_overruled(note):
                by_job.setdefault(note.job.id, []).append(note)
        reports: list[Report] = []
        failed: set[str] = set()
        for id, told in by_job.items():
            try:
                reports.append((told, await self._report(told)))
            except Unavailable as error:
                self._state.doors.journal.warned("queue", f"no report: {error.outcome.text}")
                failed.add(id)
        return reports, failed

    async def _report(self, notes: Sequence[ResultNote]) -> WrittenReports:
        """Write one report. A bug there stops nothing: nobody could be told of these then."""
        lent = notes[0].lent
        assert lent is not None
        told = [note.told for note in notes]
        try:
            return await self._state.doors.reports.write(notes[0].job, lent.message, told)
        except Unavailable:
            raise
        except Exception:
            self._state.doors.journal.failed("reports")
            return WrittenReports((), frozenset(note.recipient.number for note in notes))

    def _reported(self, notes: Sequence[ResultNote], written: WrittenReports) -> None:
        told = [note.told for note in notes]
        reports: Sequence[QueuedJob | None] = [new.job for new in written.jobs] or [None]
        for report in reports:
            self._state.doors.events.reported(report, notes[0].job, told)
        for new in written.jobs:
            self._state.note_new(new)

    # ------------------------------------------------------------ afterwards

    def _noted(self, note: ResultNote) -> None:
        """Release what a note held, and log it, now that it is durable."""
        state, queue = self._state, note.queue
        is_overruled = self._is_overruled(note)
        state.claims.release(note.key)
        queue.under_way -= 1
        if note.lent is not None:
            note.lent.release()
        if not is_overruled:
            note.log(state.doors.events)
        if is_overruled:
            state.remind(queue.destination, 0.0)  # whatever the word made of it is on disk
        elif note.stays:
            state.remind(queue.destination, note.recipient.due)
        else:
            state.forget_if_empty(queue)
