"""Jobs that wait for a moderator: the notice of each, the decisions, and the end of their time."""

from dataclasses import replace

from twisted_mail.interfaces import Clock, Journal, Moderation
from twisted_mail.mail.delivery_result import Completion
from twisted_mail.mail.job import APPROVE, Job
from twisted_mail.mail.outcome import MailError
from twisted_mail.queue.job_queue import FolderJobQueue


class HeldJobReview:
    """Goes through the held jobs now and then.

    ``retry_seconds`` are between two attempts to notify the moderators of one job, ``max_seconds`` how
    long a job is held before it is removed, or kept as dead if no moderator was ever notified of it.
    """

    def __init__(
        self,
        queue: FolderJobQueue,
        moderation: Moderation,
        clock: Clock,
        journal: Journal,
        retry_seconds: float,
        max_seconds: float,
    ) -> None:
        self._queue = queue
        self._moderation = moderation
        self._clock = clock
        self._journal = journal
        self._retry_seconds = retry_seconds
        self._max_seconds = max_seconds

    async def work(self) -> None:
        """Notify the moderators of new jobs, apply decisions, and remove what nobody decided on."""
        if self._queue.held:
            await self._notify_moderators()
            await self._apply_decisions()
            await self._expire()

    async def _notify_moderators(self) -> None:
        for job in self._queue.held:
            if not job.attempts and job.due <= self._clock.now():
                await self._notify(job)

    async def _notify(self, job: Job) -> None:
        """Notify the moderators of a job. One that cannot be notified holds up no other job."""
        try:
            blob = await self._queue.blob(job.id)
            await self._moderation.notify_moderators(job, blob)
            await self._queue.update(replace(job, attempts=1))
            return
        except MailError as error:
            outcome = error.outcome
            self._journal.tried(job.id, job.transport, Completion.LATER.value, outcome.text)
        except Exception:
            self._journal.failed("waiting")
        self._queue.schedule(replace(job, due=self._clock.now() + self._retry_seconds))

    async def _apply_decisions(self) -> None:
        for id, decision in await self._queue.pending_decisions():
            job = self._queue.find_held(id)
            if job is not None:
                if decision == APPROVE:
                    await self._queue.release(job)
                else:
                    await self._queue.remove(id)
                self._journal.tried(id, job.transport, decision, "")
            await self._queue.remove_decision(id, decision)

    async def _expire(self) -> None:
        before = self._clock.now() - self._max_seconds
        for job in self._queue.held:
            if job.created >= before:
                continue
            if not job.attempts:
                await self._queue.bury(job, f"no owner could be asked about it: {job.reason}")
                continue
            await self._queue.remove(job.id)
            self._journal.tried(job.id, job.transport, "expired", job.reason)
