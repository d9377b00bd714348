"""The assembly: makes every part that one configuration asks for, and connects them.

What the processes of one server have together, if it has several, comes from ``commons``. Nothing runs
yet: that is for ``service``, and in a worker for ``workers.worker``.
"""

from pathlib import Path
from typing import Any

from twisted.logger import Logger

from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.auth.checkers import checker
from twisted_mail.auth.realm import Logins, Realm, logins, portal
from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.config import Config, FilterConfig
from twisted_mail.delivery.route import LocalRouter
from twisted_mail.directory.mailing_lists import SqliteMailingListStore
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.interfaces import Filter
from twisted_mail.log import LogJournal
from twisted_mail.mail.verdict import Decision
from twisted_mail.net.client.connector import ReactorConnector
from twisted_mail.net.client.http_client import AgentHttpClient
from twisted_mail.net.dns.resolver import DnsResolver
from twisted_mail.net.dns.stub_resolver import StubResolver
from twisted_mail.net.process.blocking import ThreadBlocking
from twisted_mail.net.process.clock import ReactorClock
from twisted_mail.net.process.cpu_affinity import CpuAffinity
from twisted_mail.net.process.inotify import Inotify
from twisted_mail.net.process.maillog import MailLog
from twisted_mail.net.process.memory_trim import MemoryTrim
from twisted_mail.net.process.periodic import PeriodicTask, PeriodicTasks
from twisted_mail.net.server.connection_limit import connection_limit_for, raise_descriptor_limit
from twisted_mail.net.server.conversation import ListenerSecurity
from twisted_mail.net.server.fair_share import FairShare
from twisted_mail.net.server.listening import ConversationFactory, StoppableFactory
from twisted_mail.net.server.proxied import ProxiedFactory
from twisted_mail.net.server.tls import Certificates
from twisted_mail.plugin import ServerBackend, filters, protocols
from twisted_mail.policy.filter_chain import ConfiguredFilter, FilterChain
from twisted_mail.queue.folder import WAITING_FOLDER
from twisted_mail.queue.pipe import Pipe
from twisted_mail.store.disk.blob import SpoolWriter
from twisted_mail.store.disk.budget import Budget
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.workers.shared import SharedServices

CERTIFICATE_SECONDS = 10.0  # how often the folder of certificates is looked at
MEMORY_TRIM_SECONDS = 3.0  # between two looks whether a crowd has gone
SPOOL_FOLDER = "tmp"  # in the state folder: messages on their way in
FILE_THREADS = 16  # enough for the file system to share its syncs between them
MESSAGE_THREADS = 2  # taking messages apart is all computing, of which one thread is done at a time

log = Logger(namespace="twisted_mail")


