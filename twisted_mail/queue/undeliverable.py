"""Mail that has failed, and that nobody can be told of: it is held for the operator, for a while.

Its sender is empty, or cannot be reached, and there is no postmaster. ``queue list`` shows it with the
reason (``mail.queued.job.NOBODY_TOLD``).
"""

from collections.abc import Sequence
from heapq import heappush, heappushpop

from twisted_mail.interfaces import Clock, HeldRecipient, JobSpool, Journal, SpoolChange

MAX_UNDELIVERABLE = (
    1000  # recipients; beyond these the oldest are removed, first those without a sender
)
LOOK_SECONDS = 3600.0  # between two looks at their number and age

# What stays, the next to go first: those without a sender, then those whose time is over soonest.
Kept = list[tuple[bool, float, str, int, HeldRecipient]]


class UndeliverableMail:
    """Removes what was held long enough, and the oldest of too many; logs each."""

    def __init__(self, spool: JobSpool, clock: Clock, journal: Journal) -> None:
        self._spool = spool
        self._clock = clock
        self._journal = journal
        self._look_at = 0.0

    async def work(self) -> None:
        """Look at it now and then. Raises Unavailable."""
        if self._clock.monotonic() < self._look_at:
            return
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        kept: Kept = []
        page = await self._spool.held()
        await self._remove(_surplus(page.found, kept, self._clock.now()))
        while page.after is not None:
            page = await self._spool.held(after=page.after)
            await self._remove(_surplus(page.found, kept, self._clock.now()))

    async def _remove(self, surplus: Sequence[HeldRecipient]) -> None:
        """Remove recipients, but for those that somebody has released or altered since."""
        if not surplus:
            return
        gone = [(one.job.id, one.recipient.number) for one in surplus]
        provided = [(one.job.id, one.recipient) for one in surplus]
        await self._spool.apply(SpoolChange(gone=gone, provided=provided))
        for one in surplus:
            text = f"{one.job.id} to {one.recipient.address} was undeliverable for long: removed"
            self._journal.warned("queue:", text)


def _surplus(found: Sequence[HeldRecipient], kept: Kept, now: float) -> list[HeldRecipient]:
    """Return who is to go, now that these were found, too; ``kept`` has those who stay."""
    gone = []
    for one in found:
        if not one.recipient.is_undeliverable:
            continue
        if one.recipient.due <= now:
            gone.append(one)
            continue
        has_sender, due = not one.job.sender.is_null, one.recipient.due
        ranked = (has_sender, due, one.job.id, one.recipient.number, one)
        if len(kept) < MAX_UNDELIVERABLE:
            heappush(kept, ranked)
        else:
            gone.append(heappushpop(kept, ranked)[-1])
    return gone
