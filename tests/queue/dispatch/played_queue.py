"""A dispatcher over a spool in memory, carriers that play a part, and time that a test moves."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, ClassVar

from twisted_mail.interfaces import ReportAction, ReportedRecipient, Site, SiteLimits, Work
from twisted_mail.interfaces.reports import WrittenReports
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import DsnRequest
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.net.process.tasks import ReactorTasks
from twisted_mail.queue.dispatch.dispatcher import Dispatcher
from twisted_mail.queue.dispatch.dispatching_spool import DispatchingSpool
from twisted_mail.queue.dispatch.memory.state import DispatchDoors
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.queue.reports.rules import is_wanted
from twisted_mail.testing.clock import ServerClock, ServerTime
from twisted_mail.testing.job_spool import MemoryJobSpool
from twisted_mail.testing.recorded_log import ListJournal, ServerJournal

OK = Outcome(250, "2.0.0", "queued")
LATER = Outcome(451, "4.3.0", "not now")
NEVER = Outcome(550, "5.1.1", "no such user")
SILENT = Outcome(451, "4.4.1", "connection timed out")
TOO_MANY = Outcome(421, "4.7.0", "too many connections")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

Answer = Callable[[Transaction, OwedRecipient], Outcome]


class PlayedCarrier:
    """A carrier whose other side answers as ``answer`` says.

    Each domain is a site of its own unless ``site_names`` has another name for it. Sites in ``dead``
    cannot be reached; domains in ``silent`` have hosts of their own, which cannot, as ``unanswered``
    has it; ``nowhere`` has what is said of destinations without a site. It takes
    ``connecting`` seconds to connect and ``seconds`` for each transaction. ``sent`` has each transaction
    with the time of its end.
    """

    name = SMTP

    def __init__(self, clock: ServerClock) -> None:
        self.clock = clock
        self.answer: Answer = lambda transaction, recipient: OK
        self.site_names: dict[str, str] = {}
        self.limits = SiteLimits(2, 20)
        self.dead: set[str] = set()
        self.silent: set[str] = set()
        self.unanswered: list[tuple[float, str]] = []
        self.nowhere: dict[str, Outcome] = {}
        self.connecting = 0.0
        self.seconds = 0.0
        self.idle = 5.0
        self.reply_class = ReplyClass.OTHER
        self.sent: list[tuple[float, Transaction]] = []
        self.connected: list[tuple[float, str]] = []
        self.open: dict[str, int] = {}
        self.most_open: dict[str, int] = {}
        self.asked: list[str] = []

    async def site(self, destination: Destination) -> Site | Attempt:
        """Return the site of a destination."""
        self.asked.append(destination.name)
        if destination.name in self.nowhere:
            return Attempt(self.nowhere[destination.name], self.clock.now(), ReplyClass.DNS)
        name = self.site_names.get(destination.name, destination.name)
        return Site(SMTP, name, self.limits)

    async def serve(self, site: Site, work: Work) -> None:
        """Hand on what there is."""
        self.connected.append((self.clock.now(), site.name))
        open_now = self.open
        open_now[site.name] = open_now.get(site.name, 0) + 1
        self.most_open[site.name] = max(open_now[site.name], self.most_open.get(site.name, 0))
        try:
            if self.connecting:
                await self.clock.sleep(self.connecting)
            if site.name in self.dead:
                work.unreachable(Attempt(SILENT, self.clock.now(), ReplyClass.NETWORK))
                return
            while (found := await work.wait(self.idle)) is not None:
                if found.destination.name in self.silent:
                    at = self.clock.now()
                    self.unanswered.append((at, found.destination.name))
                    attempt = Attempt(SILENT, at, ReplyClass.NETWORK, host=found.destination.name)
                    work.unreachable(attempt, found.destination)
                    continue
                await self._hand_on(found, work)
        finally:
            open_now[site.name] -= 1

    async def _hand_on(self, transaction: Transaction, work: Work) -> None:
        if self.seconds:
            await self.clock.sleep(self.seconds)
        self.sent.append((self.clock.now(), transaction))
        now = self.clock.now()
        work.done(
            transaction,
            {
                one.number: Attempt(self.answer(transaction, one), now, self.reply_class)
                for one in transaction.recipients
            },
        )

    def times(self) -> list[float]:
        """Return when transactions ended."""
        return [at for at, _ in self.sent]


class PlayedReports:
    """Writes reports as jobs to the sender. ``told`` has what each was about."""

    def __init__(self, clock: ServerClock) -> None:
        self.clock = clock
        self._numbers = count(1)
        self.told: list[tuple[str, tuple[ReportedRecipient, ...]]] = []
        self.failure: Unavailable | None = None
        self.by_id: dict[str, tuple[str, tuple[ReportedRecipient, ...]]] = {}

    async def write(
        self, job: QueuedJob, message: Message, told: Sequence[ReportedRecipient]
    ) -> WrittenReports:
        """Return a report, or who is lost."""
        message.read()
        if self.failure is not None:
            raise self.failure
        wanted = [one for one in told if is_wanted(one.action, one.recipient.dsn_request)]
        if not wanted:
            return WrittenReports()
        if job.sender.is_null:
            return WrittenReports((), frozenset(one.recipient.number for one in wanted))
        self.told.append((job.id, tuple(wanted)))
        report = self._report(job, wanted)
        self.by_id[report.job.id] = self.told[-1]
        return WrittenReports((report,))

    def _report(self, job: QueuedJob, told: Sequence[ReportedRecipient]) -> NewJob:
        id = f"report-{next(self._numbers)}-{job.id}"
        report = QueuedJob(id, self.clock.now(), NULL, JobKind.REPORT)
        return NewJob(report, (owed(1, job.sender.text),), MESSAGE)

    def actions(self, action: ReportAction) -> list[tuple[str, int]]:
        """Return job and number of those told of an action."""
        return [
            (id, one.recipient.number)
            for id, told in self.told
            for one in told
            if one.action is action
        ]


class CountingSpool(MemoryJobSpool):
    """A spool in memory that counts what is done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.reads = 0
        self.made: list[str] = []  # ids of the jobs that came of a change

    async def apply(self, change: Any) -> None:
        """Make a change."""
        self.writes += 1
        await super().apply(change)
        self.made += [new.job.id for new in change.new]

    async def save_site(self, site: Any) -> None:
        """Remember what is known of a site."""
        self.writes += 1
        await super().save_site(site)

    async def due(self, destination: Destination, before: float, limit: int) -> Any:
        """Return who is due."""
        self.reads += 1
        return await super().due(destination, before, limit)


