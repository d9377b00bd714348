"""All parts of one process, in the order in which they need each other.

What the processes of one server share, if it has several, comes from ``SharedServices``.
"""

from dataclasses import replace
from typing import Any

from twisted_mail.assembly.arrival_steps import make_added_steps
from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.assembly.directory import DirectoryAssembly
from twisted_mail.assembly.filters import make_filters, make_policy
from twisted_mail.assembly.journal import JournalAssembly
from twisted_mail.assembly.listeners import ListenerAssembly
from twisted_mail.assembly.logins import LoginAssembly
from twisted_mail.assembly.network import NetworkAssembly
from twisted_mail.assembly.storage import StorageAssembly
from twisted_mail.assembly.threads import ThreadPools
from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.config import Config
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.net.process.cpu_affinity import CpuAffinity
from twisted_mail.net.process.memory_trim import MemoryTrim
from twisted_mail.net.process.periodic import PeriodicTask, PeriodicTasks
from twisted_mail.plugin import ServerBackend
from twisted_mail.policy.filter_chain import FilterChain
from twisted_mail.queue.folder import WAITING_FOLDER
from twisted_mail.queue.pipe import Pipe
from twisted_mail.workers.shared import SharedServices

CERTIFICATE_SECONDS = 10.0  # how often the folder of certificates is looked at
MEMORY_TRIM_SECONDS = 3.0  # between two checks whether many connections have ended


class Assembly:
    """All parts of one process of the mail server."""

    def __init__(self, reactor: Any, config: Config, shared: SharedServices) -> None:
        self.config = config
        self._shared = shared
        config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.cpu_affinity = CpuAffinity()
        self.threads = ThreadPools(reactor, config, self.cpu_affinity.unpin)
        self._journal = JournalAssembly(reactor, config)
        self.journal = journal = self._journal.journal
        self._clock = clock = ReactorClock(reactor)
        self.periodic_tasks = PeriodicTasks(reactor, journal)
        self._network = NetworkAssembly(reactor, config, clock)
        self._directory = DirectoryAssembly(config, self.threads)
        self._storage = StorageAssembly(
            reactor, config, shared, self.threads.files, self.threads.accounts, clock, journal
        )
        self.store = self._storage.store
        self._logins = LoginAssembly(
            config, shared, self.store, self._directory.directory, clock, journal
        )
        self.throttle = self._logins.throttle
        self.pipe = Pipe()
        self.delivery = self._make_delivery()
        services = self._make_backend()
        self.filters = make_filters(config.filters, services, shared)
        self.backend = replace(
            services,
            policy=make_policy(config, self.filters, clock, journal),
            added_steps=make_added_steps(config.arrival_steps, services),
        )
        self.listeners = ListenerAssembly(reactor, config, shared, self.backend, journal)

    def _make_delivery(self) -> DeliveryAssembly:
        config, threads = self.config, self.threads
        return DeliveryAssembly(
            DeliveryDependencies(
                hostname=config.hostname,
                router=self._directory.router,
                store=self.store,
                mailing_lists=self._directory.mailing_lists,
                journal=self.journal,
                clock=self._clock,
                folder=str(config.state / WAITING_FOLDER),
                files=threads.files,
                program_threads=threads.programs,
                run_program=self.pipe.run,
                programs=config.programs,
                list_settings=config.lists,
                queue_settings=config.waiting,
                handoff=self._shared.handoff(self._storage.spool, threads.files),
            )
        )

    def _make_backend(self) -> ServerBackend:
        """Return all doors; the policy has no filters yet, as these are made from the other doors."""
        logins = self._logins.logins
        return ServerBackend(
            hostname=self.config.hostname,
            clock=self._clock,
            blocking=self.threads.messages,
            journal=self.journal,
            directory=self._directory.directory,
            router=self._directory.router,
            queue=self.delivery.queue,
            delivery=self.delivery.each,
            assume_login=self._logins.realm.assume,
            policy=FilterChain(self._clock, self.journal),
            store=self.store,
            mechanisms=MECHANISMS,
            login_mailboxes=logins.mailboxes,
            login_maildrop=logins.maildrop,
            login_submitter=logins.submitter,
            blob_writer=self._storage.make_blob_writer,
            resolver=self._network.resolver,
            state=self.config.state,
            connector=self._network.connector,
            http_client=self._network.http_client,
        )

    # ------------------------------------------------------------ starting and stopping

    def start(self, *periodic_tasks: PeriodicTask) -> None:
        """Start the threads, and the periodic tasks: those of every process and those given."""
        if self.config.threads.one_processor:
            self.cpu_affinity.pin(self._shared.process)
        self.threads.start()
        trim = MemoryTrim(self.listeners.connection_limit)
        self.periodic_tasks.start(
            PeriodicTask("certificates", CERTIFICATE_SECONDS, self._renew_certificates),
            PeriodicTask("memory", MEMORY_TRIM_SECONDS, trim.work),
            *periodic_tasks,
        )

    async def _renew_certificates(self) -> None:
        await self.threads.files.run(self.listeners.read_certificates)

    async def close(self) -> None:
        """Finish what was begun, and close everything; no conversation is open any more."""
        await self._network.close()
        await self._storage.close()
        self._directory.close()
        self.threads.stop()
        self.cpu_affinity.unpin()
        self._journal.close()
