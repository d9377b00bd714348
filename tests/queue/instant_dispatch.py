"""A dispatcher that brings everything at once, when a test says so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.queue.scripted_work import ScriptedWork
from twisted_mail.interfaces import Carrier, Clock, JobSpool, SpoolChange
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, Transaction
from twisted_mail.testing.doubles import finish

RETRY_SECONDS = 60.0


class SpooledWork(ScriptedWork):
    """Work whose parts are on disk at once, as that of the dispatcher is."""

    def __init__(self, spool: JobSpool, transaction: Transaction) -> None:
        super().__init__(transaction)
        self._spool = spool

    async def advance(
        self, transaction: Transaction, recipient: OwedRecipient, new: Sequence[NewJob]
    ) -> None:
        await super().advance(transaction, recipient, new)
        change = SpoolChange(altered=[(transaction.job.id, recipient)], new=list(new))
        await self._spool.apply(change)


class InstantDispatch:
    """Gives carriers all that is due, one recipient at a time, and notes what came of it.

    ``failed`` are the recipients that have failed permanently, which are gone.
    """

    def __init__(self, spool: JobSpool, carriers: Mapping[str, Carrier], clock: Clock) -> None:
        self._spool = spool
        self._carriers = carriers
        self._clock = clock
        self.failed: list[tuple[str, OwedRecipient]] = []

    def work(self) -> None:
        """Try everything that is due, once, and what comes of it."""
        tried: set[tuple[str, int]] = set()
        while due := [one for one in self._due() if one[1:] not in tried]:
            for destination, job, number in due:
                tried.add((job, number))
                if destination.carrier in self._carriers:
                    self._try(destination, job, number)

    def _due(self) -> list[tuple[Destination, str, int]]:
        before = self._clock.now() + 1e-6
        return [
            (one.destination, due.job, due.number)
            for one in finish(self._spool.destinations())
            for due in finish(self._spool.due(one.destination, before, 10_000))
        ]

    def _try(self, destination: Destination, job: str, number: int) -> None:
        loaded = finish(self._spool.load(job, [number]))
        if loaded is None:
            return
        carrier = self._carriers[destination.carrier]
        site = finish(carrier.site(destination))
        assert not isinstance(site, Attempt)
        transaction = Transaction(loaded.job, tuple(loaded.recipients), loaded.message)
        work = SpooledWork(self._spool, transaction)
        finish(carrier.serve(site, work))
        for attempt in work.attempts.values():
            recipient = (work.advanced or list(loaded.recipients))[-1]
            self._note(loaded.job.id, recipient, attempt)

    def _note(self, id: str, recipient: OwedRecipient, attempt: Attempt) -> None:
        if attempt.outcome.is_temporary:
            due = self._clock.now() + RETRY_SECONDS
            later = replace(recipient, due=due, tries=recipient.tries + 1, last=attempt)
            finish(self._spool.apply(SpoolChange(altered=[(id, later)])))
            return
        if not attempt.outcome.is_success:
            self.failed.append((id, replace(recipient, last=attempt)))
        finish(self._spool.apply(SpoolChange(gone=[(id, recipient.number)])))
