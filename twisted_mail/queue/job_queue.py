"""The jobs: taken durably for programs and lists, and kept until they are delivered.

| a job | becomes | when |
| --- | --- | --- |
| prepared | ours | the accounts of the same message have their copies |
| prepared | removed | they have not: the sender keeps the message |
| ours | removed | it is delivered |
| ours | ours, due later | it could not be delivered now |
| ours | removed | it failed permanently, and the sender has a failure report |
| ours | a dead letter | it failed, and nobody can be told |
| held | ours | a moderator approves |
| held | removed | a moderator rejects, or nobody decides for long |

So a program or list that fails costs nobody else a second copy, and the sender never waits for it. The
attempts are made in ``queue.runner``, decisions about held jobs are applied in ``queue.held_jobs``.
"""

import heapq
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from twisted_mail.interfaces import Blocking, Clock, FaultReport, ListAdmission, unreported
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import Blob, Message
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.route import JobTarget, ProgramTarget
from twisted_mail.queue.dead_letters import DeadLetters
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.queue.job_counts import JobCounts

P = ParamSpec("P")
T = TypeVar("T")

MAX_HEADER = 128 * 1024  # octets of header that are looked at
_LOOPS = Outcome(554, "5.4.6", "The message has been at this address before")


class FolderJobQueue:
    """All jobs, in memory and in a folder. Fulfils ``interfaces.JobQueue`` and ``HeldJobs``.

    ``counts`` says how many are taken. All methods belong to one thread; ``load`` comes first.
    """

    def __init__(
        self,
        folder: QueueFolder,
        blocking: Blocking,
        clock: Clock,
        admission: ListAdmission,
        counts: JobCounts,
        dead_letters: DeadLetters,
        report_fault: FaultReport = unreported,
    ) -> None:
        self._report_fault = report_fault
        self._folder = folder
        self._blocking = blocking
        self._clock = clock
        self._admission = admission
        self._counts = counts
        self._dead_letters = dead_letters
        self._jobs: dict[str, Job] = {}
        self._due: dict[str, list[tuple[float, str]]] = {}  # a heap for each transport

    def load(self) -> None:
        """Read what is on disk. Blocks; raises OSError."""
        for job in self._folder.load():
            self.schedule(job)

    # ------------------------------------------------------------ taking in

    async def prepare(
        self, envelope: Envelope, message: Message, targets: Sequence[JobTarget]
    ) -> list[Job]:
        """Write jobs for a message, durably, and promise nothing yet.

        Raises Refused when a target does not take the message, and Unavailable; then nothing is kept.
        """
        self._counts.check_total(len(targets))
        header = await self._blocking.run(_header, message)
        jobs = []
        for number, target in enumerate(targets, 1):
            reason = await self._admit(envelope, target, header)
            if reason is not None:
                jobs.append(self._make_job(envelope, number, target, reason))
        if jobs:
            await self._run(self._folder.prepare, jobs, message)
        return jobs

    async def _admit(self, envelope: Envelope, target: JobTarget, header: bytes) -> str | None:
        """Return the empty text, why the job is held, or None for no job. Raises MailError."""
        reason: str | None = ""
        if not isinstance(target, ProgramTarget):
            reason = await self._admission.admit(envelope, target, header)
        elif _was_delivered_to(header, str(target.recipient)):
            raise Refused(_LOOPS)
        if reason is not None:
            self._counts.check(target, is_held=bool(reason))
        return reason

    def _make_job(self, envelope: Envelope, number: int, target: JobTarget, reason: str) -> Job:
        now = self._clock.now()
        return Job(
            f"{envelope.id}-{number}",
            now,
            envelope.sender,
            target,
            envelope.submitter,
            envelope.mail_parameters.body,
            envelope.mail_parameters.is_utf8,
            due=now,
            is_held=bool(reason),
            reason=reason,
        )

    async def commit(self, jobs: Sequence[Job]) -> None:
        """Take responsibility for prepared jobs: durable when this returns. Raises Unavailable."""
        await self._run(self._folder.commit, jobs)
        for job in jobs:
            self.schedule(job)

    async def rollback(self, jobs: Sequence[Job]) -> None:
        """Remove prepared jobs: the sender keeps the message. Raises Unavailable."""
        await self._run(self._folder.rollback, jobs)

    # ------------------------------------------------------------ what is due

    def next_due(self, transport: str) -> Job | None:
        """Take the job of a transport that has been due longest out of the schedule, if one is due.

        It stays in the queue: ``schedule``, ``update`` or ``remove`` it afterwards.
        """
        heap = self._due.get(transport)
        while heap and heap[0][0] <= self._clock.now():
            job = self._jobs.get(heapq.heappop(heap)[1])
            if job is not None and not job.is_held:
                return job
        return None

    @property
    def transports(self) -> Collection[str]:
        """Return the names of the transports that jobs have waited for since the start."""
        return tuple(self._due)

    @property
    def held(self) -> Collection[Job]:
        """Return the jobs that are held."""
        return [job for job in self._jobs.values() if job.is_held]

    def find_held(self, id: str) -> Job | None:
        """Return a job by its id if it is there, and held."""
        job = self._jobs.get(id)
        return job if job is not None and job.is_held else None

    # ------------------------------------------------------------ changing

    def schedule(self, job: Job) -> None:
        """Take a job's new state into memory only: what is on disk counts after a restart."""
        self._forget(job.id)
        self._jobs[job.id] = job
        self._counts.add(job)
        if not job.is_held:
            heapq.heappush(self._due.setdefault(job.transport, []), (job.due, job.id))

    async def update(self, job: Job) -> None:
        """Take a job's new state, durably. Raises Unavailable, and then keeps the old one."""
        await self._run(self._folder.update, job)
        self.schedule(job)

    async def remove(self, id: str) -> None:
        """Remove a job. Raises Unavailable."""
        self._forget(id)
        await self._run(self._folder.remove, id)

    async def bury(self, job: Job, reason: str) -> None:
        """Make a job a dead letter. Raises Unavailable; then it stays what it was."""
        await self._dead_letters.keep(job, self._folder, reason)
        await self.remove(job.id)

    def _forget(self, id: str) -> None:
        job = self._jobs.pop(id, None)
        if job is not None:
            self._counts.remove(job)

    async def release(self, job: Job) -> None:
        """Let a held job be delivered. Raises Unavailable."""
        await self.update(replace(job, is_held=False, attempts=0, reason="", due=self._clock.now()))

    async def blob(self, id: str) -> Blob:
        """Return the message of a job. Raises Unavailable."""
        return await self._run(self._folder.blob, id)

    # ------------------------------------------------------------ decisions of moderators

    async def decide(self, id: str, decision: str) -> None:
        """Record ``APPROVE`` or ``REJECT`` for a job, durably. Raises Unavailable."""
        await self._run(self._folder.decide, id, decision)

    async def pending_decisions(self) -> list[tuple[str, str]]:
        """Return the decisions that are recorded: id, and what was decided. Raises Unavailable."""
        return await self._run(self._folder.pending_decisions)

    async def remove_decision(self, id: str, decision: str) -> None:
        """Forget a decision that has been applied. Raises Unavailable."""
        await self._run(self._folder.remove_decision, id, decision)

    # ------------------------------------------------------------ files

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._blocking.run(work, *args, **kwargs)
        except OSError as error:
            self._report_fault(self._folder.path, error)
            raise Unavailable("The message cannot be kept now") from error


def _header(message: Message) -> bytes:
    """Return the header of a message as far as it is looked at, our trace fields included."""
    data = bytearray()
    for piece in message.pieces():
        data += piece[:MAX_HEADER]
        end = data.find(b"\r\n\r\n")
        if end >= 0 or len(data) >= MAX_HEADER:
            return bytes(data[: end + 2 if end >= 0 else MAX_HEADER])
    return bytes(data)


def _was_delivered_to(header: bytes, address: str) -> bool:
    """Return whether a message has been delivered to this address before.

    What comes in again has the field as ``Old-Delivered-To``, so that it does not pass for one of now.
    """
    field = b"delivered-to: " + address.encode().lower() + b"\r\n"
    lines = b"\r\n" + header.lower()
    return b"\r\n" + field in lines or b"\r\nold-" + field in lines
