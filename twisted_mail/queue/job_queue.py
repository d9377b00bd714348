"""Mail that waits: taken durably for programs and lists, and tried until it succeeds.

| a parcel | becomes | when |
| --- | --- | --- |
| prepared | promised | the accounts of the same message have their copies |
| prepared | gone | they have not: the sender keeps the message |
| promised | gone | its errand is done |
| promised | promised, due later | its errand could not be done now |
| promised | gone | it could not be done at all, and the sender has been told |
| held | promised | somebody approves |
| held | gone | somebody rejects, or nobody says anything for long |

So a program or list that fails costs nobody else a second copy, and the sender never waits for it.
"""

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from twisted_mail.interfaces import Blocking, Clock, Journal
from twisted_mail.interfaces.queue import FailureReporter, ListAdmission, Transport
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import LISTS_KEY, Job
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.folder import APPROVE, JobBlob, QueueFolder
from twisted_mail.queue.program import Completion, DeliveryResult
from twisted_mail.queue.settings import QueueSettings

P = ParamSpec("P")
T = TypeVar("T")

MAX_HEADER = 128 * 1024  # octets of header that are looked at
_BUSY = Outcome(452, "4.3.1", "Too much mail is waiting; try again later")
_LOOPS = Outcome(554, "5.4.6", "The message has been at this address before")


