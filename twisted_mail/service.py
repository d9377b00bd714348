"""The running mail server, and how ``twistd mailserver`` makes it.

The parts are made in ``assembly``; here they are started and stopped. If the configuration asks for
workers, these hold the conversations, and this process does everything else.
"""

import itertools
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.logger import Logger
from twisted.python import usage

from twisted_mail import __version__
from twisted_mail.assembly.assembly import Assembly
from twisted_mail.assembly.listener_set import ListenerSet
from twisted_mail.assembly.reload import Reload, ReloadAnswer, Workers
from twisted_mail.auth.available_checkers import checker_help, checker_list
from twisted_mail.config import Config, ConfigError, load
from twisted_mail.directory.schema import DirectoryUnusable
from twisted_mail.net.process.deadline import wait_within
from twisted_mail.net.process.memory_trim import keep_large_apart, settle_memory
from twisted_mail.net.process.periodic import PeriodicTask
from twisted_mail.net.process.server_user import ServerUser, unreadable_python, unusable, user_of
from twisted_mail.net.process.service_manager import ServiceManager
from twisted_mail.net.server.control_socket import ControlSocket
from twisted_mail.net.server.listener import CannotListen
from twisted_mail.queue.reports.templates import load_templates
from twisted_mail.workers.shared_services import SharedServices

if TYPE_CHECKING:
    from twisted_mail.workers.pool import WorkerPool

TIDYING_SECONDS = 1.0  # between two steps of removing what was expunged long ago
END_SECONDS = 16.0  # that connections, tasks and workers may take to end
INDEXING_SECONDS = 1.0  # between two beginnings of work on the indexes for SEARCH

ROOT_WARNING = (
    "the server runs as root, and so does whatever breaks into it: start it with"
    " twistd --uid USER, or by the systemd unit, and give the state folder to that user"
)

log = Logger(namespace="twisted_mail")


class MailService(Service):
    """The running mail server that one configuration describes.

    ``queue_start`` fires when the queue is open, or cannot be.
    """

    parts: Assembly
    listeners: ListenerSet

    def __init__(self, reactor: Any, config: Config, user: ServerUser | None = None) -> None:
        self.config = config
        self._reactor = reactor
        self._user = user or ServerUser()
        self._manager = ServiceManager(reactor)
        self.queue_start: Deferred[None] = succeed(None)

    # ------------------------------------------------------------ starting and stopping

    def privilegedStartService(self) -> None:
        """Make all parts, bind the ports and read the keys, while this may still be root.

        What is made belongs to the user that the server will run as. This is after twistd has become a
        daemon: databases must not be carried into another process. Raises SystemExit with a line for
        each reason why there can be no service.
        """
        try:
            self._user.give_files()
            self._user.make_folder(self.config.state)
            with self._user.acting():
                self._make()
        except (DirectoryUnusable, CannotListen) as error:
            _give_up(str(error).splitlines())
        except OSError as error:
            _give_up([f"{error.filename}: {error.strerror}" if error.filename else str(error)])
        certificates = self.parts.conversations.listeners
        certificates.read_certificates()
        troubles = []
        if certificates.lacks_certificate:
            folder = self.config.tls.folder
            troubles.append(f"no usable certificate in {folder}, and listeners want TLS")
        Deferred.fromCoroutine(self._listen(troubles))
        if troubles:
            _give_up(troubles)

    def _make(self) -> None:
        """Make all parts; nothing runs yet. Raises DirectoryUnusable, CannotListen, OSError."""
        reactor, config = self._reactor, self.config
        if found := unreadable_python():
            raise OSError(
                f"user {os.geteuid()} cannot read the server's own Python ({found[0]}): install it"
                " where that user can read it, such as /opt"
            )
        if found := unusable(config.state):
            raise OSError(
                f"user {os.geteuid()} cannot read and write {', '.join(found[:5])};"
                " give the state folder to the user that the server runs as (chown -R)"
            )
        self._workers = _worker_pool(reactor, config)
        shared = SharedServices() if self._workers is None else self._workers.shared
        self.parts = Assembly(reactor, config, shared)
        numbers = itertools.count() if self._workers is None else self._workers.numbers
        make_factory = self.parts.conversations.listeners.make_factory
        self.listeners = ListenerSet(reactor, config.listeners, make_factory, numbers)
        self._reload = Reload(self.parts, self.listeners, self._workers or Workers())
        requests = {"reload": self._answer_reload}
        self._control = ControlSocket(reactor, config.control_socket, requests)

    async def _listen(self, troubles: list[str]) -> None:
        try:
            await self.listeners.listen()
            for listener in self.listeners.all:
                self._user.give_socket(listener.path)
        except (CannotListen, OSError) as error:
            troubles += str(error).splitlines()
            if self._reactor.running:
                self._reactor.stop()

    def startService(self) -> None:
        """Start the threads, the periodic tasks, and the workers if there are any."""
        parts = self.parts
        parts.start(
            PeriodicTask("tidying", TIDYING_SECONDS, parts.store.purge.step),
            PeriodicTask("compacting", TIDYING_SECONDS, parts.store.compaction.step),
            PeriodicTask("indexing", INDEXING_SECONDS, parts.store.indexing.work),
            PeriodicTask("rendering", INDEXING_SECONDS, parts.store.rendering.work),
            *self._watchdog(),
        )
        log.info("{text}", text=self._status())
        log.info("{text}", text=parts.descriptors.summary)
        if os.geteuid() == 0:
            log.critical(ROOT_WARNING)
        for name in self.listeners.unused_sockets:
            log.warn("systemd passed the socket {name}, which no listener has", name=name)
        if self._workers is not None:
            self._workers.start(parts, self.listeners)
        self._control.open()
        self.running = 1
        self.queue_start = Deferred.fromCoroutine(self.parts.start_queue())
        self._reactor.callWhenRunning(self._manager.ready, self._status())

    def _watchdog(self) -> list[PeriodicTask]:
        seconds = self._manager.watchdog_seconds
        return [PeriodicTask("watchdog", seconds, self._report_alive)] if seconds else []

    async def _report_alive(self) -> None:
        self._manager.alive()

    def _status(self) -> str:
        names = ", ".join(listener.description for listener in self.listeners.all)
        return f"twisted_mail {__version__} serves {self.config.hostname}: {names}"

    # ------------------------------------------------------------ another configuration

    async def reload(self) -> ReloadAnswer:
        """Read the configuration again; the answer, which is logged too, says what changed or why not."""
        if self.running:
            self._manager.reloading()
        answer = await self._reload.run()
        if self.running:
            self._manager.ready(self._status())
        return answer

    async def _answer_reload(self) -> Mapping[str, Any]:
        return asdict(await self.reload())

    def hang_up(self, *_: object) -> None:
        """Reload, as the handler of SIGHUP."""
        self._reactor.callFromThread(lambda: Deferred.fromCoroutine(self.reload()))

    # ------------------------------------------------------------ the end

    def stopService(self) -> Deferred[None]:
        """Take no new connections, close the open ones in good order, finish what was begun.

        Takes ``END_SECONDS`` at most, and what ``Assembly.close`` does: half a minute in all.
        """
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        parts = self.parts
        self.running = 0
        self._manager.stopping()
        self._reload.close()
        ends = [Deferred.fromCoroutine(parts.delivery.stop()), self.queue_start]
        parts.pipe.stop()  # what is killed is not noted any more
        ends += [*self.listeners.stop(), Deferred.fromCoroutine(self._control.close())]
        ends.append(Deferred.fromCoroutine(parts.periodic_tasks.stop()))
        if self._workers is not None:
            ends.append(self._workers.stop())
        over = DeferredList(ends, consumeErrors=True)
        await wait_within(self._reactor, END_SECONDS, "ending connections and tasks", over)
        await parts.close()


