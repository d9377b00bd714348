"""The spool as everybody but the dispatcher uses it: what becomes due through it goes at once."""

from collections.abc import Sequence

from twisted_mail.interfaces import (
    HELD_PAGE,
    DestinationSummary,
    DueRecipient,
    HeldPage,
    HeldPlace,
    JobSpool,
    LoadedJob,
    SiteRecord,
    SpoolChange,
    SpoolCounts,
    UnreportedPage,
    UnreportedPlace,
)
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, RecipientState
from twisted_mail.queue.dispatch.dispatcher import Dispatcher


class DispatchingSpool:
    """Fulfils ``interfaces.JobSpool`` over another spool, and lets the dispatcher know of changes."""

    def __init__(self, spool: JobSpool, dispatcher: Dispatcher) -> None:
        self._spool = spool
        self._dispatcher = dispatcher
        self._prepared: dict[str, NewJob] = {}

    # ------------------------------------------------------------ writing

    async def accept(self, new: NewJob) -> None:
        """Take responsibility for a job. Raises Unavailable."""
        await self._spool.accept(new)
        self._dispatcher.accepted(new.job, new.recipients)

    async def prepare(self, new: NewJob) -> None:
        """Write a job that is only prepared. Raises Unavailable."""
        await self._spool.prepare(new)
        self._prepared[new.job.id] = new

    async def keep(
        self, id: str, joined: Sequence[OwedRecipient] = (), new: Sequence[NewJob] = ()
    ) -> None:
        """Make a prepared job ours, with recipients that join it. Raises Unavailable."""
        await self._spool.keep(id, joined, new)
        prepared = self._prepared.pop(id, None)
        if prepared is not None:
            self._dispatcher.accepted(prepared.job, (*prepared.recipients, *joined))
        for one in new:
            self._dispatcher.accepted(one.job, one.recipients)

    async def drop(self, id: str) -> None:
        """Remove a prepared job. Raises Unavailable."""
        self._prepared.pop(id, None)
        await self._spool.drop(id)

    async def apply(self, change: SpoolChange) -> None:
        """Make a change, which counts for more than attempts under way. Raises Unavailable."""
        self._dispatcher.overrule(change)
        await self._spool.apply(change)
        self._dispatcher.changed(change)

    async def save_site(self, site: SiteRecord) -> None:
        """Remember what is known of a site."""
        await self._spool.save_site(site)

    # ------------------------------------------------------------ reading

    def counts(self) -> SpoolCounts:
        """Return how much is kept now."""
        return self._spool.counts()

    def generation(self) -> int:
        """Return how often what is on disk was mended."""
        return self._spool.generation()

    async def destinations(self) -> Sequence[DestinationSummary]:
        """Return what waits, by destination."""
        return await self._spool.destinations()

    async def due(
        self, destination: Destination, before: float, limit: int
    ) -> Sequence[DueRecipient]:
        """Return the recipients of a destination who are due before a time."""
        return await self._spool.due(destination, before, limit)

    async def first_due(self, destination: Destination, after: float) -> float | None:
        """Return the earliest time later than ``after`` at which somebody of a destination is due."""
        return await self._spool.first_due(destination, after)

    async def older(
        self, kind: JobKind, arrived_before: float, limit: int, after: DueRecipient | None = None
    ) -> Sequence[tuple[Destination, DueRecipient]]:
        """Return recipients that wait, of jobs that arrived before a time, the oldest first."""
        return await self._spool.older(kind, arrived_before, limit, after)

    async def load(
        self,
        job: str,
        numbers: Sequence[int],
        state: RecipientState = RecipientState.WAITING,
    ) -> LoadedJob | None:
        """Return a job with those of these recipients that are still in a state; None if none is."""
        return await self._spool.load(job, numbers, state)

    async def read(self, job: str) -> LoadedJob | None:
        """Return a job with all its recipients; None if there is no such job."""
        return await self._spool.read(job)

    async def held(
        self, carrier: str = "", after: HeldPlace | None = None, limit: int = HELD_PAGE
    ) -> HeldPage:
        """Return recipients that are held, of a carrier or of all, behind a place."""
        return await self._spool.held(carrier, after, limit)

    async def count_held(self, destination: Destination, most: int) -> int:
        """Return how many recipients of a destination are held; ``most``, if they are more."""
        return await self._spool.count_held(destination, most)

    async def unreported_page(self, after: UnreportedPlace, limit: int) -> UnreportedPage:
        """Return recipients whose report is owed, behind a place."""
        return await self._spool.unreported_page(after, limit)

    async def sites(self) -> Sequence[SiteRecord]:
        """Return what is remembered of all sites."""
        return await self._spool.sites()
