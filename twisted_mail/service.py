"""The running mail server, and how ``twistd mailserver`` makes it.

The parts are made in ``assembly``; here they are started and stopped. If the configuration asks for
workers, these take the mail in, and this process does everything else.
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
from twisted_mail.assembly.assembly import Assembly
from twisted_mail.config import Config, ConfigError, load
from twisted_mail.control.setup import demo
from twisted_mail.directory.schema import DirectoryUnusable
from twisted_mail.net.process.periodic import PeriodicTask
from twisted_mail.net.server.listener import Listener
from twisted_mail.workers.pool import WorkerPool
from twisted_mail.workers.shared import SharedServices

TIDYING_SECONDS = 1.0  # between two steps of removing what was expunged long ago
QUEUE_SECONDS = 0.5  # between two checks for mail that is due for programs and lists
INDEXING_SECONDS = 0.5  # between two rounds of indexing texts, which take 0.2 s each

log = Logger(namespace="twisted_mail")


class MailService(Service):
    """The running mail server that one configuration describes."""

    def __init__(self, reactor: Any, config: Config) -> None:
        self.config = config
        self._reactor = reactor
        self._workers = WorkerPool(reactor, config) if config.workers.number else None
        shared = SharedServices() if self._workers is None else self._workers.shared
        self.parts = Assembly(reactor, config, shared)
        self.backend = self.parts.backend
        self._troubles: list[str] = []  # why there can be no service
        self.listeners = [self._make_listener(number) for number in range(len(config.listeners))]

    def _make_listener(self, number: int) -> Listener:
        listener = self.config.listeners[number]
        return Listener(
            f"{listener.service} on {listener.endpoint}",
            serverFromString(self._reactor, listener.endpoint),  # type: ignore[no-untyped-call]
            self.parts.listeners.make_factory(number),
        )

    # ------------------------------------------------------------ starting and stopping

    def privilegedStartService(self) -> None:
        """Bind the ports and read the keys, while this may still be root.

        Raises SystemExit with a line for each reason why there can be no service.
        """
        self.parts.listeners.read_certificates()
        if self._needs_certificate() and not self.parts.listeners.certificates.is_ready:
            folder = self.config.tls.folder
            self._troubles.append(f"no usable certificate in {folder}, and listeners want TLS")
        for listener in self.listeners:
            listener.listen(self._cannot_listen)
        if self._troubles:
            raise SystemExit("\n".join(f"mailserver: {text}" for text in self._troubles))

    def startService(self) -> None:
        """Start the threads, the periodic tasks, and the workers if there are any."""
        parts = self.parts
        parts.delivery.load()
        parts.start(
            PeriodicTask("tidying", TIDYING_SECONDS, parts.store.purge.step),
            PeriodicTask("compacting", TIDYING_SECONDS, parts.store.compaction.step),
            PeriodicTask("indexing", INDEXING_SECONDS, parts.store.indexing.work),
            *(
                PeriodicTask(name, QUEUE_SECONDS, work)
                for name, work in parts.delivery.periodic_work()
            ),
        )
        log.info(
            "twisted_mail {version} serves {hostname}: {listeners}",
            version=__version__,
            hostname=self.config.hostname,
            listeners=", ".join(listener.description for listener in self.listeners),
        )
        if self._workers is not None:
            self._workers.start(parts, self.listeners)
        self.running = 1

    def stopService(self) -> Deferred[None]:
        """Take no new connections, close the open ones in good order, finish what was begun."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        parts = self.parts
        parts.delivery.stop()
        parts.pipe.stop()
        await parts.periodic_tasks.stop()
        ends: list[Deferred[Any]] = [listener.stop() for listener in self.listeners]
        if self._workers is not None:
            ends.append(self._workers.stop())
        await DeferredList(ends, consumeErrors=True)
        await parts.close()
        self.running = 0

    # ------------------------------------------------------------ trouble

    def _needs_certificate(self) -> bool:
        return any(listener.tls != "none" for listener in self.config.listeners)

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
    except (DirectoryUnusable, OSError) as error:
        raise SystemExit(f"mailserver: {error}") from None
    if options["demo"]:
        # At once, also into a file or a pipe: the ports are open soon, and programs wait for them.
        print(demo.next_steps(Path(options["config"]).parent), flush=True)  # noqa: T201
    return service
