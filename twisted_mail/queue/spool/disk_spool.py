"""The queue on disk: the door through which jobs are taken in, read and altered."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from twisted_mail.interfaces import (
    HELD_PAGE,
    Blocking,
    Clock,
    DestinationSummary,
    DueRecipient,
    DurableFiles,
    FaultReport,
    HeldPage,
    HeldPlace,
    LoadedJob,
    SiteRecord,
    SpoolChange,
    SpoolCounts,
    UnreportedPage,
    UnreportedPlace,
    unreported,
)
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, RecipientState
from twisted_mail.queue.spool import reader
from twisted_mail.queue.spool.bodies import StoredBody
from twisted_mail.queue.spool.database import DAMAGED
from twisted_mail.queue.spool.fresh_jobs import FreshJobs, MemoryBudget
from twisted_mail.queue.spool.loading import Damage, ReadJob, opened, read_held, read_whole
from twisted_mail.queue.spool.lock import QueueLock
from twisted_mail.queue.spool.place import SpoolPlace
from twisted_mail.queue.spool.reader import JobBlobs
from twisted_mail.queue.spool.reading_lane import ReadingLane
from twisted_mail.queue.spool.room import FreeSpace
from twisted_mail.queue.spool.schema import ROW_STATES, RowState
from twisted_mail.queue.spool.settings import SpoolSettings
from twisted_mail.queue.spool.upkeep import SpoolUpkeep
from twisted_mail.queue.spool.writing import JobWriter
from twisted_mail.queue.spool.writing_lane import WritingLane

T = TypeVar("T")


def _hold_damaged(damage: Damage, writer: JobWriter, _: object) -> None:
    writer.hold_damaged(damage.id, damage.numbers)


class DiskJobSpool:
    """Fulfils ``interfaces.JobSpool`` in a folder, once it is started.

    ``budget`` is the memory that messages share. ``tend`` is to be called about once a second.
    """

    def __init__(
        self,
        folder: str,
        files: DurableFiles,
        blocking: Blocking,
        clock: Clock,
        budget: MemoryBudget,
        report_fault: FaultReport = unreported,
        settings: SpoolSettings | None = None,
    ) -> None:
        settings = settings or SpoolSettings()
        self._place = SpoolPlace(folder, files, clock, report_fault, settings)
        self._bodies = self._place.bodies
        self._clock = clock
        self._blocking = blocking
        self._fresh = FreshJobs(budget, settings.fresh)
        self._lock = QueueLock(folder)
        space = FreeSpace(folder, files, settings.min_free)
        self._writing = WritingLane(self._place, space, blocking)
        self._reading = ReadingLane(self._place, blocking.lane())
        self._upkeep = SpoolUpkeep(self._place, space, self._writing, blocking)

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Open the queue, without what was only prepared, and mend it if it is damaged.

        Raises SpoolUnusable with one line for the operator, and Unavailable.
        """
        try:
            await self._writing.start(self._take_lock)
        except BaseException:
            self._lock.release()
            raise

    def _take_lock(self) -> None:
        try:
            self._place.files.make_folder(self._place.folder)
            self._lock.require(self._place.settings.lock_seconds)
        except OSError as error:
            self._place.report_fault(self._place.folder, error)
            raise Unavailable("The queue cannot be opened now.") from error

    async def tend(self) -> None:
        """Do what is to be done now and then. Raises Unavailable."""
        self._fresh.forget_old(self._clock.monotonic())
        await self._mended(self._upkeep.tend)

    async def close(self) -> None:
        """End: what was accepted is on disk, and the log is empty."""
        await self._upkeep.close()
        await self._reading.close()
        await self._writing.close()
        self._lock.release()

    async def _mended(self, work: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Do what reads; if the database is damaged, mend it and do it again."""
        generation = self._place.generation
        try:
            return await work(*args)
        except DAMAGED as error:
            await self._writing.mend(generation, error)
            return await work(*args)

    # ------------------------------------------------------------ writing

    async def accept(self, new: NewJob) -> None:
        """Take responsibility for a job. Raises Unavailable."""
        await self._take_in(new, is_kept=True)

    async def prepare(self, new: NewJob) -> None:
        """Write a job that is only prepared. Raises as ``accept`` does."""
        await self._take_in(new, is_kept=False)

    async def _take_in(self, new: NewJob, is_kept: bool) -> None:
        bodies = await self._writing.run(
            lambda writer, bodies: writer.insert(new, bodies[0], is_kept), [new], takes_room=True
        )
        self._remember([new], bodies, is_kept)

    def _remember(
        self, new: Sequence[NewJob], bodies: Sequence[StoredBody], is_kept: bool = True
    ) -> None:
        """Have new jobs in memory for their first attempt."""
        for one, body in zip(new, bodies, strict=True):
            self._fresh.add(one, body.data, self._clock.monotonic(), is_kept)

    async def keep(
        self, id: str, joined: Sequence[OwedRecipient] = (), new: Sequence[NewJob] = ()
    ) -> None:
        """Make a prepared job ours, with recipients that join it, and jobs that come of it."""
        bodies = await self._writing.run(
            lambda writer, bodies: writer.keep(id, joined, new, bodies), new
        )
        self._fresh.keep(id, joined)
        self._remember(new, bodies)

    async def drop(self, id: str) -> None:
        """Remove a prepared job."""
        self._fresh.forget(id)
        await self._writing.run(lambda writer, _: writer.drop(id))

    async def apply(self, change: SpoolChange) -> None:
        """Make a change, in one transaction."""
        self._fresh.note(change)
        now = self._clock.now()
        bodies = await self._writing.run(
            lambda writer, bodies: writer.apply(change, bodies, now), change.new
        )
        self._remember(change.new, bodies)

    async def save_site(self, site: SiteRecord) -> None:
        """Remember what is known of a site."""
        await self._writing.run(lambda writer, _: writer.save_site(site))

    # ------------------------------------------------------------ reading

    def counts(self) -> SpoolCounts:
        """Return how much is kept now. Never waits."""
        return SpoolCounts(self._writing.total.jobs, self._writing.total.recipients)

    def generation(self) -> int:
        """Return how often the database was damaged and mended since the start."""
        return self._place.generation

    async def query(self, query: Callable[..., T], *args: Any) -> T:
        """Return what a function returns for the reading connection and ``args``. Raises Unavailable."""
        return await self._mended(self._reading.run, query, *args)

    async def destinations(self) -> Sequence[DestinationSummary]:
        """Return what waits, by destination."""
        return await self.query(reader.destinations)

    async def due(
        self, destination: Destination, before: float, limit: int
    ) -> Sequence[DueRecipient]:
        """Return the recipients of a destination who are due before a time, the first ones first."""
        return await self.query(reader.due, destination, before, limit)

    async def first_due(self, destination: Destination, after: float) -> float | None:
        """Return the earliest time later than ``after`` at which somebody of a destination is due."""
        return await self.query(reader.first_due, destination, after)

    async def older(
        self, kind: JobKind, arrived_before: float, limit: int, after: DueRecipient | None = None
    ) -> Sequence[tuple[Destination, DueRecipient]]:
        """Return recipients that wait, of jobs that arrived before a time, the oldest first."""
        return await self.query(reader.older, kind, arrived_before, limit, after)

    async def load(
        self,
        job: str,
        numbers: Sequence[int],
        state: RecipientState = RecipientState.WAITING,
    ) -> LoadedJob | None:
        """Return a job with those of these recipients that are still in a state; None if none is."""
        fresh = self._fresh.load(job, numbers) if state is RecipientState.WAITING else None
        return fresh or await self._read(job, numbers, ROW_STATES[state])

    async def read(self, job: str) -> LoadedJob | None:
        """Return a job with all its recipients; None if there is no such job."""
        return await self._read(job, None)

    async def _read(
        self, id: str, numbers: Sequence[int] | None, state: RowState = RowState.WAITING
    ) -> LoadedJob | None:
        found = await self.query(read_whole, self._bodies, id, numbers, state)
        if isinstance(found, JobBlobs):
            found = await self._blocking.run(self._open, found)
        if found is None:
            return None
        await self._hold(found.damage)
        return found.loaded

    def _open(self, blobs: JobBlobs) -> ReadJob:
        try:
            return opened(blobs, self._bodies)
        except OSError as error:
            self._place.report_fault(f"{self._bodies.path}: job {blobs.id}", error)
            raise Unavailable(f"The body of {blobs.id} cannot be read now.") from error

    async def held(
        self, carrier: str = "", after: HeldPlace | None = None, limit: int = HELD_PAGE
    ) -> HeldPage:
        """Return recipients that are held, of a carrier or of all, behind a place."""
        page, damage = await self.query(read_held, carrier, after, limit)
        await self._hold(damage)
        return page

    async def count_held(self, destination: Destination, most: int) -> int:
        """Return how many recipients of a destination are held; ``most``, if they are more."""
        return await self.query(reader.count_held, destination, most)

    async def unreported_page(self, after: UnreportedPlace, limit: int) -> UnreportedPage:
        """Return recipients whose report is owed, behind a place."""
        return await self.query(reader.unreported_page, after, limit)

    async def _hold(self, damage: Sequence[Damage]) -> None:
        """Report what is damaged, and hold it: it is never sent."""
        for one in damage:
            self._place.report_fault(f"{self._place.path}: job {one.id}", one.error)
            await self._writing.run(partial(_hold_damaged, one))

    async def sites(self) -> Sequence[SiteRecord]:
        """Return what is remembered of all sites."""
        found, damaged = await self.query(reader.sites)
        for error in damaged:
            self._place.report_fault(self._place.path, error)
        return found
