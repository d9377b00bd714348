"""Notes on disk how attempts ended, all of one moment in one transaction, and at once.

A recipient stays claimed until that is durable: what cannot be noted is kept in memory, and not sent
again. No note waits for a report: whoever is served or has failed, and whose sender is to hear of it, is
noted as unreported, and its report follows (``OwedReports``).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.queued.job import OwedRecipient, RecipientState
from twisted_mail.queue.dispatch.memory.state import DispatchState
from twisted_mail.queue.dispatch.outcomes.durable import apply_in_the_end
from twisted_mail.queue.dispatch.outcomes.note import OwedReport, ResultNote
from twisted_mail.queue.dispatch.outcomes.owed_reports import OwedReports
from twisted_mail.queue.dispatch.outcomes.results import Fate

MOST = 1_000  # notes in one transaction
FULL = 10_000  # notes that wait for the disk; with more, nothing is sent


class Ledger:
    """Writes notes: those that come while the disk is busy go together."""

    def __init__(self, state: DispatchState, reports: OwedReports) -> None:
        self._state = state
        self._reports = reports
        self._notes: list[ResultNote] = []
        self._under_way = 0
        self._is_writing = False

    @property
    def is_full(self) -> bool:
        """Return whether so much waits for the disk that nothing more is to be sent."""
        return len(self._notes) + self._under_way >= FULL

    @property
    def is_empty(self) -> bool:
        """Return whether all is noted."""
        return not (self._notes or self._under_way)

    def add(self, *notes: ResultNote) -> None:
        """Note what has become of recipients, soon. Their claims are released then.

        Who is late has a report alone, in whose transaction that is noted.
        """
        late = [note.report for note in notes if note.fate is Fate.DELAYED and note.report]
        self._reports.add(late)
        self._notes += (note for note in notes if note.fate is not Fate.DELAYED)
        if self._notes and not self._is_writing:
            self._state.doors.tasks.start("queue", self._write_all())

    async def _write_all(self) -> None:
        self._is_writing = True
        try:
            while self._notes:
                notes, self._notes = self._notes[:MOST], self._notes[MOST:]
                self._under_way = len(notes)
                await self._write(notes)
        finally:
            self._is_writing = False
            self._under_way = 0

    async def _write(self, notes: Sequence[ResultNote]) -> None:
        """Write notes. A bug in one costs no other: it is neither noted nor sent again."""
        try:
            about = f"{len(notes)} results"
            await apply_in_the_end(self._state, lambda: self._change(notes), about)
        except Exception:
            self._state.doors.journal.failed("queue")
            if len(notes) > 1:
                for note in notes:
                    await self._write([note])
        else:
            self._conclude(notes)

    def _change(self, notes: Sequence[ResultNote]) -> SpoolChange:
        """Return what is to be written. What a word did meanwhile stands, unless one is served."""
        gone: list[tuple[str, int]] = []
        altered: list[tuple[str, OwedRecipient]] = []
        for note in notes:
            if self._is_overruled(note):
                continue
            if note.report is not None:
                altered.append((note.job.id, _unreported(note.recipient)))
            elif note.stays:
                altered.append((note.job.id, note.recipient))
            else:
                gone.append(note.key)
        return SpoolChange(gone, altered)

    def _is_overruled(self, note: ResultNote) -> bool:
        is_served = note.fate is Fate.DELIVERED
        return not is_served and self._state.claims.is_overruled(note.key)

    # ------------------------------------------------------------ afterwards

    def _conclude(self, notes: Sequence[ResultNote]) -> None:
        """Do what follows, now that notes are durable: a bug there must not have them written again."""
        owed: list[OwedReport] = []
        for note in notes:
            # A word may have removed it: what is there to be reported then is on disk.
            if note.report is not None and not self._state.claims.is_overruled(note.key):
                owed.append(note.report)
            elif note.report is not None:
                note.report.lent.release()
                self._reports.look_at_disk()
            self._carefully(self._noted, note)
        self._reports.add(owed)

    def _carefully(self, follow: Callable[[ResultNote], None], note: ResultNote) -> None:
        try:
            follow(note)
        except Exception:
            self._state.doors.journal.failed("queue")

    def _noted(self, note: ResultNote) -> None:
        """Release a recipient, and log what has become of it."""
        state, queue = self._state, note.queue
        is_overruled = self._is_overruled(note)
        state.claims.release(note.key)
        queue.under_way -= 1
        if not is_overruled:
            note.log(state.doors.events)
        if is_overruled:
            state.remind(queue.destination, 0.0)  # whatever the word made of it is on disk
        elif note.stays:
            state.remind(queue.destination, note.recipient.due)
        else:
            state.forget_if_empty(queue)


def _unreported(recipient: OwedRecipient) -> OwedRecipient:
    return replace(recipient, state=RecipientState.UNREPORTED, due=0.0)
