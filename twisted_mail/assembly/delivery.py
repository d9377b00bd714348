"""Everything that takes mail in and brings it on, made and connected.

The parts need each other in this order: the queue keeps jobs, acceptance puts them there and copies into
accounts, the mailer sends through acceptance, mailing lists write with the mailer, and the carriers bring
what the queue gives them. A worker has acceptance alone: the main process does the rest for it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from twisted_mail.assembly.queue import QueueAssembly, QueueDependencies
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.account_carrier import AccountCarrier
from twisted_mail.delivery.doors import DeliveryBackend, DeliveryHandoff, QueueDoors
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.delivery.partial_folder import PartialFolder
from twisted_mail.interfaces import (
    Blocking,
    Carrier,
    Clock,
    FaultReport,
    Journal,
    MailingListStore,
    QueueJournal,
    Router,
    Store,
    Tasks,
    unreported,
)
from twisted_mail.lists.admission import MailingListAdmission
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.carrier import ListCarrier
from twisted_mail.lists.settings import ListSettings
from twisted_mail.queue.mailer import QueueMailer
from twisted_mail.queue.program import Program
from twisted_mail.queue.program_carrier import ProgramCarrier, RunProgram
from twisted_mail.queue.reports.acceptance import onward_request, told_at_acceptance
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.reports.templates import ReportTexts, load_templates
from twisted_mail.queue.settings import QueueSettings
from twisted_mail.queue.takeover.take_over import TakeOver
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.store.disk.memory_budget import Budget

PeriodicWork = Callable[[], Awaitable[object]]
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class DeliveryDependencies:
    """What delivery works with.

    ``queue_folder`` is where the queue is on disk, ``waiting_folder`` where an earlier version had it,
    ``partial_folder`` where it is remembered who has a message that its sender keeps. ``files`` is for
    short work with files; ``run_program`` runs a program to its end, in a thread of
    ``program_threads``. ``remote`` brings mail to other hosts; ``carriers`` are those of
    plugins. With ``handoff`` this is a worker.
    """

    hostname: str
    router: Router
    store: Store
    mailing_lists: MailingListStore
    journal: Journal
    queue_journal: QueueJournal
    clock: Clock
    tasks: Tasks
    queue_folder: str
    waiting_folder: str
    files: Blocking
    program_threads: Blocking
    run_program: RunProgram
    programs: Sequence[Program] = ()
    list_settings: ListSettings = field(default_factory=ListSettings)
    queue_settings: QueueSettings = field(default_factory=QueueSettings)
    report_settings: ReportSettings = field(default_factory=ReportSettings)
    report_texts: ReportTexts = field(default_factory=load_templates)
    budget: Budget = field(default_factory=Budget)
    connections: int = 500
    recipients: int = 100
    remote: Carrier | None = None
    carriers: Sequence[Carrier] = ()
    handoff: DeliveryHandoff | None = None
    report_fault: FaultReport = unreported
    partial_folder: str = ""  # none: only in memory
    saves_to_detail_mailbox: bool = False


class DeliveryAssembly:
    """All that takes mail in and brings it on.

    ``queue`` is the door through which mail comes in, ``each`` its form with an answer for each
    recipient, ``lists`` what delivers to mailing lists; None in a worker. ``partial_deliveries`` are to
    be refreshed now and then, in every process.
    """

    def __init__(self, dependencies: DeliveryDependencies) -> None:
        self._of = of = dependencies
        self._queue = None if of.handoff else QueueAssembly(self._queue_dependencies())
        self._admission = MailingListAdmission(of.mailing_lists)
        self.partial_deliveries = self._make_partial_deliveries()
        backend = self._make_backend()
        self.queue = MailAcceptance(backend)
        self.each = LmtpAcceptance(backend)
        self._is_stopping = False
        self._programs = ProgramCarrier(of.programs, of.run_program, of.program_threads, of.clock)
        self.lists = None if self._queue is None else self._connect(self._queue, backend)

    def _queue_dependencies(self) -> QueueDependencies:
        of = self._of
        return QueueDependencies(
            hostname=of.hostname,
            folder=of.queue_folder,
            router=of.router,
            journal=of.journal,
            events=of.queue_journal,
            clock=of.clock,
            tasks=of.tasks,
            files=of.files,
            budget=of.budget,
            settings=of.queue_settings,
            report_settings=of.report_settings,
            report_texts=of.report_texts,
            connections=of.connections,
            recipients=of.recipients,
            report_fault=of.report_fault,
        )

    def _make_partial_deliveries(self) -> PartialDeliveries:
        of = self._of
        remembered = PartialFolder(of.partial_folder, DiskFiles()) if of.partial_folder else None
        return PartialDeliveries(of.clock, of.files, remembered, of.report_fault)

    def _make_backend(self) -> DeliveryBackend:
        of = self._of
        return DeliveryBackend(
            of.router,
            of.store,
            of.journal,
            of.clock,
            of.handoff,
            self.partial_deliveries,
            of.saves_to_detail_mailbox,
            None if self._queue is None else self._queue_doors(self._queue),
        )

    def _queue_doors(self, queue: QueueAssembly) -> QueueDoors:
        of = self._of
        return QueueDoors(
            queue.spool,
            queue.reports,
            self._admission,
            of.files,
            max_held=of.list_settings.max_held,
            first_retry=of.queue_settings.retries[0],
            dead_seconds=of.queue_settings.dead_days * _DAY,
            onward_request=onward_request,
            told_at_acceptance=told_at_acceptance,
            report_fault=of.report_fault,
            events=of.queue_journal,
        )

    def _connect(self, queue: QueueAssembly, backend: DeliveryBackend) -> ListCarrier:
        """Give the queue its carriers; return that of mailing lists."""
        of = self._of
        lists = ListCarrier(self._list_backend(queue), of.queue_settings.dead_days * _DAY)
        queue.carry(lists)
        queue.carry(AccountCarrier(backend))
        queue.carry(self._programs)
        if of.remote is not None:
            queue.carry(of.remote)
        for carrier in of.carriers:
            queue.carry(carrier)
        return lists

    def _list_backend(self, queue: QueueAssembly) -> ListBackend:
        of = self._of
        return ListBackend(
            of.hostname,
            of.mailing_lists,
            of.router,
            self._admission,
            QueueMailer(self.queue, of.clock, of.hostname),
            queue.spool,
            of.files,
            of.clock,
            of.journal,
            of.list_settings,
            of.report_fault,
        )

    # ------------------------------------------------------------ running

    async def start(self) -> None:
        """Open the queue, take over that of an earlier version, and begin to bring what waits.

        Raises SpoolUnusable, Unavailable and OSError.
        """
        of = self._of
        if self._queue is None or self.lists is None:
            return
        await self._queue.open()
        if self._is_stopping:
            return
        taken = await TakeOver(
            of.waiting_folder,
            DiskFiles(),
            self._queue.disk,
            of.files,
            of.clock,
            self.lists.distribution.jobs_for_missing,
            of.queue_settings.dead_days * _DAY,
            of.report_fault,
        ).run()
        if taken:
            of.journal.warned("queue:", f"{taken} messages of an earlier version are taken over")
        if not self._is_stopping:
            await self._queue.begin()

    def periodic_work(self) -> list[tuple[str, PeriodicWork]]:
        """Return the work that is to be done again and again, by names."""
        if self._queue is None or self.lists is None or self._is_stopping:
            return []
        return [*self._queue.periodic_work(), ("held posts", self.lists.held_posts.work)]

    async def stop(self) -> None:
        """Begin nothing more, at once, and let what is under way end."""
        self._is_stopping = True
        if self._queue is not None and self.lists is not None:
            self.lists.distribution.stop()
            self._programs.stop()
            await self._queue.stop()

    async def close(self) -> None:
        """Close what is on disk; nothing uses it any more."""
        if self._queue is not None:
            await self._queue.close()
