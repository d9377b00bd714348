"""From how attempts ended to what is noted."""

from collections.abc import Callable, Mapping, Sequence

from twisted_mail.interfaces import LoadedJob, ReportAction, ReportedRecipient
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.queue.dispatch.memory.queues import DestinationQueue
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.memory.taken import LentMessage, TakenTransaction
from twisted_mail.queue.dispatch.outcomes.ledger import Ledger
from twisted_mail.queue.dispatch.outcomes.note import OwedReport, ResultNote
from twisted_mail.queue.dispatch.outcomes.results import Fate, Result, result_of
from twisted_mail.queue.reports.rules import success_action

Judge = Callable[[QueuedJob, OwedRecipient], Result | None]


class Conclusions:
    """Draws conclusions from attempts, and has them noted."""

    def __init__(self, state: DispatchState, ledger: Ledger) -> None:
        self._state = state
        self._ledger = ledger

    def conclude(self, site: str, taken: TakenTransaction, attempts: Mapping[int, Attempt]) -> bool:
        """Note how attempts ended; return whether one succeeded."""
        state, job = self._state, taken.transaction.job
        queue, now = state.queue(taken.destination), state.time.now()
        notes, is_success = [], False
        for number, attempt in attempts.items():
            recipient = taken.open.pop(number, None)
            if recipient is not None:
                is_success = is_success or attempt.outcome.is_success
                result = result_of(job, recipient, attempt, now, state.schedule)
                notes.append(_note(queue, job, result, taken.lent, site))
        if notes and not taken.open:
            taken.lent.release()
        self._ledger.add(*notes)
        return is_success

    async def give_up(self, job: str, numbers: Sequence[int], judge: Judge) -> int:
        """Note for recipients of a job what ``judge`` returns for each, without an attempt.

        Those that are taken, and those for whom it returns None, are left as they are. Returns how many
        were noted. Raises Unavailable.
        """
        claims = self._state.claims
        mine = {number for number in numbers if claims.take((job, number))}
        before = len(mine)
        try:
            loaded = await self._state.doors.spool.load(job, sorted(mine)) if mine else None
            if loaded is not None:
                mine.difference_update(self._judge(loaded, judge))
        finally:
            for number in mine:
                claims.release((job, number))
        return before - len(mine)

    def _judge(self, loaded: LoadedJob, judge: Judge) -> list[int]:
        """Note what is to be noted; return the numbers of those recipients, who stay claimed."""
        lent = LentMessage(loaded.message)
        notes = []
        for recipient in loaded.recipients:
            result = judge(loaded.job, recipient)
            if result is not None:
                queue = self._state.queue(recipient.destination)
                queue.under_way += 1
                notes.append(_note(queue, loaded.job, result, lent))
        lent.release()
        self._ledger.add(*notes)
        return [note.recipient.number for note in notes]


def _note(
    queue: DestinationQueue, job: QueuedJob, result: Result, lent: LentMessage, site: str = ""
) -> ResultNote:
    """Return what is to be noted of a result; the message is held where a report needs it."""
    action = _action(job, result)
    recipient, fate = result.recipient, result.fate
    if action is None:
        return ResultNote(queue, job, recipient, fate, site)
    told = ReportedRecipient(recipient, action, result.until)
    return ResultNote(queue, job, recipient, fate, site, OwedReport(job, told, lent.hold()))


def _action(job: QueuedJob, result: Result) -> ReportAction | None:
    """Return what a report calls it; None where no sender wants to hear of it."""
    match result.fate:
        case Fate.DELIVERED:
            return success_action(job, result.recipient)
        case Fate.FAILED | Fate.EXPIRED:
            return ReportAction.FAILED
        case Fate.DELAYED:
            return ReportAction.DELAYED
    return None
