"""All parts of one process, in the order in which they need each other.

What the processes of one server share, if it has several, comes from ``SharedServices``.
"""

from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from twisted_mail.assembly.conversations import ConversationAssembly, ConversationDependencies
from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.assembly.directory import DirectoryAssembly
from twisted_mail.assembly.event_journal import JournalAssembly
from twisted_mail.assembly.filters import FilterAssembly
from twisted_mail.assembly.listeners import ListenerDependencies
from twisted_mail.assembly.logins import LoginDependencies
from twisted_mail.assembly.network import NetworkAssembly
from twisted_mail.assembly.sending import (
    SendingDependencies,
    make_domain_check,
    make_remote_carrier,
)
from twisted_mail.assembly.storage import StorageAssembly
from twisted_mail.assembly.thread_pools import ThreadPools
from twisted_mail.assembly.trust import TrustAssembly, TrustDependencies
from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.config import Config
from twisted_mail.delivery.partial_deliveries import REFRESH_SECONDS
from twisted_mail.delivery.partial_folder import PARTIAL_FOLDER
from twisted_mail.interfaces import Carrier, CarrierBackend
from twisted_mail.mail.outcome import MailError
from twisted_mail.net.connection.fair_share import FairShare
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.net.process.cpu_affinity import CpuAffinity
from twisted_mail.net.process.deadline import wait_within
from twisted_mail.net.process.descriptors import DescriptorBudget, raise_descriptor_limit
from twisted_mail.net.process.fault_log import FaultLog
from twisted_mail.net.process.memory_trim import MemoryTrim
from twisted_mail.net.process.periodic import PeriodicTask, PeriodicTasks
from twisted_mail.net.process.tasks import ReactorTasks
from twisted_mail.net.server.connection_limit import connection_limit_for
from twisted_mail.plugin import ServerBackend, carriers
from twisted_mail.queue.pipe import Pipe
from twisted_mail.queue.reports.templates import load_templates
from twisted_mail.queue.spool.schema import SpoolUnusable
from twisted_mail.queue.takeover.waiting_folder import WAITING_FOLDER
from twisted_mail.workers.shared_services import SharedServices

CLOSE_SECONDS = 2.0  # that closing the store may take when the server ends
CERTIFICATE_SECONDS = 10.0  # how often the folder of certificates is looked at
DESCRIPTOR_SECONDS = 0.2  # between two counts of open descriptors
QUEUE_SECONDS = 1.0  # between two looks at the queue's disk, at words and at held posts
MEMORY_TRIM_SECONDS = 3.0  # between two checks whether many connections have ended

log = Logger(namespace="twisted_mail")