MESSAGE = Message(MemoryBlob(b"Subject: test\r\n\r\nHello.\r\n"))


class PlayedQueue:
    """All of it together. ``crash`` ends the dispatcher, ``begin`` makes another over the same spool."""

    running: ClassVar[list[Dispatcher]] = []  # of this test

    def __init__(
        self,
        schedule: ScheduleSettings | None = None,
        settings: DispatchSettings | None = None,
        disk: Any = None,
    ) -> None:
        self.time = ServerTime()
        self.clock = ServerClock(self.time)
        self.carrier = PlayedCarrier(self.clock)
        self.reports = PlayedReports(self.clock)
        self.disk = CountingSpool() if disk is None else disk
        self.journal, self.events = ServerJournal(), ListJournal()
        self.schedule = schedule or ScheduleSettings()
        self.settings = settings or DispatchSettings()
        self._ids = count(1)
        self.begin()

    def begin(self) -> None:
        """Make a dispatcher, and start it."""
        tasks = ReactorTasks(self.time, self.journal)
        doors = DispatchDoors(
            self.disk,
            {SMTP: self.carrier},
            self.reports,
            self.clock,
            tasks,
            self.journal,
            self.events,  # type: ignore[arg-type]
        )
        self.dispatcher = Dispatcher(doors, self.schedule, self.settings)
        self.running.append(self.dispatcher)
        self.spool = DispatchingSpool(self.disk, self.dispatcher)
        self.run(self.dispatcher.start())

    def crash(self) -> None:
        """End the process: nothing of what runs goes on, and the next one has a time of its own."""
        self.dispatcher._state.is_stopping = True  # what is collected runs its last lines
        self.time = ServerTime()
        self.clock = ServerClock(self.time, self.clock.now())
        self.carrier.clock = self.reports.clock = self.clock
        self.carrier.open = {}

    def run(self, work: Any) -> None:
        """Run a coroutine as far as it goes now."""
        ReactorTasks(self.time, self.journal).start("test", self._try(work))

    async def _try(self, work: Any) -> None:
        with suppress(Unavailable):
            await work

    def accept(
        self,
        *recipients: str,
        sender: str = "alice@example.org",
        submitter: str = "",
        request: DsnRequest | None = None,
        **fields: Any,
    ) -> str:
        """Accept a message; return its id."""
        id = f"job{next(self._ids)}"
        job = QueuedJob(
            id,
            self.clock.now(),
            parse(sender) if sender else NULL,
            submitter=submitter or sender,
            **fields,
        )
        to = tuple(owed(number, one, request) for number, one in enumerate(recipients, 1))
        self.run(self.spool.accept(NewJob(job, to, MESSAGE)))
        return id

    def pass_time(self, seconds: float, step: float = 0.0) -> None:
        """Let time pass, from one event to the next; in steps of at most so much."""
        end = self.time.seconds() + seconds
        while True:
            upcoming = min(self.time.next_due, end)
            if step:
                upcoming = min(upcoming, self.time.seconds() + step)
            if upcoming >= end:
                break
            self.time.advance(max(upcoming - self.time.seconds(), 0.0))
        self.time.advance(end - self.time.seconds())

    @property
    def owed(self) -> list[tuple[str, int]]:
        """Return who is still owed."""
        return [(id, number) for id, job in self.disk.jobs.items() for number in job.recipients]

    def made(self, action: ReportAction) -> list[tuple[str, int]]:
        """Return job and number of those of whom a report of an action was made durable."""
        reports = [self.reports.by_id[id] for id in self.disk.made]
        return [
            (id, one.recipient.number)
            for id, told in reports
            for one in told
            if one.action is action
        ]

    def sent_to(self, domain: str) -> list[Transaction]:
        """Return the transactions that went to a domain."""
        return [one for _, one in self.carrier.sent if one.destination.name == domain]

    def check(self) -> None:
        """Fail if anything was logged as a bug."""
        bugs = self.journal.of("failed")
        assert not bugs, bugs[0]


def owed(number: int, address: str, request: DsnRequest | None = None) -> OwedRecipient:
    """Return a recipient elsewhere."""
    target = RemoteTarget(parse(address))
    return OwedRecipient(number, target, request or DsnRequest())


def addresses(domain: str, number: int) -> Iterable[str]:
    """Return so many addresses of a domain."""
    return [f"user{each}@{domain}" for each in range(number)]
