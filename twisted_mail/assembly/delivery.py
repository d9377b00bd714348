"""Everything that delivers mail here, made and connected.

The parts need each other in this order: the job queue takes jobs, local delivery puts them there, the
mailer sends through local delivery, mailing lists and failure reports write with the mailer, and the
runner hands the jobs to programs and lists.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from twisted_mail.delivery.doors import DeliveryBackend, DeliveryHandoff
from twisted_mail.delivery.lmtp_delivery import LmtpDelivery
from twisted_mail.delivery.local import LocalDelivery
from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.delivery.partial_folder import PartialFolder
from twisted_mail.interfaces import (
    Blocking,
    Clock,
    FaultReport,
    Journal,
    MailingListStore,
    Router,
    Store,
    Transport,
    unreported,
)
from twisted_mail.lists.admission import MailingListAdmission
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.settings import ListSettings
from twisted_mail.lists.transport import MailingListTransport
from twisted_mail.mail.job import LISTS, program_transport
from twisted_mail.queue.dead_letters import DeadLetters, dead_folder
from twisted_mail.queue.failure_report import DsnReporter
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.queue.held_jobs import HeldJobReview
from twisted_mail.queue.job_counts import JobCounts
from twisted_mail.queue.job_queue import FolderJobQueue
from twisted_mail.queue.mailer import QueueMailer
from twisted_mail.queue.program import Program
from twisted_mail.queue.program_transport import ProgramTransport, RunProgram
from twisted_mail.queue.runner import QueueRunner
from twisted_mail.queue.settings import QueueSettings
from twisted_mail.store.disk.files import DiskFiles

PeriodicWork = Callable[[], Awaitable[object]]
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class DeliveryDependencies:
    """What delivery works with.

    ``folder`` is where jobs are on disk, ``partial_folder`` where it is remembered who has a message
    that its sender keeps. ``files`` is for short work with files; ``run_program`` runs a
    program to its end, in a thread of ``program_threads``.
    """

    hostname: str
    router: Router
    store: Store
    mailing_lists: MailingListStore
    journal: Journal
    clock: Clock
    folder: str
    files: Blocking
    program_threads: Blocking
    run_program: RunProgram
    programs: Sequence[Program] = ()
    list_settings: ListSettings = field(default_factory=ListSettings)
    queue_settings: QueueSettings = field(default_factory=QueueSettings)
    handoff: DeliveryHandoff | None = None
    report_fault: FaultReport = unreported
    partial_folder: str = ""  # none: only in memory
    saves_to_detail_mailbox: bool = False


class DeliveryAssembly:
    """All that delivers mail.

    ``queue`` is the door through which mail comes in, ``each`` its form with an answer for each
    recipient, ``lists`` what delivers to mailing lists. ``partial_deliveries`` are to be refreshed now
    and then, in every process.
    """

    def __init__(self, dependencies: DeliveryDependencies) -> None:
        self._dependencies = of = dependencies
        self._folder = QueueFolder(of.folder, DiskFiles(), of.report_fault)
        self._dead_letters = self._make_dead_letters()
        self._jobs = self._make_job_queue()
        self.partial_deliveries = self._make_partial_deliveries()
        backend = self._make_backend()
        self.queue = LocalDelivery(backend)
        self.each = LmtpDelivery(backend)
        mailer = QueueMailer(self.queue, of.clock, of.hostname)
        self.lists = MailingListTransport(self._make_list_backend(mailer))
        reporter = DsnReporter(mailer, of.hostname, of.files)
        self._runner = QueueRunner(
            self._jobs, self._transports(), reporter, of.clock, of.journal, of.queue_settings
        )
        self._review = self._make_review()

    def _make_dead_letters(self) -> DeadLetters:
        of = self._dependencies
        return DeadLetters(
            dead_folder(self._folder, DiskFiles(), of.report_fault),
            of.files,
            of.clock,
            of.journal,
            of.queue_settings.dead_days,
            of.report_fault,
        )

    def _make_partial_deliveries(self) -> PartialDeliveries:
        of = self._dependencies
        remembered = PartialFolder(of.partial_folder, DiskFiles()) if of.partial_folder else None
        return PartialDeliveries(of.clock, of.files, remembered, of.report_fault)

    def _make_backend(self) -> DeliveryBackend:
        of = self._dependencies
        return DeliveryBackend(
            of.router,
            of.store,
            of.journal,
            of.clock,
            self._jobs,
            of.handoff,
            self.partial_deliveries,
            of.saves_to_detail_mailbox,
        )

    def _make_review(self) -> HeldJobReview:
        of = self._dependencies
        return HeldJobReview(
            self._jobs,
            self.lists.moderation,
            of.clock,
            of.journal,
            of.queue_settings.longest_retry,
            of.list_settings.held_days * _DAY,
        )

    def _make_job_queue(self) -> FolderJobQueue:
        of = self._dependencies
        return FolderJobQueue(
            self._folder,
            of.files,
            of.clock,
            MailingListAdmission(of.mailing_lists),
            JobCounts(of.queue_settings.max_parcels, of.list_settings.max_held),
            self._dead_letters,
            of.report_fault,
        )

    def _make_list_backend(self, mailer: QueueMailer) -> ListBackend:
        of = self._dependencies
        return ListBackend(
            of.hostname,
            of.mailing_lists,
            self.queue,
            mailer,
            self._jobs,
            self._folder,
            of.files,
            of.clock,
            of.journal,
            of.list_settings,
            of.report_fault,
        )

    def _transports(self) -> Mapping[str, Transport]:
        of = self._dependencies
        programs = ProgramTransport(of.programs, of.run_program, of.program_threads)
        names = (program_transport(program.name) for program in of.programs)
        return {LISTS: self.lists, **dict.fromkeys(names, programs)}

    # ------------------------------------------------------------ running

    def load(self) -> None:
        """Read the jobs that are on disk. Blocks; raises OSError."""
        self._jobs.load()

    def periodic_work(self) -> list[tuple[str, PeriodicWork]]:
        """Return the work that is to be done again and again, by names: one piece may take long."""
        found: list[tuple[str, PeriodicWork]] = [
            ("mailing lists", partial(self._runner.work, LISTS)),
            ("held posts", self._review.work),
            ("unknown programs", self._runner.work_unknown),
            ("dead letters", self._dead_letters.work),
        ]
        for program in self._dependencies.programs:
            one = partial(self._runner.work, program_transport(program.name))
            found += [(f"program {program.name}", one)] * program.max_running
        return found

    def stop(self) -> None:
        """Begin nothing more."""
        self._runner.stop()
        self.lists.distribution.stop()
