"""Dead letters: messages that we took, cannot deliver, and can tell nobody of.

Their sender is empty, or the failure report reaches neither the sender nor the postmaster. They lie in a
folder of their own inside that of the queue, as jobs with their reasons, for the operator to look at.
"""

import os
from dataclasses import replace

from twisted_mail.interfaces import Blocking, Clock, DurableFiles, FaultReport, Journal, unreported
from twisted_mail.mail.job import Job
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.queue.folder import QueueFolder

DEAD_FOLDER = "dead"  # its name in the folder of the queue
MAX_DEAD = 1000  # beyond these the oldest are removed, first those without a sender
LOOK_SECONDS = 3600.0  # between two looks at their number and age


def dead_folder(
    queue: QueueFolder, files: DurableFiles, report_fault: FaultReport = unreported
) -> QueueFolder:
    """Return the folder of the dead letters of a queue."""
    return QueueFolder(os.path.join(queue.path, DEAD_FOLDER), files, report_fault)


class DeadLetters:
    """The dead letters of a queue, each kept for ``days``; 0: for ever, as far as there is room."""

    def __init__(
        self,
        folder: QueueFolder,
        blocking: Blocking,
        clock: Clock,
        journal: Journal,
        days: float,
        report_fault: FaultReport = unreported,
    ) -> None:
        self._folder = folder
        self._blocking = blocking
        self._clock = clock
        self._journal = journal
        self._days = days
        self._report_fault = report_fault
        self._look_at = 0.0

    async def keep(self, job: Job, queue: QueueFolder, reason: str) -> None:
        """Keep a job of a queue, durably; it stays in the queue too. Raises Unavailable."""
        dead = replace(job, is_held=False, reason=reason, due=self._clock.now())
        try:
            await self._blocking.run(self._folder.take, dead, queue)
        except OSError as error:
            self._report_fault(self._folder.path, error)
            raise Unavailable("The message cannot be kept now") from error
        self._journal.tried(job.id, job.transport, "dead", reason)
        self._journal.warned(
            "waiting:", f"{job.id} is a dead letter, and nobody can be told: {reason}"
        )

    async def work(self) -> None:
        """Now and then, remove those whose time is over, and the oldest of too many; log each."""
        if self._clock.monotonic() < self._look_at:
            return
        self._look_at = self._clock.monotonic() + LOOK_SECONDS
        try:
            kept = await self._blocking.run(self._folder.read_all)
            for job in self._surplus(kept):
                await self._blocking.run(self._folder.remove, job.id)
                self._journal.warned("waiting:", f"the dead letter {job.id} is removed")
        except MailError:
            return
        except OSError as error:
            self._report_fault(self._folder.path, error)

    def _surplus(self, kept: list[Job]) -> list[Job]:
        before = self._clock.now() - self._days * 86400
        old = [job for job in kept if self._days and job.due < before]
        others = [job for job in kept if not self._days or job.due >= before]
        others.sort(key=lambda job: (not job.sender.is_null, job.due))
        return old + others[: max(0, len(others) - MAX_DEAD)]
