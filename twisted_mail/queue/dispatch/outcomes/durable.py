"""Changes that are made in the end, however long the disk fails."""

from collections.abc import Callable
from itertools import chain, repeat

from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.dispatch.memory.state import DispatchState

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)  # after a change that failed


async def apply_in_the_end(
    state: DispatchState, change: Callable[[], SpoolChange], about: str
) -> None:
    """Make a change durable, and try until that succeeds; each try has what ``change`` returns then."""
    for seconds in chain(RETRY_SECONDS, repeat(RETRY_SECONDS[-1])):
        try:
            await state.doors.spool.apply(change())
        except Unavailable as error:
            text = f"{about} cannot be noted now: {error.outcome.text}"
            state.doors.journal.warned("queue", text)
            await state.doors.clock.sleep(seconds)
        else:
            return
