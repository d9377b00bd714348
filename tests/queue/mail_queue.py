"""A queue with its runner over fakes: programs, lists and reports that a test scripts."""

from pathlib import Path
from typing import Any

from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.local import LocalDelivery
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.delivery_result import DeliveryResult
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import LISTS, Job
from twisted_mail.mail.message import Blob, MemoryBlob, Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.route import ListTarget
from twisted_mail.queue.dead_letters import DeadLetters, dead_folder
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.queue.held_jobs import HeldJobReview
from twisted_mail.queue.job_counts import JobCounts
from twisted_mail.queue.job_queue import FolderJobQueue
from twisted_mail.queue.program import result_of_exit_code
from twisted_mail.queue.runner import QueueRunner
from twisted_mail.queue.settings import QueueSettings
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

ALICE, TICKETS, NEWS = "alice@example.org", "tickets@example.org", "news@example.org"
OTHER_NEWS = "other-news@example.org"
DONE, LATER, FAILED = result_of_exit_code(0), result_of_exit_code(75), result_of_exit_code(69)
TICKET = "|ticket"  # the transport to the program
HELD_SECONDS = 100.0


class FakeTransport:
    """Returns or raises the results of ``results``, then DONE; keeps what it was given."""

    def __init__(self) -> None:
        self.results: list[DeliveryResult | Exception] = []
        self.seen: list[tuple[str, bytes]] = []

    async def deliver(self, job: Job, blob: Blob) -> DeliveryResult:
        self.seen.append((job.id, b"".join(blob.pieces())))
        result = self.results.pop(0) if self.results else DONE
        if isinstance(result, Exception):
            raise result
        return result


class FakeLists:
    """Admits or refuses posts, and keeps which of them moderators were notified of."""

    def __init__(self) -> None:
        self.answer: str | Exception | None = ""
        self.header = b""
        self.notified: list[str] = []
        self.errors: dict[str, Exception] = {}

    async def admit(self, envelope: Envelope, target: ListTarget, header: bytes) -> str | None:
        self.header = header
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def notify_moderators(self, job: Job, blob: Blob) -> None:
        self.notified.append(job.id)
        if job.id in self.errors:
            raise self.errors[job.id]


class FakeReporter:
    """Keeps failure reports; may fail."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, str]] = []
        self.error: MailError | None = None

    async def report(self, job: Job, result: DeliveryResult, blob: Blob) -> None:
        if self.error is not None:
            raise self.error
        self.reports.append((job.id, result.reason))


class MailQueue:
    """Local delivery, the job queue, its runner, and the review of held jobs."""

    def __init__(self, folder: Path, max_held: int = 10, **settings: Any) -> None:
        self.folder = QueueFolder(str(folder), DiskFiles())
        self.settings, self.max_held = QueueSettings(**settings), max_held
        self.clock, self.journal, self.store = StillClock(), ListJournal(), RecordingStore()
        self.program, self.list_transport = FakeTransport(), FakeTransport()
        self.lists, self.reporter = FakeLists(), FakeReporter()
        self.restart()

    def restart(self) -> None:
        """Make the queue anew over the same folder, as a new process does."""
        clock, journal = self.clock, self.journal
        self.dead_folder = dead_folder(self.folder, DiskFiles())
        self.dead_letters = DeadLetters(
            self.dead_folder, InlineBlocking(), clock, journal, self.settings.dead_days
        )
        self.jobs = FolderJobQueue(
            self.folder,
            InlineBlocking(),
            clock,
            self.lists,
            JobCounts(self.settings.max_parcels, self.max_held),
            self.dead_letters,
        )
        self.runner = QueueRunner(
            self.jobs,
            {TICKET: self.program, LISTS: self.list_transport},
            self.reporter,
            clock,
            journal,
            self.settings,
        )
        self.held_jobs = HeldJobReview(self.jobs, self.lists, clock, journal, 3600, HELD_SECONDS)
        self.jobs.load()
        directory = FixedDirectory(
            {ALICE: ""},
            programs={TICKETS: ["ticket"], "other@example.org": ["gone"]},
            lists={NEWS: [], OTHER_NEWS: []},
        )
        store: Any = self.store
        self.queue = LocalDelivery(
            DeliveryBackend(LocalRouter(directory), store, journal, clock, self.jobs)
        )

    def accept(
        self,
        *recipients: str,
        sender: str = "s@client.example",
        prefix: bytes = b"",
        id: str = "id1",
    ) -> None:
        addresses = tuple(parse(one) for one in recipients)
        envelope = Envelope(id, parse(sender) if sender else NULL, addresses)
        blob = MemoryBlob(b"Subject: x\r\n\r\nbody\r\n")
        finish(self.queue.accept(envelope, Message(blob, prefix)))

    def work(self, transport: str = TICKET) -> None:
        finish(self.runner.work(transport))

    def review(self) -> None:
        finish(self.held_jobs.work())

    @property
    def dead(self) -> list[Job]:
        """Return the dead letters on disk."""
        return self.dead_folder.read_all()

    @property
    def kept(self) -> list[Job]:
        """Return the jobs on disk."""
        return self.folder.load()
