"""Mail in the queue that turned out to be damaged: the postmaster hears of it, once.

It is held, and never sent; its sender may not be known any more.
"""

from collections.abc import Awaitable, Callable, Sequence

from twisted_mail.interfaces import Clock, DamagedRecipient, JobSpool, Journal, SpoolChange
from twisted_mail.mail.queued.job import NewJob
from twisted_mail.mail.queued.selection import SelectedState, Selection

LOOK_SECONDS = 300.0  # between two looks
MOST = 100  # recipients that a notice names
_DAMAGED = Selection(state=SelectedState.DAMAGED)

Find = Callable[[Selection, float], Awaitable[Sequence[DamagedRecipient]]]
Write = Callable[[str, str], Awaitable[NewJob | None]]  # subject and text


class DamagedMail:
    """Has a notice to the postmaster written about what is found to be damaged since the last one."""

    def __init__(
        self, find: Find, write: Write, spool: JobSpool, clock: Clock, journal: Journal
    ) -> None:
        self._find = find
        self._write = write
        self._spool = spool
        self._clock = clock
        self._journal = journal
        self._look_at = 0.0

    async def work(self) -> None:
        """Look for it now and then. Raises Unavailable."""
        if self._clock.monotonic() < self._look_at:
            return
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        found = await self._find(_DAMAGED, self._clock.now())
        fresh = [one for one in found if not one.is_reported]
        if not fresh:
            return
        notice = await self._write("Damaged mail in the queue", _text(fresh))
        damaged = [(one.id, one.number) for one in fresh]
        new = [] if notice is None else [notice]
        await self._spool.apply(SpoolChange(new=new, damage_reported=damaged))
        self._journal.warned("queue:", f"{len(fresh)} recipients of damaged mail are held")


def _text(found: Sequence[DamagedRecipient]) -> str:
    lines = [f"    {one.id}/{one.number} from <{one.sender}> to <{one.address}>" for one in found]
    more = [f"    and {len(found) - MOST} more"] if len(found) > MOST else []
    return "\n".join(
        [
            "Mail in the queue cannot be read any more, and is not sent:",
            "",
            *lines[:MOST],
            *more,
            "",
            "Look whether the disk fails. These commands list and remove it:",
            "",
            "    twisted-mail queue list --state damaged",
            "    twisted-mail queue remove --state damaged",
            "",
        ]
    )
