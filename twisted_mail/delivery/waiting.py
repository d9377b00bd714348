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

from twisted_mail.delivery.doers import Admission, Doer, Reports
from twisted_mail.delivery.parcel import LISTS, Parcel
from twisted_mail.delivery.parcels import APPROVE, ParcelBlob, ParcelFolder
from twisted_mail.delivery.program import Ended, Result
from twisted_mail.delivery.settings import WaitingSettings
from twisted_mail.interfaces import Blocking, Clock, Journal
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.route import Errand, ListMail

P = ParamSpec("P")
T = TypeVar("T")

MAX_HEADER = 128 * 1024  # octets of header that are looked at
_BUSY = Outcome(452, "4.3.1", "Too much mail is waiting; try again later")
_LOOPS = Outcome(554, "5.4.6", "The message has been at this address before")


class Waiting:
    """All parcels: takes them in, and has their errands done when they are due.

    All methods belong to one thread; ``seat`` and ``load`` come first.
    """

    def __init__(
        self,
        folder: ParcelFolder,
        blocking: Blocking,
        clock: Clock,
        journal: Journal,
        settings: WaitingSettings,
    ) -> None:
        self._folder = folder
        self._blocking = blocking
        self._clock = clock
        self._journal = journal
        self._settings = settings
        self._parcels: dict[str, Parcel] = {}
        self._due: dict[str, list[tuple[float, str]]] = {}  # heaps by key
        self._doers: Mapping[str, Doer] = {}
        self._lists: Admission | None = None
        self._reports: Reports | None = None
        self._is_stopping = False

    def seat(self, doers: Mapping[str, Doer], lists: Admission, reports: Reports) -> None:
        """Say who does errands, by their keys: ``LISTS`` and ``|name``."""
        self._doers = doers
        self._lists = lists
        self._reports = reports

    def load(self) -> None:
        """Read what is on disk. Blocks; raises OSError."""
        for parcel in self._folder.load():
            self._keep(parcel)

    @property
    def held(self) -> Collection[Parcel]:
        """Return the parcels that are held."""
        return [parcel for parcel in self._parcels.values() if parcel.is_held]

    # ------------------------------------------------------------ taking in

    async def prepare(
        self, envelope: Envelope, message: Message, errands: Sequence[Errand | ListMail]
    ) -> list[Parcel]:
        """Write parcels for a message, durably, and promise nothing yet.

        Raises Refused when an errand cannot be taken, and Unavailable; then nothing stays.
        """
        if len(self._parcels) + len(errands) > self._settings.max_parcels:
            raise Unavailable(_BUSY)
        header = await self._blocking.run(_header, message)
        parcels = []
        for number, errand in enumerate(errands, 1):
            reason = await self._admitted(envelope, errand, header)
            if reason is not None:
                parcels.append(self._parcel(envelope, number, errand, reason))
        if parcels:
            await self._work(self._folder.prepare, parcels, message)
        return parcels

    async def _admitted(
        self, envelope: Envelope, errand: Errand | ListMail, header: bytes
    ) -> str | None:
        if isinstance(errand, ListMail):
            assert self._lists is not None, "nobody is seated"
            return await self._lists.admit(envelope, errand, header)
        if _has_been_at(header, str(errand.recipient)):
            raise Refused(_LOOPS)
        return ""

    def _parcel(
        self, envelope: Envelope, number: int, errand: Errand | ListMail, reason: str
    ) -> Parcel:
        now = self._clock.now()
        return Parcel(
            f"{envelope.id}-{number}",
            now,
            envelope.sender,
            errand,
            envelope.submitter,
            envelope.wishes.body,
            envelope.wishes.is_utf8,
            due=now,
            is_held=bool(reason),
            reason=reason,
        )

    async def promise(self, parcels: Sequence[Parcel]) -> None:
        """Make prepared parcels ours: they are durable when this returns. Raises Unavailable."""
        await self._work(self._folder.promise, parcels)
        for parcel in parcels:
            self._keep(parcel)

    async def withdraw(self, parcels: Sequence[Parcel]) -> None:
        """Give prepared parcels up: the sender keeps the message."""
        await self._work(self._folder.withdraw, parcels)

    # ------------------------------------------------------------ doing

    async def work(self, key: str) -> None:
        """Do the errands of a key that are due, one after the other. Several may work on one key."""
        while not self._is_stopping and (parcel := self._next(key)) is not None:
            await self._try(parcel)

    def stop(self) -> None:
        """Begin no errand any more."""
        self._is_stopping = True

    def _next(self, key: str) -> Parcel | None:
        heap = self._due.get(key)
        while heap and heap[0][0] <= self._clock.now():
            parcel = self._parcels.get(heapq.heappop(heap)[1])
            if parcel is not None and not parcel.is_held:
                return parcel
        return None

    async def _try(self, parcel: Parcel) -> None:
        """Do one errand, and keep, return or forget its parcel."""
        try:
            blob = await self._work(self._folder.blob, parcel.id)
            ended = await self._done(parcel, blob)
            self._journal.tried(parcel.id, parcel.key, ended.result.value, ended.reason)
            if ended.output:
                self._journal.warned(parcel.key, ended.output)
            if ended.result is Result.LATER and self._is_overdue(parcel):
                ended = replace(ended, result=Result.FAILED)
            if ended.result is Result.FAILED:
                ended = await self._returned(parcel, ended, blob)
        except MailError as error:
            ended = Ended(Result.LATER, error.outcome.enhanced, error.outcome.text)
        except Exception:
            self._journal.failed("waiting")
            ended = Ended(Result.LATER, "4.3.0", "an error inside")
        await self._settle(parcel, ended)

    async def _done(self, parcel: Parcel, blob: ParcelBlob) -> Ended:
        doer = self._doers.get(parcel.key) or self._doers[LISTS]
        try:
            return await doer.do(parcel, blob)
        except MailError as error:
            return Ended(Result.LATER, error.outcome.enhanced, error.outcome.text)

    def _is_overdue(self, parcel: Parcel) -> bool:
        return self._clock.now() - parcel.created > self._settings.days * 86400

    async def _returned(self, parcel: Parcel, ended: Ended, blob: ParcelBlob) -> Ended:
        """Tell the sender that it is in vain, if there is one to tell."""
        if not parcel.sender.is_null:
            assert self._reports is not None, "nobody is seated"
            await self._reports.failed(parcel, ended, blob)
        return ended

    async def _settle(self, parcel: Parcel, ended: Ended) -> None:
        try:
            if ended.result is Result.LATER:
                await self._postpone(parcel, ended)
            else:
                await self.forget(parcel.id)
        except Unavailable:
            self._journal.warned("waiting", f"{parcel.id} cannot be written")
            self._keep(replace(parcel, due=self._clock.now() + self._settings.longest_retry))

    async def _postpone(self, parcel: Parcel, ended: Ended) -> None:
        pause = self._settings.first_retry * 2.0 ** min(parcel.tries, 30)
        later = replace(
            parcel,
            due=self._clock.now() + min(pause, self._settings.longest_retry),
            tries=parcel.tries + 1,
            reason=ended.reason,
        )
        await self._work(self._folder.update, later)
        self._keep(later)

    def _keep(self, parcel: Parcel) -> None:
        self._parcels[parcel.id] = parcel
        if not parcel.is_held:
            key = parcel.key if parcel.key in self._doers else LISTS
            heapq.heappush(self._due.setdefault(key, []), (parcel.due, parcel.id))

    async def forget(self, id: str) -> None:  # noqa: A002
        """Remove a parcel. Raises Unavailable."""
        self._parcels.pop(id, None)
        await self._work(self._folder.remove, id)

    # ------------------------------------------------------------ words about what is held

    async def listen(self) -> None:
        """Do what somebody has said about held parcels, and tell of those that are new."""
        for new in self.held:
            if not new.tries and new.due <= self._clock.now():
                self._keep(await self._told(new))
        for id, word in await self._work(self._folder.words):  # noqa: A001
            parcel = self._parcels.get(id)
            if parcel is not None and parcel.is_held:
                if word == APPROVE:
                    await self.release(parcel)
                else:
                    await self.forget(id)
                self._journal.tried(id, parcel.key, word, "")
            await self._work(self._folder.unsay, id, word)

    async def _told(self, parcel: Parcel) -> Parcel:
        """Tell of a held parcel; return it as it is then. Who cannot be told holds up nobody else."""
        try:
            assert self._lists is not None, "nobody is seated"
            await self._lists.tell_held(parcel, await self._work(self._folder.blob, parcel.id))
            told = replace(parcel, tries=1)
            await self._work(self._folder.update, told)
            return told
        except MailError as error:
            self._journal.tried(parcel.id, parcel.key, Result.LATER.value, error.outcome.text)
        except Exception:
            self._journal.failed("waiting")
        return replace(parcel, due=self._clock.now() + self._settings.longest_retry)

    async def release(self, parcel: Parcel) -> None:
        """Have the errand of a held parcel done."""
        free = replace(parcel, is_held=False, tries=0, reason="", due=self._clock.now())
        await self._work(self._folder.update, free)
        self._keep(free)

    async def expire(self, seconds: float) -> None:
        """Forget what has been held for longer than so many seconds."""
        before = self._clock.now() - seconds
        for parcel in self.held:
            if parcel.created < before:
                await self.forget(parcel.id)
                self._journal.tried(parcel.id, parcel.key, "expired", parcel.reason)

    # ------------------------------------------------------------ files

    async def _work(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
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


def _has_been_at(header: bytes, address: str) -> bool:
    """Say whether we have handed the message to this address before."""
    return b"\r\ndelivered-to: " + address.lower().encode() + b"\r\n" in b"\r\n" + header.lower()