class Assembly:
    """All parts of one process of the mail server."""

    def __init__(self, reactor: Any, config: Config, shared: SharedServices) -> None:
        self.config = config
        self._reactor = reactor
        self._shared = shared
        config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.cpu_affinity = CpuAffinity()
        self.threads = ThreadPools(reactor, config, self.cpu_affinity.unpin)
        self._journal = JournalAssembly(reactor, config, self.threads.files)
        self.journal = journal = self._journal.journal
        self._clock = clock = ReactorClock(reactor)
        self.periodic_tasks = PeriodicTasks(reactor, journal)
        self._network = NetworkAssembly(reactor, config, clock, self.threads.files)
        self.report_fault = FaultLog(journal, clock, reactor.callFromThread)
        self._directory = DirectoryAssembly(
            config, self.threads, self.report_fault, shared.password_checks(clock)
        )
        self.passwords = self._directory.directory.passwords
        self._storage = StorageAssembly(
            reactor,
            config,
            shared,
            self.threads,
            clock,
            journal,
            self.report_fault,
        )
        self.store = self._storage.store
        self.throttle = shared.throttle(clock)
        self.pipe = Pipe()
        self._tasks = ReactorTasks(reactor, journal)
        self._trust = self._make_trust()
        self.delivery = self._make_delivery()
        self.filters = FilterAssembly(shared)
        self.descriptors = raise_descriptor_limit()
        self.connection_limit = connection_limit_for(self.descriptors.number)
        self._dependencies = self._conversation_dependencies(reactor)
        self.conversations = ConversationAssembly(config, self._dependencies)

    def _make_delivery(self) -> DeliveryAssembly:
        config, threads = self.config, self.threads
        return DeliveryAssembly(
            DeliveryDependencies(
                hostname=config.hostname,
                router=self._directory.router,
                store=self.store,
                mailing_lists=self._directory.mailing_lists,
                journal=self.journal,
                queue_journal=self._journal.queue_journal,
                clock=self._clock,
                tasks=self._tasks,
                queue_folder=str(config.queue_folder),
                waiting_folder=str(config.state / WAITING_FOLDER),
                partial_folder=str(config.state / PARTIAL_FOLDER),
                saves_to_detail_mailbox=config.addresses.save_to_detail_mailbox,
                files=threads.files,
                program_threads=threads.programs,
                run_program=self.pipe.run,
                programs=config.programs,
                list_settings=config.lists,
                queue_settings=config.queue,
                report_settings=config.reports,
                report_texts=load_templates(config.report_templates),
                budget=self._storage.budget,
                connections=config.sending.connections,
                recipients=config.sending.recipients,
                remote=self._make_remote_carrier(),
                carriers=self._make_plugin_carriers(),
                handoff=self._shared.handoff(self._storage.spool, threads.files, self.report_fault),
                report_fault=self.report_fault,
            )
        )

    def _make_trust(self) -> TrustAssembly:
        """Return what knows how far other hosts are trusted."""
        resolver, blocking = self._network.resolver, self.threads.files
        doors = self._reactor, self._clock, resolver, blocking, self._tasks, self.report_fault
        return TrustAssembly(self.config, TrustDependencies(*doors))

    def _make_remote_carrier(self) -> Carrier:
        """Return what brings mail to other hosts."""
        return make_remote_carrier(
            self.config,
            SendingDependencies(
                self._reactor,
                self._clock,
                self._network.resolver,
                self.threads.files,
                self.report_fault,
                self._storage.make_blob_writer,
                self._trust.demands,
                self._journal.dialogues,
            ),
        )

    def _make_plugin_carriers(self) -> list[Carrier]:
        """Return the carriers that the configuration asks for."""
        if not self.config.carriers:
            return []
        doors = CarrierBackend(
            self.config.hostname,
            self._clock,
            self.threads.files,
            self.journal,
            self._directory.router,
            self.store,
            self._network.resolver,
            self._network.connector,
            self._network.http_client,
        )
        kinds: Mapping[str, Any] = carriers()
        return [kinds[one.kind].make(one.settings, doors) for one in self.config.carriers]

    def _conversation_dependencies(self, reactor: Any) -> ConversationDependencies:
        directory, limit = self._directory.directory, self.connection_limit
        return ConversationDependencies(
            self._doors(),
            LoginDependencies(self.store, directory, self._clock, self.journal, self.throttle),
            self.filters,
            ListenerDependencies(reactor, self._shared, FairShare(reactor), limit),
        )

    def _doors(self) -> "partial[ServerBackend]":
        """Return the doors that stay the same while the server runs; logins and policy are to come."""
        return partial(
            ServerBackend,
            hostname=self.config.hostname,
            clock=self._clock,
            blocking=self.threads.messages,
            journal=self.journal,
            directory=self._directory.directory,
            router=self._directory.router,
            queue=self.delivery.queue,
            delivery=self.delivery.each,
            store=self.store,
            mechanisms=MECHANISMS,
            blob_writer=self._storage.make_blob_writer,
            resolver=self._network.resolver,
            state=self.config.state,
            connector=self._network.connector,
            http_client=self._network.http_client,
            domain_check=make_domain_check(self.config, self._clock, self._network.resolver),
        )

    # ------------------------------------------------------------ another configuration

    async def prepare(self, config: Config) -> ConversationAssembly:
        """Return what conversations will be made of by another configuration; nothing changes yet.

        Reads certificates. Raises what makers of plugins do.
        """
        made = ConversationAssembly(config, self._dependencies)
        await self.threads.files.run(made.listeners.read_certificates)
        return made

    def take_over(self, config: Config, conversations: ConversationAssembly) -> None:
        """Let new conversations be made by another configuration."""
        self.config = config
        self.conversations = conversations
        self.journal.notes_connections = config.log.connections

    # ------------------------------------------------------------ starting and stopping

    def start(self, *periodic_tasks: PeriodicTask) -> None:
        """Start the threads, and the periodic tasks: those of every process and those given."""
        if self.config.threads.one_processor:
            self.cpu_affinity.pin(self._shared.process)
        self.threads.start()
        trim = MemoryTrim(self.connection_limit)
        budget = DescriptorBudget(
            self.descriptors.number,
            self.connection_limit,
            self.store.close_accounts,
            self.threads.files,
        )
        self.periodic_tasks.start(
            PeriodicTask("descriptors", DESCRIPTOR_SECONDS, budget.work),
            PeriodicTask("certificates", CERTIFICATE_SECONDS, self._renew_certificates),
            PeriodicTask("retries", REFRESH_SECONDS, self.delivery.partial_deliveries.refresh),
            PeriodicTask("memory", MEMORY_TRIM_SECONDS, trim.work),
            *self._journal.periodic_tasks(),
            *periodic_tasks,
        )

    async def start_queue(self) -> None:
        """Take up the mail that waits, and look after it; end the server where that cannot be done."""
        try:
            await self._trust.start()
            await self.delivery.start()
        except (SpoolUnusable, MailError, OSError) as error:
            log.critical("the queue cannot be used: {text}", text=str(error))
            if self._reactor.running:
                self._reactor.stop()
            return
        work = self.delivery.periodic_work()
        tasks = [PeriodicTask(name, QUEUE_SECONDS, each) for name, each in work]
        self.periodic_tasks.start(*tasks)

    async def _renew_certificates(self) -> None:
        await self.threads.files.run(self.conversations.listeners.read_certificates)

    async def close(self) -> None:
        """Finish what was begun, and close everything; no conversation is open any more.

        Takes three times ``CLOSE_SECONDS`` and the ``STOP_SECONDS`` of the threads at most.
        """
        await self._within("connections to others", self._network.close())
        await self._within("closing the queue", self.delivery.close())
        await self._within("closing the policies", self._trust.close())
        await self._within("closing the store", self._storage.close())
        self._directory.close()
        self.threads.stop()
        self.cpu_affinity.unpin()
        self._journal.close()

    async def _within(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        await wait_within(self._reactor, CLOSE_SECONDS, name, Deferred.fromCoroutine(work))
