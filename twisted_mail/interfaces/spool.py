"""What the queue has on disk: jobs and their recipients, sites, words of the operator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import (
    JobKind,
    NewJob,
    OwedRecipient,
    QueuedJob,
    RecipientState,
)
from twisted_mail.mail.queued.suspension import Suspension, SuspensionKind

HELD_PAGE = 500  # recipients that are read at a time


@dataclass(frozen=True, slots=True)
class SpoolChange:
    """What becomes of jobs, in one transaction.

    ``gone`` are recipients who are served or given up, by job id and number; ``altered`` take the place
    of those with the same number, or join the job with a number above all that it ever had; ``new`` are
    jobs that come of it (reports, notices, copies for members). A job without recipients goes, with its
    body. An *unreported* recipient is altered only into one that is held as undeliverable. What names a
    job or a recipient that is not there any more is passed over. ``answered`` are
    words of the operator, by number, and what has come of them. ``suspended`` take the place of those of
    the same kind and name, and ``resumed`` are kinds and names. The postmaster has heard of the damaged
    recipients in ``damage_reported``, or there is none. What ``gone`` and ``altered`` say of a recipient
    in ``provided`` counts only if that is on disk as it is there: else somebody was quicker.
    """

    gone: Sequence[tuple[str, int]] = ()
    altered: Sequence[tuple[str, OwedRecipient]] = ()
    new: Sequence[NewJob] = ()
    answered: Sequence[tuple[int, str]] = ()
    suspended: Sequence[Suspension] = ()
    resumed: Sequence[tuple[SuspensionKind, str]] = ()
    damage_reported: Sequence[tuple[str, int]] = ()
    provided: Sequence[tuple[str, OwedRecipient]] = ()


@dataclass(frozen=True, slots=True)
class SpoolCounts:
    """How many jobs are ours, and how many recipients they owe, held ones among them."""

    jobs: int = 0
    recipients: int = 0


@dataclass(frozen=True, slots=True)
class DestinationSummary:
    """What waits for a destination: how many recipients, and when the first of them is due."""

    destination: Destination
    waiting: int
    first_due: float


@dataclass(frozen=True, slots=True)
class DueRecipient:
    """A recipient who is due, with what decides about turns: no more of it is in memory.

    ``priority`` is that of RFC 6710; ``submitter`` is the account that sent the message, or the sender's
    domain; ``notices`` is how many the sender got.
    """

    job: str
    number: int
    due: float
    arrived: float
    submitter: str
    priority: int
    notices: int = 0


@dataclass(frozen=True, slots=True)
class SiteRecord:
    """What is remembered of a site over restarts.

    It rests until ``rest_until`` (seconds since 1970), after so many ``failures`` in a row, for the
    reason that ``last`` tells. ``max_messages`` is after how many its hosts close a connection, 0 where
    that is not known; ``avoids`` the IP version that it refuses by policy, or 0.
    """

    name: str
    rest_until: float = 0.0
    failures: int = 0
    last: Attempt | None = None
    max_messages: int = 0
    avoids: int = 0


@dataclass(frozen=True, slots=True)
class LoadedJob:
    """A job as it is read for an attempt. Whoever asked for it closes the message's blob."""

    job: QueuedJob
    recipients: Sequence[OwedRecipient]
    message: Message


@dataclass(frozen=True, slots=True)
class HeldRecipient:
    """A recipient who waits for a word or a time, with the job, whose message is not read."""

    job: QueuedJob
    recipient: OwedRecipient


HeldPlace = tuple[Any, ...]  # where a page ends; it says something to the spool alone
UnreportedPlace = tuple[int, int]  # as well; (0, 0) is before all


@dataclass(frozen=True, slots=True)
class HeldPage:
    """Some of the recipients that are held; further ones are behind ``after``, if that is not None."""

    found: Sequence[HeldRecipient]
    after: HeldPlace | None = None


