"""Delivering jobs when they are due, and what follows from the result."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from twisted_mail.interfaces import Clock, Journal, Transport
from twisted_mail.mail.delivery_result import Completion, DeliveryResult
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import Blob
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.queue.job_queue import FolderJobQueue
from twisted_mail.queue.program import UNKNOWN_PROGRAM
from twisted_mail.queue.schedule import is_expired, postponed
from twisted_mail.queue.settings import QueueSettings

REPORT_SECONDS = 86_400.0  # how long a failure report is tried after a job has expired


class FailureReporter(Protocol):
    """Reports to senders that their mail was not delivered."""

    async def report(self, job: Job, result: DeliveryResult, blob: Blob) -> None:
        """Send a failure report. Raises MailError when that cannot be done now."""


class QueueRunner:
    """Hands jobs to their transports, by the transports' names."""

    def __init__(
        self,
        queue: FolderJobQueue,
        transports: Mapping[str, Transport],
        reporter: FailureReporter,
        clock: Clock,
        journal: Journal,
        settings: QueueSettings,
    ) -> None:
        self._queue = queue
        self._transports = transports
        self._reporter = reporter
        self._clock = clock
        self._journal = journal
        self._settings = settings
        self._is_stopping = False

    def stop(self) -> None:
        """Begin no attempt any more."""
        self._is_stopping = True

    async def work(self, transport: str) -> None:
        """Deliver the jobs of a transport that are due, one after the other.

        Several calls may work on one transport at a time.
        """
        while not self._is_stopping and (job := self._queue.next_due(transport)) is not None:
            await self._attempt(job)

    async def work_unknown(self) -> None:
        """Postpone the jobs whose transports are not in the configuration any more."""
        for transport in self._queue.transports:
            if transport not in self._transports:
                await self.work(transport)

    # ------------------------------------------------------------ one attempt

    async def _attempt(self, job: Job) -> None:
        """Try once; then remove the job, or postpone it, or report its failure, or keep it as dead."""
        try:
            blob = await self._queue.blob(job.id)
            result = await self._deliver(job, blob)
            self._journal.tried(job.id, job.transport, result.completion.value, result.reason)
            if result.output:
                self._journal.warned(job.transport, result.output)
            result = await self._conclude(job, result, blob)
        except MailError as error:
            result = _failed_for_now(error)
        except Exception:
            self._journal.failed("waiting")
            result = DeliveryResult(Completion.LATER, "4.3.0", "an error inside")
        await self._record_result(job, result)

    async def _deliver(self, job: Job, blob: Blob) -> DeliveryResult:
        transport = self._transports.get(job.transport)
        if transport is None:
            return UNKNOWN_PROGRAM
        try:
            return await transport.deliver(job, blob)
        except MailError as error:
            return _failed_for_now(error)

    async def _conclude(self, job: Job, result: DeliveryResult, blob: Blob) -> DeliveryResult:
        """Return the result, a failure if the job has expired; send the report of a failure."""
        is_late = result.completion is Completion.LATER
        if is_late and is_expired(job, self._clock.now(), self._settings):
            result = replace(result, completion=Completion.FAILED)
        if result.completion is Completion.FAILED and not job.sender.is_null:
            await self._reporter.report(job, result, blob)
        return result

    async def _record_result(self, job: Job, result: DeliveryResult) -> None:
        now = self._clock.now()
        try:
            if self._is_dead(job, result):
                await self._queue.bury(job, result.reason)
            elif result.completion is Completion.LATER:
                await self._queue.update(postponed(job, result.reason, now, self._settings))
            else:
                await self._queue.remove(job.id)
        except Unavailable:
            self._journal.warned("waiting:", f"{job.id} cannot be written")
            self._queue.schedule(replace(job, due=now + self._settings.longest_retry))

    def _is_dead(self, job: Job, result: DeliveryResult) -> bool:
        """Return whether a job has failed, and nobody can be told: nor could for a whole day."""
        if result.completion is Completion.LATER:
            return is_expired(job, self._clock.now() - REPORT_SECONDS, self._settings)
        return result.completion is Completion.FAILED and job.sender.is_null


def _failed_for_now(error: MailError) -> DeliveryResult:
    return DeliveryResult(Completion.LATER, error.outcome.enhanced, error.outcome.text)