def _worker_pool(reactor: Any, config: Config) -> "WorkerPool | None":
    """Return the pool of workers, whose modules a server without workers does not import."""
    if not config.workers.number:
        return None
    from twisted_mail.workers.pool import WorkerPool

    return WorkerPool(reactor, config)


def _give_up(troubles: Sequence[str]) -> NoReturn:
    """End the start with a line for each trouble, which twistd writes to its log or the terminal."""
    raise SystemExit("\n".join(f"mailserver: {text}" for text in troubles))


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

    is_hung_up = False  # before there was a service

    def opt_help_auth(self) -> NoReturn:
        """List the checkers of passwords that the configuration can name, and exit."""
        _print_and_exit(checker_list())

    def opt_help_auth_type(self, name: str) -> NoReturn:
        """Explain one checker of passwords, and exit."""
        try:
            _print_and_exit(checker_help(name))
        except ValueError as error:
            raise usage.UsageError(str(error)) from None

    def hang_up(self, *_: object) -> None:
        """Note a SIGHUP that comes before there is a service: it will read the configuration again."""
        self.is_hung_up = True

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
                from twisted_mail.control.setup.demo import folders

                self["config"] = folders.prepare(Path(self["folder"] or "demo"))
            # Without a handler SIGHUP would end the process, wherever it comes from.
            signal.signal(signal.SIGHUP, self.hang_up)
            self["loaded"] = config = load(Path(self["config"]))
            load_templates(config.report_templates)
        except (ConfigError, ValueError) as error:
            raise usage.UsageError(str(error)) from None
        except OSError as error:
            raise usage.UsageError(f"{error.filename}: {error.strerror}") from None


def _print_and_exit(lines: Iterable[str]) -> NoReturn:
    for line in lines:
        print(line)  # noqa: T201
    raise SystemExit(0)


def makeService(options: Options) -> Service:
    """Return the service that twistd runs."""
    from twisted.internet import reactor

    keep_large_apart()
    service = MailService(reactor, options["loaded"], user_of(options.parent or {}))
    cast("Any", reactor).callWhenRunning(settle_memory)
    signal.signal(signal.SIGHUP, service.hang_up)
    if options.is_hung_up:
        service.hang_up()
    if options["demo"]:
        from twisted_mail.control.setup.demo import folders, surroundings

        folder = Path(options["config"]).parent
        # At once, also into a file or a pipe: the ports are open soon, and programs wait for them.
        print(folders.next_steps(folder), flush=True)  # noqa: T201
        return surroundings.surrounded(reactor, service, folder)
    return service
