"""The post office: everything that delivers mail here, made and connected."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from twisted_mail.delivery.doors import DeliveryBackend, DeliveryHandoff
from twisted_mail.delivery.each import LmtpDelivery
from twisted_mail.delivery.local import LocalDelivery
from twisted_mail.interfaces import Blocking, Clock, Journal, MailingListStore, Router, Store
from twisted_mail.interfaces.queue import Transport
from twisted_mail.lists.distribution import Distribution
from twisted_mail.lists.settings import ListSettings
from twisted_mail.lists.transport import HeldPosts, MailingListTransport
from twisted_mail.mail.job import LISTS_KEY
from twisted_mail.queue.failure_report import DsnReporter
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.queue.job_queue import JobQueue
from twisted_mail.queue.mailer import Mailer
from twisted_mail.queue.program import Program
from twisted_mail.queue.program_transport import ProgramTransport, RunProgram
from twisted_mail.queue.settings import QueueSettings

PeriodicWork = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class DeliveryDependencies:
    """What the post office works with.

    ``folder`` is where parcels lie. ``files`` is for short work with files, and ``running`` for
    programs, which ``run`` runs and which take long.
    """

    hostname: str
    router: Router
    store: Store
    rolls: MailingListStore
    journal: Journal
    clock: Clock
    folder: str
    files: Blocking
    running: Blocking
    run: RunProgram
    programs: Sequence[Program] = ()
    lists: ListSettings = field(default_factory=ListSettings)
    waiting: QueueSettings = field(default_factory=QueueSettings)
    handoff: DeliveryHandoff | None = None


class DeliveryAssembly:
    """Has the queue through which mail comes in, and the work that is to be done again and again."""

    def __init__(self, supplies: DeliveryDependencies) -> None:
        of = supplies
        self._settings = of.lists
        self._programs = of.programs
        folder = QueueFolder(of.folder)
        self._waiting = JobQueue(folder, of.files, of.clock, of.journal, of.waiting)
        doors = DeliveryBackend(
            of.router, of.store, of.journal, of.clock, self._waiting, of.handoff
        )
        self.queue = LocalDelivery(doors)
        self.each = LmtpDelivery(doors)
        post = Mailer(self.queue, of.clock, of.hostname)
        self._distribution = Distribution(
            of.rolls, self.queue, folder, post, of.files, of.journal, of.lists
        )
        self.lists = MailingListTransport(
            of.rolls,
            self._distribution,
            post,
            of.files,
            of.lists,
            HeldPosts(self._held, folder.decide),
        )
        programs = ProgramTransport(of.programs, of.run, of.running)
        doers: dict[str, Transport] = {f"|{program.name}": programs for program in of.programs}
        reports = DsnReporter(post, of.hostname, of.files)
        self._waiting.register_transports({LISTS_KEY: self.lists, **doers}, self.lists, reports)

    def _held(self) -> int:
        return len(self._waiting.held)

    def load(self) -> None:
        """Take up the mail that waits on disk. Blocks; raises OSError."""
        self._waiting.load()

    def work(self) -> list[tuple[str, PeriodicWork]]:
        """Return the work that waits now and then, by names: one piece may take long."""
        found: list[tuple[str, PeriodicWork]] = [
            ("mailing lists", partial(self._waiting.work, LISTS_KEY)),
            ("held posts", self._review_held),
        ]
        for program in self._programs:
            one: PeriodicWork = partial(self._waiting.work, f"|{program.name}")
            found += [(f"program {program.name}", one)] * program.max_running
        return found

    async def _review_held(self) -> None:
        if not self._held():
            return
        await self._waiting.apply_decisions()
        await self._waiting.expire(self._settings.held_days * 86400)

    def stop(self) -> None:
        """Begin nothing more."""
        self._waiting.stop()
        self._distribution.stop()
