"""A spool of the queue in memory, for tests of what stands on one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from twisted_mail.interfaces import (
    HELD_PAGE,
    DestinationSummary,
    DueRecipient,
    HeldPage,
    HeldPlace,
    HeldRecipient,
    LoadedJob,
    SiteRecord,
    SpoolChange,
    SpoolCounts,
    UnreportedPage,
    UnreportedPlace,
)
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import (
    JobKind,
    NewJob,
    OwedRecipient,
    QueuedJob,
    RecipientState,
    may_follow_unreported,
)
from twisted_mail.mail.queued.suspension import Suspension, SuspensionKind
from twisted_mail.queue.spool.room import ID_TAKEN, TOO_MANY
from twisted_mail.queue.spool.turns import age, due_recipient, without_crowds

Owed = tuple[QueuedJob, OwedRecipient]


def _place(held: HeldRecipient) -> HeldPlace:
    recipient = held.recipient
    return str(recipient.destination), recipient.due, held.job.id, recipient.number


@dataclass(slots=True)
class MemoryJob:
    """A job in memory: its recipients by number, and its message. ``highest`` is the last number used.

    ``row`` is its place among all jobs that ever were.
    """

    job: QueuedJob
    recipients: dict[int, OwedRecipient]
    message: Message
    is_kept: bool
    highest: int
    row: int = 0

    def put(self, recipient: OwedRecipient) -> None:
        """Put a recipient in the place of the one with its number, or let one with a new number join."""
        now = self.recipients.get(recipient.number)
        is_unreported = now is not None and now.state is RecipientState.UNREPORTED
        if is_unreported and not may_follow_unreported(recipient):
            return
        if now is not None or recipient.number > self.highest:
            self.recipients[recipient.number] = recipient
            self.highest = max(self.highest, recipient.number)


class MemoryJobSpool:
    """Fulfils ``interfaces.JobSpool`` without a disk, with at most ``max_jobs`` jobs.

    ``jobs`` has those that are kept and those that are prepared, by id. ``failure``, where a test sets
    one, is raised by the next method that writes. ``answers`` has what words were answered,
    ``suspensions`` what is suspended.
    """

    def __init__(self, max_jobs: int = 1_000_000) -> None:
        self.jobs: dict[str, MemoryJob] = {}
        self.site_records: dict[str, SiteRecord] = {}
        self.answers: dict[int, str] = {}
        self.suspensions: dict[tuple[SuspensionKind, str], Suspension] = {}
        self.failure: Unavailable | None = None
        self._max_jobs = max_jobs
        self._rows = count(1)
        self.generations = 0  # counted by tests

    # ------------------------------------------------------------ writing

    async def accept(self, new: NewJob) -> None:
        """Take responsibility for a job. Raises Unavailable."""
        self._write(lambda: self._take_in(new, is_kept=True))

    async def prepare(self, new: NewJob) -> None:
        """Take a job that is only prepared. Raises as ``accept`` does."""
        self._write(lambda: self._take_in(new, is_kept=False))

    async def keep(
        self, id: str, joined: Sequence[OwedRecipient] = (), new: Sequence[NewJob] = ()
    ) -> None:
        """Make a prepared job ours, with recipients that join it. Without any it is gone."""
        self._write(lambda: self._keep(id, joined, new))

    async def drop(self, id: str) -> None:
        """Remove a prepared job."""
        self._write(lambda: self._drop(id))

    async def apply(self, change: SpoolChange) -> None:
        """Make a change."""
        self._write(lambda: self._apply(change))

    async def save_site(self, site: SiteRecord) -> None:
        """Remember what is known of a site."""
        self._write(lambda: self._save_site(site))

    def _write(self, work: Callable[[], None]) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure
        work()

    def _take_in(self, new: NewJob, is_kept: bool) -> None:
        if len(self.jobs) >= self._max_jobs:
            raise Unavailable(TOO_MANY)
        self._check_free(new)
        self._add(new, is_kept)

    def _check_free(self, *new: NewJob) -> None:
        if any(one.job.id in self.jobs for one in new):
            raise Unavailable(ID_TAKEN)

    def _add(self, new: NewJob, is_kept: bool) -> None:
        message = Message(MemoryBlob(b"".join(new.message.blob.pieces())), new.message.prefix)
        recipients = {one.number: one for one in new.recipients}
        highest = max(recipients, default=0)
        row = next(self._rows)
        self.jobs[new.job.id] = MemoryJob(new.job, recipients, message, is_kept, highest, row)
        self._forget_if_served(new.job.id)

    def _keep(self, id: str, joined: Sequence[OwedRecipient], new: Sequence[NewJob]) -> None:
        self._check_free(*new)
        if (job := self.jobs.get(id)) is None:
            raise Unavailable("The job is gone")
        if not job.is_kept:
            job.is_kept = True
            for recipient in joined:
                job.put(recipient)
            self._forget_if_served(id)
        for one in new:
            self._add(one, is_kept=True)

    def _drop(self, id: str) -> None:
        if id in self.jobs and not self.jobs[id].is_kept:
            del self.jobs[id]

    def _apply(self, change: SpoolChange) -> None:
        self._check_free(*change.new)
        stale = {(id, one.number) for id, one in change.provided if not self._has(id, one)}
        for id, number in change.gone:
            if id in self.jobs and (id, number) not in stale:
                self.jobs[id].recipients.pop(number, None)
        for id, recipient in change.altered:
            if id in self.jobs and (id, recipient.number) not in stale:
                self.jobs[id].put(recipient)
        for id in {id for id, _ in change.gone}:
            self._forget_if_served(id)
        for new in change.new:
            self._add(new, is_kept=True)
        self.answers.update(change.answered)
        self.suspensions.update({(one.kind, one.name): one for one in change.suspended})
        for resumed in change.resumed:
            self.suspensions.pop(resumed, None)

    def _has(self, id: str, recipient: OwedRecipient) -> bool:
        job = self.jobs.get(id)
        return job is not None and job.recipients.get(recipient.number) == recipient

    def _forget_if_served(self, id: str) -> None:
        if id in self.jobs and self.jobs[id].is_kept and not self.jobs[id].recipients:
            del self.jobs[id]

    def _save_site(self, site: SiteRecord) -> None:
        self.site_records[site.name] = site
        if site == SiteRecord(site.name):
            del self.site_records[site.name]

    # ------------------------------------------------------------ reading

    def counts(self) -> SpoolCounts:
        """Return how much is kept now."""
        kept = [job for job in self.jobs.values() if job.is_kept]
        return SpoolCounts(len(kept), sum(len(job.recipients) for job in kept))

    def generation(self) -> int:
        """Return how often it was mended."""
        return self.generations

    async def destinations(self) -> Sequence[DestinationSummary]:
        """Return what waits, by destination."""
        found: dict[Destination, list[float]] = {}
        for _, one in self._owed(RecipientState.WAITING):
            found.setdefault(one.destination, []).append(one.due)
        return [DestinationSummary(each, len(due), min(due)) for each, due in found.items()]

    async def due(
        self, destination: Destination, before: float, limit: int
    ) -> Sequence[DueRecipient]:
        """Return the recipients of a destination who are due before a time, the first ones first."""
        found = [one for one in self._waiting_for(destination) if one.due < before]
        places = {id: place for place, id in enumerate(self.jobs)}
        found.sort(key=lambda one: (one.due, places[one.job], one.number))
        return without_crowds(found, limit)

    async def first_due(self, destination: Destination, after: float) -> float | None:
        """Return the earliest time later than ``after`` at which somebody of a destination is due."""
        found = [one.due for one in self._waiting_for(destination) if one.due > after]
        return min(found, default=None)

    async def older(
        self, kind: JobKind, arrived_before: float, limit: int, after: DueRecipient | None = None
    ) -> Sequence[tuple[Destination, DueRecipient]]:
        """Return recipients that wait, of jobs that arrived before a time, the oldest first."""
        found = [
            (one.destination, due_recipient(job, one))
            for job, one in self._owed(RecipientState.WAITING)
            if job.kind is kind and job.arrived < arrived_before
        ]
        later = [pair for pair in found if after is None or age(pair[1]) > age(after)]
        return sorted(later, key=lambda pair: age(pair[1]))[:limit]

    async def load(
        self,
        job: str,
        numbers: Sequence[int],
        state: RecipientState = RecipientState.WAITING,
    ) -> LoadedJob | None:
        """Return a job with those of these recipients that are still in a state; None if none is."""
        whole = await self.read(job)
        if whole is None:
            return None
        asked = [one for one in whole.recipients if one.number in numbers]
        found = [one for one in asked if one.state is state]
        return LoadedJob(whole.job, found, whole.message) if found else None

    async def read(self, job: str) -> LoadedJob | None:
        """Return a job with all its recipients; None if there is no such job."""
        found = self.jobs.get(job)
        if found is None or not found.is_kept:
            return None
        recipients = sorted(found.recipients.values(), key=lambda one: one.number)
        return LoadedJob(found.job, recipients, found.message)

    async def held(
        self, carrier: str = "", after: HeldPlace | None = None, limit: int = HELD_PAGE
    ) -> HeldPage:
        """Return recipients that are held, of a carrier or of all, behind a place."""
        found = [
            HeldRecipient(job, one)
            for job, one in self._owed(RecipientState.HELD)
            if carrier in ("", one.destination.carrier)
        ]
        page = sorted((one for one in found if _place(one) > (after or ())), key=_place)[:limit]
        return HeldPage(page, _place(page[-1]) if len(page) == limit else None)

    async def count_held(self, destination: Destination, most: int) -> int:
        """Return how many recipients of a destination are held; ``most``, if they are more."""
        held = self._owed(RecipientState.HELD)
        return min(sum(one.destination == destination for _, one in held), most)

    async def unreported_page(self, after: UnreportedPlace, limit: int) -> UnreportedPage:
        """Return recipients whose report is owed, behind a job's row and a number."""
        owed = self._owed(RecipientState.UNREPORTED)
        places = sorted((self.jobs[job.id].row, one.number, job.id) for job, one in owed)
        keys = [one for one in places if one[:2] > after][:limit]
        page: dict[str, list[int]] = {}
        for _, number, id in keys:
            page.setdefault(id, []).append(number)
        return UnreportedPage(page, keys[-1][:2] if len(keys) == limit else None)

    async def sites(self) -> Sequence[SiteRecord]:
        """Return what is remembered of all sites."""
        return list(self.site_records.values())

    def _owed(self, state: RecipientState) -> Iterator[Owed]:
        for job in self.jobs.values():
            if job.is_kept:
                yield from ((job.job, one) for one in job.recipients.values() if one.state is state)

    def _waiting_for(self, destination: Destination) -> list[DueRecipient]:
        waiting = self._owed(RecipientState.WAITING)
        return [due_recipient(job, one) for job, one in waiting if one.destination == destination]
