"""What the operator's words need of a running queue."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted_mail.interfaces.spool import LoadedJob, SpoolChange
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.suspension import Suspension, SuspensionKind
from twisted_mail.mail.queued.wait_reason import WaitReason
from twisted_mail.mail.queued.word import Word


@dataclass(frozen=True, slots=True)
class SelectedRecipient:
    """A recipient that filters have found, and its job."""

    job: QueuedJob
    recipient: OwedRecipient


@dataclass(frozen=True, slots=True)
class DamagedRecipient:
    """A recipient that is held because it, its job or its message cannot be read; it is never sent.

    All but ``id`` and ``number`` is what the database has beside the damage.
    """

    id: str
    number: int
    arrived: float
    sender: str
    address: str
    destination: str
    is_reported: bool = False  # to the postmaster


@dataclass(frozen=True, slots=True)
class SelectedPage:
    """Some of what filters select, and after which place the next are; None: that was all."""

    found: Sequence[SelectedRecipient]
    after: int | None


class WordStore(Protocol):
    """The words in the queue's database, and what they select there. All raise Unavailable.

    A word is answered, and suspended and resumed is, by a ``SpoolChange``: with what it does.
    """

    async def words(self) -> Sequence[tuple[int, Word | None]]:
        """Return the words that are not answered yet, with their numbers, the oldest first.

        Cheap where there is nothing new: it is asked every second. None stands for what is no word.
        """

    async def last_place(self) -> int:
        """Return the place of the recipient that came last: what comes later is not meant."""

    async def select(self, selection: Selection, now: float, after: int, last: int) -> SelectedPage:
        """Return the next recipients that filters select, about in the order in which they came.

        They are those behind the place ``after``, up to the place ``last``.
        A page may be empty, and is not the last for that. ``site`` of the selection is not looked at.
        What is damaged is not returned.
        """

    async def damaged(self, selection: Selection, now: float) -> Sequence[DamagedRecipient]:
        """Return recipients that are damaged, and that filters mean, the first of very many."""

    async def suspensions(self) -> Sequence[Suspension]:
        """Return what is suspended, and what was so until a time that has passed."""


class Dispatching(Protocol):
    """What gives carriers their work, as the operator acts on it. Reactor thread only."""

    def suspend(self, suspension: Suspension) -> None:
        """Begin nothing more that it stops; what is under way ends as it ends."""

    def resume(self, kind: SuspensionKind, name: str) -> None:
        """Go on with what was stopped."""

    def look_again(self, destinations: Collection[Destination], is_at_once: bool) -> None:
        """Read anew what is due for destinations: their recipients were altered in the spool.

        With ``is_at_once`` their sites rest no longer either.
        """

    def destinations_of(self, site: str) -> Collection[Destination]:
        """Return the destinations that are known to lie behind a site."""

    def site_states(self, site: str) -> Sequence[Mapping[str, Any]]:
        """Return how the sites of a name are used now, as data for the operator: mostly one, or none."""

    def waits_for(self, destination: Destination) -> WaitReason:
        """Return what mail for a destination that is due waits for."""


class AlteredSpool(Protocol):
    """The part of ``JobSpool`` that words need."""

    async def apply(self, change: SpoolChange) -> None:
        """Make a change, in one transaction. Raises Unavailable."""

    async def read(self, job: str) -> LoadedJob | None:
        """Return a job with all its recipients; None if there is none, or it is damaged."""
