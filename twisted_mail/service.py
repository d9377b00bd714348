"""The assembly: makes everything, connects everything, owns nothing else.

``twistd mailserver`` comes in at ``makeService``.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import serverFromString
from twisted.logger import Logger
from twisted.python import usage

from twisted_mail import __version__
from twisted_mail.agents import demo
from twisted_mail.auth.checkers import checker
from twisted_mail.auth.realm import Logins, Realm, logins, portal
from twisted_mail.auth.sasl import MECHANISMS
from twisted_mail.config import Config, ConfigError, load
from twisted_mail.config import Filter as FilterConfig
from twisted_mail.config import Listener as ListenerConfig
from twisted_mail.delivery.office import PostOffice, Supplies
from twisted_mail.delivery.parcels import WAITING_FOLDER
from twisted_mail.delivery.pipe import Pipe
from twisted_mail.delivery.route import LocalRouter
from twisted_mail.directory.rolls import SqliteRolls
from twisted_mail.directory.schema import Unusable
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.imap.render import Render
from twisted_mail.log import LogJournal
from twisted_mail.mail.verdict import Decision
from twisted_mail.net.blocking import ThreadBlocking
from twisted_mail.net.chores import Chore, Chores
from twisted_mail.net.clock import ReactorClock
from twisted_mail.net.conversation import Terms
from twisted_mail.net.crowd import crowd_of, most_descriptors
from twisted_mail.net.dialing import ReactorDialing
from twisted_mail.net.inotify import Inotify
from twisted_mail.net.listening import ConversationFactory, Listener, Receiving
from twisted_mail.net.memory import Ebb
from twisted_mail.net.posting import AgentPosting
from twisted_mail.net.processor import Processor
from twisted_mail.net.proxied import ProxiedFactory
from twisted_mail.net.resolver import DnsResolver
from twisted_mail.net.stub import Stub
from twisted_mail.net.tls import Certificates
from twisted_mail.net.turns import Turns
from twisted_mail.plugin import Doors, filters, protocols
from twisted_mail.policy.stages import Seat, Stages
from twisted_mail.store.blob import SpoolWriter
from twisted_mail.store.maildir import MaildirStore

CERTIFICATE_SECONDS = 10.0  # how often the folder of certificates is looked at
TIDYING_SECONDS = 1.0  # between two steps of removing what was expunged long ago
ERRAND_SECONDS = 0.5  # between two looks for mail that waits for programs and lists
EBB_SECONDS = 3.0  # between two looks whether a crowd has gone
INDEXING_SECONDS = 0.5  # between two rounds of indexing texts, which take 0.2 s each
FILE_THREADS = 16  # enough for the file system to share its syncs between them
MESSAGE_THREADS = 2  # taking messages apart is all computing, of which one thread is done at a time

log = Logger(namespace="twisted_mail")


class MailService(Service):
    """The running mail server that one configuration describes."""

    def __init__(self, reactor: Any, config: Config) -> None:
        self.config = config
        self._reactor = reactor
        self._files = ThreadBlocking(reactor, "files", FILE_THREADS)
        self._messages = ThreadBlocking(reactor, "messages", MESSAGE_THREADS)
        self._processor = Processor()
        spread = self._processor.spread  # what computes outside of Python, and programs
        self._hashing = ThreadBlocking(
            reactor, "passwords", config.passwords.threads, config.passwords.waiting, spread
        )
        running = sum(program.max_running for program in config.programs)
        self._programs = ThreadBlocking(reactor, "programs", max(1, running), begin=spread)
        self._pipe = Pipe()
        self._certificates = Certificates(config.tls.folder, config.hostname)
        self._journal = LogJournal(config.log.connections)
        self._chores = Chores(reactor, self._journal)
        self._turns = Turns(reactor)
        self._crowd = crowd_of(most_descriptors())
        self._posting = AgentPosting(reactor)
        self._troubles: list[str] = []  # why there can be no service
        self._watching = Inotify(reactor, self._journal)
        self._clock = ReactorClock(reactor)
        self.doors = self._make_doors()
        self._policy.seat([self._make_seat(one) for one in config.filters])
        self.listeners = [self._make_listener(listener) for listener in config.listeners]

    # ------------------------------------------------------------ making

    def _make_folders(self) -> Path:
        """Make the state folder; return the folder inside for messages on their way in."""
        self.config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        spool = self.config.state / "tmp"
        spool.mkdir(mode=0o700, exist_ok=True)
        return spool

    def _make_directory(self) -> SqliteDirectory:
        config = self.config
        return SqliteDirectory(
            config.accounts_file, self._files, self._hashing, config.passwords, config.domains
        )

    def _make_store(self) -> MaildirStore:
        return MaildirStore(
            self.config.state / "mail",
            self._files,
            self._clock,
            Render(),
            settings=self.config.store,
            report=self._watcher_failed,
            progress=self._journal.indexed,
            watching=self._watching,
        )

    def _make_office(self, router: LocalRouter) -> PostOffice:
        config = self.config
        self._rolls = SqliteRolls(
            config.accounts_file, self._files, config.domains, config.addresses.separators
        )
        return PostOffice(
            Supplies(
                hostname=config.hostname,
                router=router,
                store=self._store,
                rolls=self._rolls,
                journal=self._journal,
                clock=self._clock,
                folder=str(config.state / WAITING_FOLDER),
                files=self._files,
                running=self._programs,
                run=self._pipe.run,
                programs=config.programs,
                lists=config.lists,
                waiting=config.waiting,
            )
        )

    def _make_logins(self) -> Logins:
        """Make the one portal, seen for each face; the first domain completes bare user names."""
        domain = (*self.config.domains, self.config.hostname)[0]
        asked = checker(self.config.login.checkers, self._directory, domain)
        separators = self.config.addresses.separators
        self._realm = Realm(self._store, self._directory, domain, separators)
        one_portal = portal(self._realm, asked)
        return logins(one_portal, domain, self._clock, self._journal)

    def _make_doors(self) -> Doors:
        config, spool = self.config, self._make_folders()
        self._directory = self._make_directory()
        self._store = self._make_store()
        router = LocalRouter(
            self._directory, config.hostname, config.domains, config.addresses.separators
        )
        self._office = self._make_office(router)
        self._policy = Stages(self._clock, self._journal)
        doors = self._make_logins()
        return Doors(
            hostname=config.hostname,
            clock=self._clock,
            blocking=self._messages,
            journal=self._journal,
            directory=self._directory,
            router=router,
            queue=self._office.queue,
            delivery=self._office.each,
            adopt_submitter=self._realm.adopt,
            policy=self._policy,
            store=self._store,
            mechanisms=MECHANISMS,
            login_mailboxes=doors.mailboxes,
            login_maildrop=doors.maildrop,
            login_submitter=doors.submitter,
            blob_writer=lambda: SpoolWriter(spool, self._files),
            resolver=self._make_resolver(),
            state=config.state,
            dialing=ReactorDialing(self._reactor),
            posting=self._posting,
        )

    def _make_resolver(self) -> DnsResolver:
        dns = self.config.dns
        return DnsResolver(Stub(self._reactor, dns.places(), dns.timeout).ask, self._clock)

    def _make_seat(self, one: FilterConfig) -> Seat:
        plugin: Any = filters()[one.kind]
        made = plugin.make(one.settings, self.doors)
        return Seat(one.name, made, one.services, one.seconds, Decision(one.when_failed))

    def _watcher_failed(self, error: Exception) -> None:
        """Note the failure of one who watches a mailbox; the change itself has been made."""
        try:
            raise error
        except Exception:
            self._journal.failed("watcher")

    def _make_listener(self, listener: ListenerConfig) -> Listener:
        plugin: Any = protocols()[listener.service]
        terms = Terms(
            None if listener.tls == "none" else self._certificates,
            listener.tls == "implicit",
            listener.cleartext_passwords,
        )
        factory: Receiving
        factory = conversations = ConversationFactory(
            self._reactor,
            plugin.make(self.config.services[listener.service], self.doors),
            terms,
            self._journal,
            plugin.busy,
            listener.connections,
            listener.connections_per_address,
            self._turns,
            self._crowd,
        )
        if listener.proxy:
            factory = ProxiedFactory(self._reactor, conversations, listener.proxies, self._journal)
        return Listener(
            f"{listener.service} on {listener.endpoint}",
            serverFromString(self._reactor, listener.endpoint),  # type: ignore[no-untyped-call]
            factory,
        )

    # ------------------------------------------------------------ starting and stopping

    def privilegedStartService(self) -> None:
        """Bind the ports and read the keys, while this may still be root.

        Raises SystemExit with a line for each reason why there can be no service.
        """
        self._read_certificates()
        if self._needs_certificate() and not self._certificates.is_ready:
            folder = self.config.tls.folder
            self._troubles.append(f"no usable certificate in {folder}, and listeners want TLS")
        for listener in self.listeners:
            listener.listen(self._cannot_listen)
        if self._troubles:
            raise SystemExit("\n".join(f"mailserver: {text}" for text in self._troubles))

    def startService(self) -> None:
        """Start the threads."""
        if self.config.threads.one_processor:
            self._processor.stay()
        self._files.start()
        self._messages.start()
        self._hashing.start()
        self._programs.start()
        self._office.load()
        self._chores.start(
            Chore("certificates", CERTIFICATE_SECONDS, self._renew_certificates),
            Chore("tidying", TIDYING_SECONDS, self._store.tidying.step),
            Chore("compacting", TIDYING_SECONDS, self._store.compacting.step),
            Chore("indexing", INDEXING_SECONDS, self._store.indexing.work),
            Chore("memory", EBB_SECONDS, Ebb(self._crowd).work),
            *(Chore(name, ERRAND_SECONDS, work) for name, work in self._office.work()),
        )
        log.info(
            "twisted_mail {version} serves {hostname}: {listeners}",
            version=__version__,
            hostname=self.config.hostname,
            listeners=", ".join(listener.description for listener in self.listeners),
        )
        self.running = 1

    def stopService(self) -> Deferred[None]:
        """Take no new connections, say farewell on the open ones, finish what was begun."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._office.stop()
        self._pipe.stop()
        await self._chores.stop()
        await DeferredList([listener.stop() for listener in self.listeners], consumeErrors=True)
        await self._posting.close()
        await self._store.close()
        self._watching.close()
        self._directory.close()
        self._rolls.close()
        self._programs.stop()
        self._files.stop()
        self._messages.stop()
        self._hashing.stop()
        self._processor.spread()
        self.running = 0

    # ------------------------------------------------------------ certificates and trouble

    def _needs_certificate(self) -> bool:
        return any(listener.tls != "none" for listener in self.config.listeners)

    async def _renew_certificates(self) -> None:
        await self._files.run(self._read_certificates)

    def _read_certificates(self) -> None:
        if self._certificates.scan(self._complain_of):
            log.info("certificates read from {folder}", folder=str(self.config.tls.folder))

    def _complain_of(self, path: Path, text: str) -> None:
        log.warn("{path} is not used: {text}", path=str(path), text=text)

    def _cannot_listen(self, listener: Listener, reason: str) -> None:
        text = f"cannot listen: {listener.description}: {reason}"
        log.critical("{text}", text=text)
        self._troubles.append(text)
        if self._reactor.running:
            self._reactor.stop()