@dataclass(frozen=True, slots=True)
class UnreportedPage:
    """Recipients whose report is owed, by job; there are more behind the place ``after``, unless None."""

    jobs: Mapping[str, Sequence[int]]
    after: UnreportedPlace | None


class JobSpool(Protocol):
    """The jobs on disk. What an awaited method has written is durable when it returns.

    All raise Unavailable where the disk or the database fails; then nothing of it was written. Methods
    belong to the reactor thread, which never waits.
    """

    async def accept(self, new: NewJob) -> None:
        """Take responsibility for a job: it is *kept*. The message's blob stays the caller's.

        Raises Unavailable (452 4.3.1) while too little room is left, or too many jobs wait; and where
        there is a job with this id.
        """

    async def prepare(self, new: NewJob) -> None:
        """Write a job that is only *prepared*: gone when the process ends. Raises as ``accept`` does.

        It may have no recipients yet, who join when it is kept.
        """

    async def keep(
        self, id: str, joined: Sequence[OwedRecipient] = (), new: Sequence[NewJob] = ()
    ) -> None:
        """Make a prepared job ours, with recipients that join it, and jobs that come of it.

        Without any recipient it is gone. Raises Unavailable, also where it is not there any more.
        """

    async def drop(self, id: str) -> None:
        """Remove a prepared job: the sender keeps the message."""

    async def apply(self, change: SpoolChange) -> None:
        """Make a change, in one transaction."""

    def counts(self) -> SpoolCounts:
        """Return how much is kept now. Never waits."""

    def generation(self) -> int:
        """Return how often what is on disk was damaged and mended since the start. Never waits.

        What was read before may be there no more, and what was gone may be back.
        """

    async def destinations(self) -> Sequence[DestinationSummary]:
        """Return what waits, by destination."""

    async def due(
        self, destination: Destination, before: float, limit: int
    ) -> Sequence[DueRecipient]:
        """Return the recipients of a destination who are due before a time, the first ones first.

        Of one job with one due time there are 100 at most, or half of them, so that it hides no other.
        """

    async def first_due(self, destination: Destination, after: float) -> float | None:
        """Return the earliest time later than ``after`` at which somebody of a destination is due."""

    async def older(
        self, kind: JobKind, arrived_before: float, limit: int, after: DueRecipient | None = None
    ) -> Sequence[tuple[Destination, DueRecipient]]:
        """Return recipients that wait, of jobs that arrived before a time, the oldest first.

        They are in the order of arrival, id and number, and begin behind ``after``. Whenever they are
        due: what expires may wait for a site that rests.
        """

    async def load(
        self,
        job: str,
        numbers: Sequence[int],
        state: RecipientState = RecipientState.WAITING,
    ) -> LoadedJob | None:
        """Return a job with those of these recipients that are still in a state; None if none is.

        What is in memory for its first attempt is returned without waiting. The caller closes the
        message's blob. What is damaged is held, and reported, and not returned.
        """

    async def read(self, job: str) -> LoadedJob | None:
        """Return a job with all its recipients, held ones among them; None if there is no such job.

        Otherwise as ``load``.
        """

    async def held(
        self, carrier: str = "", after: HeldPlace | None = None, limit: int = HELD_PAGE
    ) -> HeldPage:
        """Return recipients that are held, of a carrier or of all, behind a place.

        There may be a million. Who is held or let go meanwhile may be among them or not.
        """

    async def count_held(self, destination: Destination, most: int) -> int:
        """Return how many recipients of a destination are held; ``most``, if they are more."""

    async def unreported_page(self, after: UnreportedPlace, limit: int) -> UnreportedPage:
        """Return so many recipients at most whose report is owed, behind a place (at first (0, 0)).

        If a job has more of them than fit, the others are on the next page.
        """

    async def save_site(self, site: SiteRecord) -> None:
        """Remember what is known of a site; of one with nothing but a name, forget it."""

    async def sites(self) -> Sequence[SiteRecord]:
        """Return what is remembered of all sites."""