class Assembly:
    """All parts of one process of the mail server."""

    def __init__(self, reactor: Any, config: Config, commons: SharedServices) -> None:
        self.config = config
        self._reactor = reactor
        self._commons = commons
        self.cpu_affinity = CpuAffinity()
        self._make_threads()
        self.certificates = Certificates(config.tls.folder, config.hostname)
        self._mail_log = self._make_mail_log()
        write = None if self._mail_log is None else self._mail_log.write
        self.journal = LogJournal(config.log.connections, write)
        self.periodic_tasks = PeriodicTasks(reactor, self.journal)
        self._turns = FairShare(reactor)
        self._crowd = connection_limit_for(raise_descriptor_limit())
        self._posting = AgentHttpClient(reactor)
        self.pipe = Pipe()
        self._watching = Inotify(reactor, self.journal)
        self._clock = ReactorClock(reactor)
        self.doors = self._make_backend()
        self.filters = [self._make_filter(*one) for one in enumerate(config.filters)]
        self._policy.set_filters(list(map(self._configure_filter, config.filters, self.filters)))

    # ------------------------------------------------------------ making

    def _make_threads(self) -> None:
        reactor, config = self._reactor, self.config
        spread = self.cpu_affinity.unpin  # what computes outside of Python, and programs
        running = sum(program.max_running for program in config.programs)
        self.files = ThreadBlocking(reactor, "files", FILE_THREADS)
        self._messages = ThreadBlocking(reactor, "messages", MESSAGE_THREADS)
        self._hashing = ThreadBlocking(
            reactor, "passwords", config.passwords.threads, config.passwords.waiting, spread
        )
        self._programs = ThreadBlocking(reactor, "programs", max(1, running), begin=spread)

    def _make_mail_log(self) -> MailLog | None:
        if not self.config.log.file:
            return None
        path = self.config.state / self.config.log.file
        return MailLog(self._reactor, path, lambda text: log.warn("{text}", text=text))

    def _make_folders(self) -> Path:
        """Make the state folder; return the folder inside for messages on their way in."""
        self.config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        spool = self.config.state / SPOOL_FOLDER
        spool.mkdir(mode=0o700, exist_ok=True)
        return spool

    def _make_directory(self) -> SqliteDirectory:
        config = self.config
        return SqliteDirectory(
            config.accounts_file, self.files, self._hashing, config.passwords, config.domains
        )

    def _make_store(self) -> MaildirStore:
        room = self._commons.room(self.config.store)
        return MaildirStore(
            self.config.state / "mail",
            self.files,
            self._clock,
            ItemRenderer(),
            settings=self.config.store,
            report=self._watcher_failed,
            progress=self.journal.indexed,
            monitor=self._watching,
            room=room,
        )

    def _make_delivery(self, router: LocalRouter) -> DeliveryAssembly:
        config = self.config
        self._rolls = SqliteMailingListStore(
            config.accounts_file, self.files, config.domains, config.addresses.separators
        )
        return DeliveryAssembly(
            DeliveryDependencies(
                hostname=config.hostname,
                router=router,
                store=self.store,
                mailing_lists=self._rolls,
                journal=self.journal,
                clock=self._clock,
                folder=str(config.state / WAITING_FOLDER),
                files=self.files,
                program_threads=self._programs,
                run_program=self.pipe.run,
                programs=config.programs,
                list_settings=config.lists,
                queue_settings=config.waiting,
                handoff=self._commons.handoff(config.state / SPOOL_FOLDER, self.files),
            )
        )

    def _make_logins(self) -> Logins:
        """Make the one portal, seen for each face; the first domain completes bare user names."""
        domain = (*self.config.domains, self.config.hostname)[0]
        asked = checker(self.config.login.checkers, self._directory, domain)
        separators = self.config.addresses.separators
        self._realm = Realm(self.store, self._directory, domain, separators)
        one_portal = portal(self._realm, asked)
        self.throttle = self._commons.throttle(self._clock)
        return logins(one_portal, domain, self._clock, self.journal, self.throttle)

    def _make_backend(self) -> ServerBackend:
        config, spool, budget = self.config, self._make_folders(), Budget()
        self._directory = self._make_directory()
        self.store = self._make_store()
        router = LocalRouter(
            self._directory, config.hostname, config.domains, config.addresses.separators
        )
        self.office = self._make_delivery(router)
        self._policy = FilterChain(self._clock, self.journal)
        doors = self._make_logins()
        return ServerBackend(
            hostname=config.hostname,
            clock=self._clock,
            blocking=self._messages,
            journal=self.journal,
            directory=self._directory,
            router=router,
            queue=self.office.queue,
            delivery=self.office.each,
            assume_login=self._realm.assume,
            policy=self._policy,
            store=self.store,
            mechanisms=MECHANISMS,
            login_mailboxes=doors.mailboxes,
            login_maildrop=doors.maildrop,
            login_submitter=doors.submitter,
            blob_writer=lambda: SpoolWriter(spool, self.files, budget=budget),
            resolver=self._make_resolver(),
            state=config.state,
            connector=ReactorConnector(self._reactor),
            http_client=self._posting,
        )

    def _make_resolver(self) -> DnsResolver:
        dns = self.config.dns
        return DnsResolver(
            StubResolver(self._reactor, dns.server_addresses(), dns.timeout).ask, self._clock
        )

    def _make_filter(self, number: int, one: FilterConfig) -> Filter:
        plugin: Any = filters()[one.kind]
        made: Filter = plugin.make(one.settings, self.doors)
        if getattr(plugin, "is_common", False):
            return self._commons.filter(number, made)
        return made

    def _configure_filter(self, one: FilterConfig, made: Filter) -> ConfiguredFilter:
        return ConfiguredFilter(
            one.name, made, one.services, one.seconds, Decision(one.when_failed)
        )

    def _watcher_failed(self, error: Exception) -> None:
        """Note the failure of one who watches a mailbox; the change itself has been made."""
        try:
            raise error
        except Exception:
            self.journal.failed("watcher")

    def make_factory(self, number: int) -> StoppableFactory:
        """Make what begins the conversations of one of the configured listeners."""
        listener = self.config.listeners[number]
        plugin: Any = protocols()[listener.service]
        terms = ListenerSecurity(
            None if listener.tls == "none" else self.certificates,
            listener.tls == "implicit",
            listener.cleartext_passwords,
        )
        conversations = ConversationFactory(
            self._reactor,
            plugin.make(self.config.services[listener.service], self.doors),
            terms,
            self.journal,
            plugin.busy,
            listener.connections,
            listener.connections_per_address,
            self._turns,
            self._crowd,
            self._commons.connection_counter(number),
        )
        if listener.proxy:
            return ProxiedFactory(self._reactor, conversations, listener.proxies, self.journal)
        return conversations

    # ------------------------------------------------------------ starting and stopping

    def start(self, *periodic_tasks: PeriodicTask) -> None:
        """Start the threads, and the chores: those of every process and those given."""
        if self.config.threads.one_processor:
            self.cpu_affinity.pin(self._commons.process)
        for threads in (self.files, self._messages, self._hashing, self._programs):
            threads.start()
        self.periodic_tasks.start(
            PeriodicTask("certificates", CERTIFICATE_SECONDS, self._renew_certificates),
            PeriodicTask("memory", MEMORY_TRIM_SECONDS, MemoryTrim(self._crowd).work),
            *periodic_tasks,
        )

    async def close(self) -> None:
        """Finish what was begun, and close everything; no conversation is open any more."""
        await self._posting.close()
        await self.store.close()
        self._watching.close()
        self._directory.close()
        self._rolls.close()
        for threads in (self._programs, self.files, self._messages, self._hashing):
            threads.stop()
        self.cpu_affinity.unpin()
        if self._mail_log is not None:
            self._mail_log.flush()
            self._mail_log.close()

    # ------------------------------------------------------------ certificates

    def read_certificates(self) -> None:
        """Take new certificates up. Blocks a little."""
        if self.certificates.scan(self._warn_of_certificate):
            log.info("certificates read from {folder}", folder=str(self.config.tls.folder))

    async def _renew_certificates(self) -> None:
        await self.files.run(self.read_certificates)

    def _warn_of_certificate(self, path: Path, text: str) -> None:
        log.warn("{path} is not used: {text}", path=str(path), text=text)