class Options(usage.Options):
    """The command line of ``twistd mailserver``."""

    synopsis = "[--config FILE | --demo [DIR]]"
    longdesc = (
        "Serves mail: SMTP, submission, POP3 and IMAP. With --demo everything is made in DIR"
        " (default ./demo): certificates, two domains, three accounts, and a configuration to copy."
    )
    optParameters: Sequence[Sequence[Any]] = [
        ["config", "c", None, "The configuration file (TOML)."],
    ]
    optFlags: Sequence[Sequence[Any]] = [
        ["demo", None, "Start a demonstration on high ports of the loopback interface."],
    ]

    def parseArgs(self, folder: str | None = None) -> None:
        """Take the folder of the demonstration."""
        self["folder"] = folder

    def postOptions(self) -> None:
        """Read the configuration. Raises UsageError with every mistake in it."""
        if bool(self["demo"]) == bool(self["config"]):
            raise usage.UsageError("say either --config FILE or --demo [DIR]")
        if self["folder"] is not None and not self["demo"]:
            raise usage.UsageError(f"unexpected argument {self['folder']!r}")
        try:
            if self["demo"]:
                self["config"] = demo.prepare(Path(self["folder"] or "demo"))
            self["loaded"] = load(Path(self["config"]))
        except ConfigError as error:
            raise usage.UsageError(str(error)) from None
        except OSError as error:
            raise usage.UsageError(f"{error.filename}: {error.strerror}") from None


def makeService(options: Options) -> MailService:
    """Return the service that twistd runs."""
    from twisted.internet import reactor

    try:
        service = MailService(reactor, options["loaded"])
    except (Unusable, OSError) as error:
        raise SystemExit(f"mailserver: {error}") from None
    if options["demo"]:
        # At once, also into a file or a pipe: the ports are open soon, and programs wait for them.
        print(demo.invitation(Path(options["config"]).parent), flush=True)  # noqa: T201
    return service