class JobQueue:
    """All parcels: takes them in, and has their errands done when they are due.

    All methods belong to one thread; ``register_transports`` and ``load`` come first.
    """

    def __init__(
        self,
        folder: QueueFolder,
        blocking: Blocking,
        clock: Clock,
        journal: Journal,
        settings: QueueSettings,
    ) -> None:
        self._folder = folder
        self._blocking = blocking
        self._clock = clock
        self._journal = journal
        self._settings = settings
        self._jobs: dict[str, Job] = {}
        self._due: dict[str, list[tuple[float, str]]] = {}  # heaps by key
        self._transports: Mapping[str, Transport] = {}
        self._lists: ListAdmission | None = None
        self._reporter: FailureReporter | None = None
        self._is_stopping = False

    def register_transports(
        self, doers: Mapping[str, Transport], lists: ListAdmission, reports: FailureReporter
    ) -> None:
        """Say who does errands, by their keys: ``LISTS_KEY`` and ``|name``."""
        self._transports = doers
        self._lists = lists
        self._reporter = reports

    def load(self) -> None:
        """Read what is on disk. Blocks; raises OSError."""
        for parcel in self._folder.load():
            self._schedule(parcel)

    @property
    def held(self) -> Collection[Job]:
        """Return the parcels that are held."""
        return [parcel for parcel in self._jobs.values() if parcel.is_held]

    # ------------------------------------------------------------ taking in

    async def prepare(
        self, envelope: Envelope, message: Message, errands: Sequence[ProgramTarget | ListTarget]
    ) -> list[Job]:
        """Write parcels for a message, durably, and promise nothing yet.

        Raises Refused when an errand cannot be taken, and Unavailable; then nothing stays.
        """
        if len(self._jobs) + len(errands) > self._settings.max_parcels:
            raise Unavailable(_BUSY)
        header = await self._blocking.run(_header, message)
        parcels = []
        for number, destination in enumerate(errands, 1):
            reason = await self._admit(envelope, destination, header)
            if reason is not None:
                parcels.append(self._make_job(envelope, number, destination, reason))
        if parcels:
            await self._run(self._folder.prepare, parcels, message)
        return parcels

    async def _admit(
        self, envelope: Envelope, destination: ProgramTarget | ListTarget, header: bytes
    ) -> str | None:
        if isinstance(destination, ListTarget):
            assert self._lists is not None, "nobody is seated"
            return await self._lists.admit(envelope, destination, header)
        if _was_delivered_to(header, str(destination.recipient)):
            raise Refused(_LOOPS)
        return ""

    def _make_job(
        self, envelope: Envelope, number: int, destination: ProgramTarget | ListTarget, reason: str
    ) -> Job:
        now = self._clock.now()
        return Job(
            f"{envelope.id}-{number}",
            now,
            envelope.sender,
            destination,
            envelope.submitter,
            envelope.mail_parameters.body,
            envelope.mail_parameters.is_utf8,
            due=now,
            is_held=bool(reason),
            reason=reason,
        )

    async def commit(self, parcels: Sequence[Job]) -> None:
        """Make prepared parcels ours: they are durable when this returns. Raises Unavailable."""
        await self._run(self._folder.commit, parcels)
        for parcel in parcels:
            self._schedule(parcel)

    async def rollback(self, parcels: Sequence[Job]) -> None:
        """Give prepared parcels up: the sender keeps the message."""
        await self._run(self._folder.rollback, parcels)

    # ------------------------------------------------------------ doing

    async def work(self, key: str) -> None:
        """Do the errands of a key that are due, one after the other. Several may work on one key."""
        while not self._is_stopping and (parcel := self._next_due(key)) is not None:
            await self._attempt(parcel)

    def stop(self) -> None:
        """Begin no errand any more."""
        self._is_stopping = True

    def _next_due(self, key: str) -> Job | None:
        heap = self._due.get(key)
        while heap and heap[0][0] <= self._clock.now():
            parcel = self._jobs.get(heapq.heappop(heap)[1])
            if parcel is not None and not parcel.is_held:
                return parcel
        return None

    async def _attempt(self, parcel: Job) -> None:
        """Do one errand, and keep, return or forget its parcel."""
        try:
            blob = await self._run(self._folder.blob, parcel.id)
            ended = await self._deliver(parcel, blob)
            self._journal.tried(parcel.id, parcel.key, ended.completion.value, ended.reason)
            if ended.output:
                self._journal.warned(parcel.key, ended.output)
            if ended.completion is Completion.LATER and self._is_overdue(parcel):
                ended = replace(ended, completion=Completion.FAILED)
            if ended.completion is Completion.FAILED:
                ended = await self._bounce(parcel, ended, blob)
        except MailError as error:
            ended = DeliveryResult(Completion.LATER, error.outcome.enhanced, error.outcome.text)
        except Exception:
            self._journal.failed("waiting")
            ended = DeliveryResult(Completion.LATER, "4.3.0", "an error inside")
        await self._record_result(parcel, ended)

    async def _deliver(self, parcel: Job, blob: JobBlob) -> DeliveryResult:
        doer = self._transports.get(parcel.key) or self._transports[LISTS_KEY]
        try:
            return await doer.deliver(parcel, blob)
        except MailError as error:
            return DeliveryResult(Completion.LATER, error.outcome.enhanced, error.outcome.text)

    def _is_overdue(self, parcel: Job) -> bool:
        return self._clock.now() - parcel.created > self._settings.days * 86400

    async def _bounce(self, parcel: Job, ended: DeliveryResult, blob: JobBlob) -> DeliveryResult:
        """Tell the sender that it is in vain, if there is one to tell."""
        if not parcel.sender.is_null:
            assert self._reporter is not None, "nobody is seated"
            await self._reporter.failed(parcel, ended, blob)
        return ended

    async def _record_result(self, parcel: Job, ended: DeliveryResult) -> None:
        try:
            if ended.completion is Completion.LATER:
                await self._postpone(parcel, ended)
            else:
                await self.forget(parcel.id)
        except Unavailable:
            self._journal.warned("waiting", f"{parcel.id} cannot be written")
            self._schedule(replace(parcel, due=self._clock.now() + self._settings.longest_retry))

    async def _postpone(self, parcel: Job, ended: DeliveryResult) -> None:
        pause = self._settings.first_retry * 2.0 ** min(parcel.attempts, 30)
        later = replace(
            parcel,
            due=self._clock.now() + min(pause, self._settings.longest_retry),
            attempts=parcel.attempts + 1,
            reason=ended.reason,
        )
        await self._run(self._folder.update, later)
        self._schedule(later)

    def _schedule(self, parcel: Job) -> None:
        self._jobs[parcel.id] = parcel
        if not parcel.is_held:
            key = parcel.key if parcel.key in self._transports else LISTS_KEY
            heapq.heappush(self._due.setdefault(key, []), (parcel.due, parcel.id))

    async def forget(self, id: str) -> None:
        """Remove a parcel. Raises Unavailable."""
        self._jobs.pop(id, None)
        await self._run(self._folder.remove, id)

    # ------------------------------------------------------------ words about what is held

    async def apply_decisions(self) -> None:
        """Do what somebody has said about held parcels, and tell of those that are new."""
        for new in self.held:
            if not new.attempts and new.due <= self._clock.now():
                self._schedule(await self._notify_moderators(new))
        for id, word in await self._run(self._folder.pending_decisions):
            parcel = self._jobs.get(id)
            if parcel is not None and parcel.is_held:
                if word == APPROVE:
                    await self.release(parcel)
                else:
                    await self.forget(id)
                self._journal.tried(id, parcel.key, word, "")
            await self._run(self._folder.remove_decision, id, word)

    async def _notify_moderators(self, parcel: Job) -> Job:
        """Tell of a held parcel; return it as it is then. Who cannot be told holds up nobody else."""
        try:
            assert self._lists is not None, "nobody is seated"
            await self._lists.notify_moderators(
                parcel, await self._run(self._folder.blob, parcel.id)
            )
            told = replace(parcel, attempts=1)
            await self._run(self._folder.update, told)
            return told
        except MailError as error:
            self._journal.tried(parcel.id, parcel.key, Completion.LATER.value, error.outcome.text)
        except Exception:
            self._journal.failed("waiting")
        return replace(parcel, due=self._clock.now() + self._settings.longest_retry)

    async def release(self, parcel: Job) -> None:
        """Have the errand of a held parcel done."""
        free = replace(parcel, is_held=False, attempts=0, reason="", due=self._clock.now())
        await self._run(self._folder.update, free)
        self._schedule(free)

    async def expire(self, seconds: float) -> None:
        """Forget what has been held for longer than so many seconds."""
        before = self._clock.now() - seconds
        for parcel in self.held:
            if parcel.created < before:
                await self.forget(parcel.id)
                self._journal.tried(parcel.id, parcel.key, "expired", parcel.reason)

    # ------------------------------------------------------------ files

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._blocking.run(work, *args, **kwargs)
        except OSError as error:
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
    """Say whether we have handed the message to this address before."""
    return b"\r\ndelivered-to: " + address.lower().encode() + b"\r\n" in b"\r\n" + header.lower()
