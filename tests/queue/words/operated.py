"""A queue in memory that words are given to, with a dispatcher that writes down what it hears."""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace

from twisted_mail.interfaces import (
    DamagedRecipient,
    ReportedRecipient,
    SelectedPage,
    SelectedRecipient,
    SpoolChange,
    WrittenReports,
)
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason
from twisted_mail.mail.queued.word import Word
from twisted_mail.queue.events import QueueEvents
from twisted_mail.queue.words.filters import is_selected
from twisted_mail.queue.words.listener import WordDoors, WordListener
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.job_spool import MemoryJobSpool
from twisted_mail.testing.recorded_log import ServerJournal

NOW = 10_000.0
PAGE = 2  # recipients: small, so that tests see several


def owed(number: int, to: str, **more) -> OwedRecipient:
    return OwedRecipient(number, RemoteTarget(parse(to)), **more)


def new_job(id: str, *recipients: OwedRecipient, sender: str = "alice@example.org", **more):
    job = QueuedJob(id, NOW - 100, parse(sender) if sender else NULL, **more)
    return NewJob(job, recipients, Message(MemoryBlob(b"Subject: x\r\n\r\nx\r\n")))


class OperatedQueue:
    """Fulfils the doors of words that the spool does not; ``look_agains``, ``told`` are for asserts."""

    def __init__(self, *jobs: NewJob) -> None:
        self.spool = MemoryJobSpool()
        for one in jobs:
            finish(self.spool.accept(one))
        self._rows: dict[tuple[str, int], int] = {}
        self.given: dict[int, Word | None] = {}
        self.spoilt: list[DamagedRecipient] = []
        self.suspended: list[Suspension] = []
        self.look_agains: list[tuple[set[str], bool]] = []
        self.told: list[tuple[str, list[int]]] = []
        self.sites: dict[str, list[Destination]] = {}
        self.states: dict[str, dict] = {}
        self.journal = ServerJournal()
        self.events = ServerJournal()
        self.listener = WordListener(
            WordDoors(self, self, self, self, self.journal, QueueEvents(self.events), self.now)
        )

    def say(self, word: Word | None) -> dict:
        """Give a word; return its answer."""
        number = len(self.given) + 1
        self.given[number] = word
        finish(self.listener.poll())
        return json.loads(self.spool.answers[number])

    def recipients(self) -> dict[str, OwedRecipient]:
        """Return what is owed, by ``ID/NUMBER``."""
        return {f"{one.job.id}/{one.recipient.number}": one.recipient for one in self._all()}

    def lines(self) -> list[tuple[str, str]]:
        """Return id and event of each line of the log."""
        return [(id, event) for id, event, _ in self.events.of("queue_event")]

    def _all(self) -> Iterator[SelectedRecipient]:
        for job in self.spool.jobs.values():
            for recipient in list(job.recipients.values()):
                yield SelectedRecipient(job.job, recipient)

    # ------------------------------------------------------------ doors

    async def words(self):
        return [pair for pair in self.given.items() if pair[0] not in self.spool.answers]

    async def last_place(self):
        return max((self._row(one) for one in self._all()), default=0)

    async def select(self, selection, now, after, last):
        rows = [(self._row(one), one) for one in self._all()]
        page = [pair for pair in rows if after < pair[0] <= last][:PAGE]
        found = [one for _, one in page if is_selected(selection, one, now)]
        return SelectedPage(found, page[-1][0] if page else None)

    def _row(self, one: SelectedRecipient) -> int:
        """Return the row of a recipient, which it keeps."""
        place = one.job.id, one.recipient.number
        return self._rows.setdefault(place, len(self._rows) + 1)

    async def damaged(self, selection, now):
        return self.spoilt if selection.means_damaged else []

    async def suspensions(self):
        return self.suspended

    async def apply(self, change: SpoolChange) -> None:
        await self.spool.apply(change)
        gone = set(change.resumed)
        self.suspended = [one for one in self.suspended if (one.kind, one.name) not in gone]
        self.suspended += change.suspended

    async def read(self, job: str):
        return await self.spool.read(job)

    async def write(self, job: QueuedJob, message: Message, told: list[ReportedRecipient]):
        self.told.append((job.id, [one.recipient.number for one in told]))
        if job.sender.is_null:
            return WrittenReports()
        report = QueuedJob(f"r{len(self.told)}", NOW, NULL, JobKind.REPORT)
        new = NewJob(report, (owed(1, str(job.sender)),), Message(MemoryBlob(b"x\r\n")))
        return WrittenReports((replace(new),))

    def suspend(self, suspension: Suspension) -> None:
        self.look_agains.append(({f"suspend {suspension}"}, False))

    def resume(self, kind: str, name: str) -> None:
        self.look_agains.append(({f"resume {kind} {name}"}, False))

    def look_again(self, destinations: Collection[Destination], is_at_once: bool) -> None:
        self.look_agains.append((set(map(str, destinations)), is_at_once))

    def destinations_of(self, site: str) -> Collection[Destination]:
        return self.sites.get(site, [])

    def site_states(self, site: str) -> list[dict]:
        return [self.states[site]] if site in self.states else []

    def waits_for(self, destination: Destination) -> WaitReason:
        return WaitReason(WaitKind.SITE, NOW + 60, "no answer", f"mx.{destination.name}")

    def now(self) -> float:
        return NOW
