"""Taking over what waits in the folder of an earlier version, before anything is sent.

All jobs of a folder are in the spool, durably, before the first of its files is removed; those that are
there already, since the process ended in between, are not taken twice.
"""

import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from twisted_mail.interfaces import (
    Blocking,
    Clock,
    DurableFiles,
    FaultReport,
    JobSpool,
    SpoolChange,
    unreported,
)
from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, RecipientState, undeliverable
from twisted_mail.mail.route import ListTarget
from twisted_mail.queue.takeover.waiting_folder import (
    APPROVE,
    DEAD_FOLDER,
    REJECT,
    WaitingFolder,
)
from twisted_mail.queue.takeover.waiting_job import WaitingJob

BATCH = 50  # jobs of one commit, whose files are open meanwhile
_DAY = 86_400.0

# Returns jobs for the members of a list who are missing among those that have their copy of a post.
JobsForMissing = Callable[[NewJob, Collection[int]], Awaitable[Sequence[NewJob]]]


class TakeOver:
    """Takes over the folder at ``path``, with the dead letters in it.

    Dead letters are held as undeliverable for ``dead_seconds``.
    """

    def __init__(
        self,
        path: str,
        files: DurableFiles,
        spool: JobSpool,
        blocking: Blocking,
        clock: Clock,
        jobs_for_missing: JobsForMissing,
        dead_seconds: float = 30 * _DAY,
        report_fault: FaultReport = unreported,
    ) -> None:
        self._waiting = WaitingFolder(path, files, report_fault)
        self._dead = WaitingFolder(os.path.join(path, DEAD_FOLDER), files, report_fault)
        self._spool = spool
        self._blocking = blocking
        self._clock = clock
        self._jobs_for_missing = jobs_for_missing
        self._dead_seconds = dead_seconds

    async def run(self) -> int:
        """Take everything over; return how many jobs there were. Raises Unavailable and OSError."""
        taken = await self._take(self._waiting, self._recipient)
        return taken + await self._take(self._dead, self._dead_letter)

    async def _take(
        self,
        folder: WaitingFolder,
        recipient_of: Callable[[WaitingJob], Awaitable[OwedRecipient | None]],
    ) -> int:
        jobs = await self._blocking.run(folder.read_all)
        for start in range(0, len(jobs), BATCH):
            await self._take_batch(folder, jobs[start : start + BATCH], recipient_of)
        if jobs:
            await self._blocking.run(folder.remove, [job.id for job in jobs])
        await self._blocking.run(folder.sweep)
        return len(jobs)

    async def _take_batch(
        self,
        folder: WaitingFolder,
        jobs: Sequence[WaitingJob],
        recipient_of: Callable[[WaitingJob], Awaitable[OwedRecipient | None]],
    ) -> None:
        """Write some jobs into the spool, in one commit."""
        new: list[NewJob] = []
        blobs = []
        try:
            for job in jobs:
                recipient = await recipient_of(job)
                if recipient is None or await self._is_there(job.id):
                    continue
                blob = await self._blocking.run(folder.blob, job.id)
                blobs.append(blob)
                new += await self._new_jobs(folder, job, recipient, Message(blob))
            if new:
                await self._spool.apply(SpoolChange(new=new))
        finally:
            for blob in blobs:
                blob.close()

    async def _is_there(self, id: str) -> bool:
        found = await self._spool.read(id)
        if found is not None:
            found.message.blob.close()
        return found is not None

    async def _new_jobs(
        self, folder: WaitingFolder, job: WaitingJob, recipient: OwedRecipient, message: Message
    ) -> Sequence[NewJob]:
        """Return a job, and for a list in the middle of its members those of whom it left out."""
        queued = job.queued(message.size)
        done = await self._blocking.run(folder.done, job.id)
        if not done or not isinstance(job.target, ListTarget):
            return [NewJob(queued, (recipient,), message)]
        new = NewJob(queued, (replace(recipient, progress=max(done)),), message)
        return [new, *await self._jobs_for_missing(new, done)]

    async def _recipient(self, job: WaitingJob) -> OwedRecipient | None:
        """Return whom a job is for, as a moderator has decided; None if it was rejected."""
        recipient = job.recipient()
        decision = await self._blocking.run(self._waiting.decision, job.id)
        if recipient.state is not RecipientState.HELD or not decision:
            return recipient
        if decision == REJECT:
            return None
        assert decision == APPROVE
        return replace(recipient, state=RecipientState.WAITING, due=0.0, notices=0, reason="")

    async def _dead_letter(self, job: WaitingJob) -> OwedRecipient:
        recipient = replace(job.recipient(), reason=job.reason)
        return undeliverable(recipient, self._clock.now() + self._dead_seconds)
