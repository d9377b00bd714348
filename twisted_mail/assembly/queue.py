"""The queue, made and connected: its disk, what gives carriers work, reports, the operator's words.

Everybody but the dispatcher uses ``spool``, through which it learns what has become due.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from twisted_mail.interfaces import (
    Blocking,
    Carrier,
    Clock,
    FaultReport,
    JobSpool,
    Journal,
    QueueJournal,
    Router,
    Tasks,
    unreported,
)
from twisted_mail.queue.damaged import DamagedMail
from twisted_mail.queue.dispatch.dispatcher import Dispatcher
from twisted_mail.queue.dispatch.dispatching_spool import DispatchingSpool
from twisted_mail.queue.dispatch.memory.state import DispatchDoors
from twisted_mail.queue.reports.reports import QueueReports, ReportBackend
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.reports.templates import ReportTexts, load_templates
from twisted_mail.queue.settings import QueueSettings
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.queue.undeliverable import UndeliverableMail
from twisted_mail.queue.words.listener import WordDoors, WordListener
from twisted_mail.queue.words.store import SpoolWords
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.store.disk.memory_budget import Budget

QUEUE_FOLDER = "queue"  # its name in the state folder


@dataclass(frozen=True, slots=True)
class QueueDependencies:
    """What the queue works with. ``folder`` is where it is on disk."""

    hostname: str
    folder: str
    router: Router
    journal: Journal
    events: QueueJournal
    clock: Clock
    tasks: Tasks
    files: Blocking
    budget: Budget = field(default_factory=Budget)
    settings: QueueSettings = field(default_factory=QueueSettings)
    report_settings: ReportSettings = field(default_factory=ReportSettings)
    report_texts: ReportTexts = field(default_factory=load_templates)
    connections: int = 500
    recipients: int = 100
    report_fault: FaultReport = unreported


class QueueAssembly:
    """The queue. ``spool`` takes jobs, ``reports`` writes to senders.

    ``disk`` is the spool beneath, of which the dispatcher hears nothing until ``begin``.
    """

    def __init__(self, dependencies: QueueDependencies) -> None:
        self._of = of = dependencies
        self.disk = DiskJobSpool(
            of.folder,
            DiskFiles(),
            of.files,
            of.clock,
            of.budget,
            of.report_fault,
            of.settings.spool,
        )
        self._is_open = False
        self._carriers: dict[str, Carrier] = {}
        backend = ReportBackend(of.router, of.clock, of.files, of.journal, of.hostname)
        self.reports = QueueReports(backend, of.report_settings, of.report_texts)
        self._dispatcher = self._make_dispatcher()
        self.spool: JobSpool = DispatchingSpool(self.disk, self._dispatcher)
        self._store = SpoolWords(self.disk.query)
        self._words = self._make_words()
        self._undeliverable = UndeliverableMail(self.spool, of.clock, of.journal)
        self._damaged = DamagedMail(
            self._store.damaged, self.reports.tell_postmaster, self.spool, of.clock, of.journal
        )

    def _make_dispatcher(self) -> Dispatcher:
        of = self._of
        doors = DispatchDoors(
            self.disk, self._carriers, self.reports, of.clock, of.tasks, of.journal, of.events
        )
        settings = of.settings.dispatch(of.connections, of.recipients)
        return Dispatcher(doors, of.settings.schedule, settings)

    def _make_words(self) -> WordListener:
        of = self._of
        return WordListener(
            WordDoors(
                self._store,
                self.spool,
                self._dispatcher,
                self.reports,
                of.journal,
                of.events,
                of.clock.now,
            )
        )

    def carry(self, carrier: Carrier) -> None:
        """Have a carrier bring what is for destinations of its name."""
        self._carriers[carrier.name] = carrier

    # ------------------------------------------------------------ running

    async def open(self) -> None:
        """Open what is on disk. Raises SpoolUnusable and Unavailable."""
        await self.disk.start()
        self._is_open = True

    async def begin(self) -> None:
        """Begin to bring what waits. Raises Unavailable."""
        await self._dispatcher.start(await self._store.suspensions())

    def periodic_work(self) -> list[tuple[str, Callable[[], Any]]]:
        """Return the work that is to be done about once a second, by names."""
        return [
            ("queue", self.disk.tend),
            ("words", self._words.poll),
            ("undeliverable mail", self._undeliverable.work),
            ("damaged mail", self._damaged.work),
        ]

    async def stop(self) -> None:
        """Begin nothing more, and let what is under way end."""
        await self._dispatcher.stop()

    async def close(self) -> None:
        """Close what is on disk, if it was opened; nothing uses it any more."""
        if self._is_open:
            self._is_open = False
            await self.disk.close()
