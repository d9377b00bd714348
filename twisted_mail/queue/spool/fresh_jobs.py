"""New jobs in memory, for their first attempt: most are delivered before anything need be read."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted_mail.interfaces import LoadedJob, SpoolChange
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob, RecipientState

MOST = 8 * 1024 * 1024  # octets of all that are in memory
OVERHEAD = 2048  # octets that a job takes besides its message, and each recipient
FRESH_SECONDS = 60.0  # after which the first attempt is not expected any more


class MemoryBudget(Protocol):
    """What messages may have in memory together."""

    def take(self, octets: int) -> bool:
        """Take octets, if that many are left; return whether they were."""

    def give_back(self, octets: int) -> None:
        """Give octets back."""


@dataclass(slots=True, eq=False)
class FreshJob:
    """A job with those of its recipients that were not tried yet."""

    job: QueuedJob
    recipients: dict[int, OwedRecipient]
    message: Message
    octets: int
    since: float
    is_kept: bool


class FreshJobs:
    """The newest jobs, as many as fit. Belongs to the reactor thread.

    What of a recipient is here is what is on disk: an altered one is forgotten.
    """

    def __init__(self, budget: MemoryBudget, most: int = MOST) -> None:
        self._budget = budget
        self._most = self._left = most
        self._jobs: OrderedDict[str, FreshJob] = OrderedDict()

    def add(self, new: NewJob, data: bytes | None, now: float, is_kept: bool) -> None:
        """Keep a job that was written, if there is room; ``data`` is its blob's, None if in a file."""
        self.forget_old(now)
        if data is None:
            return
        prefix = new.message.prefix
        octets = len(data) + len(prefix) + OVERHEAD * (1 + len(new.recipients))
        if self._make_room(octets):
            recipients = {one.number: one for one in new.recipients}
            message = Message(MemoryBlob(data), prefix)
            self._jobs[new.job.id] = FreshJob(new.job, recipients, message, octets, now, is_kept)

    def _make_room(self, octets: int) -> bool:
        if octets > self._most:  # the others would make room for nothing
            return False
        while self._left < octets and self._jobs:
            self.forget(next(iter(self._jobs)))
        if self._left < octets or not self._budget.take(octets):
            return False
        self._left -= octets
        return True

    def forget_old(self, now: float) -> None:
        """Forget jobs whose first attempt has not come for long."""
        while self._jobs and next(iter(self._jobs.values())).since < now - FRESH_SECONDS:
            self.forget(next(iter(self._jobs)))

    def keep(self, id: str, joined: Sequence[OwedRecipient]) -> None:
        """Let a prepared job be handed out from now on."""
        fresh = self._jobs.get(id)
        if fresh is not None and not fresh.is_kept:
            fresh.is_kept = True
            fresh.recipients.update({one.number: one for one in joined})

    def forget(self, id: str) -> None:
        """Forget a job."""
        if (fresh := self._jobs.pop(id, None)) is not None:
            self._left += fresh.octets
            self._budget.give_back(fresh.octets)

    def note(self, change: SpoolChange) -> None:
        """Forget the recipients that a change names."""
        for id, number in change.gone:
            self._forget_recipient(id, number)
        for id, recipient in change.altered:
            self._forget_recipient(id, recipient.number)

    def _forget_recipient(self, id: str, number: int) -> None:
        if (fresh := self._jobs.get(id)) is not None:
            fresh.recipients.pop(number, None)
            if not fresh.recipients:
                self.forget(id)

    def load(self, id: str, numbers: Sequence[int]) -> LoadedJob | None:
        """Return a job with these recipients, if all of them are here and wait; else None."""
        fresh = self._jobs.get(id)
        if fresh is None or not fresh.is_kept:
            return None
        found = [fresh.recipients.get(number) for number in numbers]
        waiting = [one for one in found if one and one.state is RecipientState.WAITING]
        if not waiting or len(waiting) < len(found):
            return None
        return LoadedJob(fresh.job, waiting, fresh.message)
