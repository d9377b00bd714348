"""Writes the reports that are owed: each in one transaction with what it is about."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from twisted_mail.interfaces import ReportAction, SpoolChange, WrittenReports
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob, undeliverable
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.outcomes.durable import apply_in_the_end
from twisted_mail.queue.dispatch.outcomes.note import OwedReport
from twisted_mail.queue.dispatch.schedule import DAY


@dataclass(frozen=True, slots=True)
class _Report:
    """What was written about recipients of one job."""

    told: Sequence[OwedReport]
    written: WrittenReports

    @property
    def job(self) -> QueuedJob:
        return self.told[0].job


class ReportWriting:
    """Has reports written about recipients who are claimed, and removes those with them.

    Of a notice the recipient stays, with its number of notices.
    """

    def __init__(self, state: DispatchState) -> None:
        self._state = state

    async def write(self, owed: Sequence[OwedReport]) -> Sequence[OwedReport]:
        """Write reports, one for each job; return those that cannot be written now. Never raises."""
        reports: list[_Report] = []
        late: list[OwedReport] = []
        for told in by_job(owed):
            try:
                reports.append(_Report(told, await self._compose(told)))
            except Unavailable as error:
                late += told
                why = error.outcome.text
        if late:
            text = f"the reports about {len(late)} recipients cannot be written now: {why}"
            self._state.doors.journal.warned("queue", text)
        return [*late, *await self._commit(reports)]

    async def _compose(self, told: Sequence[OwedReport]) -> WrittenReports:
        """Write one report. A bug there stops nothing: nobody could be told of these then."""
        first = told[0]
        try:
            return await self._state.doors.reports.write(
                first.job, first.lent.message, [one.told for one in told]
            )
        except Unavailable:
            raise
        except Exception:
            self._state.doors.journal.failed("reports")
            return WrittenReports((), frozenset(one.told.recipient.number for one in told))

    # ------------------------------------------------------------ on disk

    async def _commit(self, reports: Sequence[_Report]) -> Sequence[OwedReport]:
        """Make reports durable; return what a bug has kept from that. One costs no other."""
        if not reports:
            return ()
        standing: list[_Report] = []

        def change() -> SpoolChange:
            standing[:] = (one for one in reports if not all(map(self._is_overruled, one.told)))
            return self._change(standing)

        try:
            await apply_in_the_end(self._state, change, f"{len(reports)} reports")
        except Exception:
            self._state.doors.journal.failed("queue")
            if len(reports) == 1:
                return reports[0].told
            return [left for one in reports for left in await self._commit([one])]
        for one in standing:
            self._follow(one)
        return ()

    def _is_overruled(self, one: OwedReport) -> bool:
        """Return whether a word has one of its own, or there is to be none."""
        return self._state.claims.is_overruled(one.key)

    def _change(self, reports: Iterable[_Report]) -> SpoolChange:
        gone: list[tuple[str, int]] = []
        altered: list[tuple[str, OwedRecipient]] = []
        new: list[NewJob] = []
        for report in reports:
            new += report.written.jobs
            for one in report.told:
                left = self._left(one, report.written.lost)
                if left is None:
                    gone.append(one.key)
                elif not self._is_overruled(one):
                    altered.append((one.job.id, left))
        return SpoolChange(gone, altered, new)

    def _left(self, one: OwedReport, lost: Collection[int]) -> OwedRecipient | None:
        """Return what is left of a recipient; of those who failed and are ``lost`` nobody can be told."""
        recipient = one.told.recipient
        if one.is_notice:
            return recipient
        if one.told.action is not ReportAction.FAILED or recipient.number not in lost:
            return None
        until = self._state.time.now() + DAY * self._state.schedule.dead_days
        return undeliverable(recipient, until)

    # ------------------------------------------------------------ afterwards

    def _follow(self, report: _Report) -> None:
        """Log a report that is durable, and have it go: a bug there must not have it written again."""
        self._carefully(lambda: self._log(report))
        for new in report.written.jobs:
            self._carefully(lambda new=new: self._state.note_new(new))  # type: ignore[misc]

    def _log(self, report: _Report) -> None:
        told = [one.told for one in report.told]
        jobs: Sequence[QueuedJob | None] = [new.job for new in report.written.jobs] or [None]
        for job in jobs:
            self._state.doors.events.reported(job, report.job, told)

    def _carefully(self, follow: Callable[[], None]) -> None:
        try:
            follow()
        except Exception:
            self._state.doors.journal.failed("queue")


def by_job(owed: Iterable[OwedReport]) -> list[list[OwedReport]]:
    """Return what is owed, job by job: there is one report for a message and a moment."""
    jobs: dict[str, list[OwedReport]] = {}
    for one in owed:
        jobs.setdefault(one.job.id, []).append(one)
    return list(jobs.values())
