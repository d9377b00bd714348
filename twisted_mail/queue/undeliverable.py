"""Mail that has failed, and that nobody can be told of: it is held for the operator, for a while.

Its sender is empty, or cannot be reached, and there is no postmaster. ``queue list`` shows it with the
reason (``mail.queued.job.NOBODY_TOLD``).
"""

from collections.abc import Sequence

from twisted_mail.interfaces import Clock, HeldRecipient, JobSpool, Journal, SpoolChange

MAX_UNDELIVERABLE = (
    1000  # recipients; beyond these the oldest are removed, first those without a sender
)
LOOK_SECONDS = 3600.0  # between two looks at their number and age


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
        held = [one for one in await self._spool.held() if one.recipient.is_undeliverable]
        surplus = _surplus(held, self._clock.now())
        if not surplus:
            return
        gone = [(one.job.id, one.recipient.number) for one in surplus]
        await self._spool.apply(SpoolChange(gone=gone))
        for one in surplus:
            text = f"{one.job.id} to {one.recipient.address} was undeliverable for long: removed"
            self._journal.warned("queue:", text)


def _surplus(held: Sequence[HeldRecipient], now: float) -> list[HeldRecipient]:
    old = [one for one in held if one.recipient.due <= now]
    others = [one for one in held if one.recipient.due > now]
    others.sort(key=lambda one: (not one.job.sender.is_null, one.recipient.due))
    return old + others[: max(0, len(others) - MAX_UNDELIVERABLE)]
