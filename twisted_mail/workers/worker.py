"""The life of a worker: it gets its configuration, takes mail in, and ends when it is asked to.

The configuration comes over the bridge, which is the descriptor ``BRIDGE``. When the bridge is lost, so
is the main process, and the worker ends as if it had been asked to.
"""

import os
import signal
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IListeningPort
from twisted.logger import globalLogBeginner

from twisted_mail.assembly.assembly import Assembly
from twisted_mail.config import Config
from twisted_mail.log import LogJournal
from twisted_mail.net.process.bridge import Bridge, attach
from twisted_mail.net.server.connection_count import SharedCountLayout, SharedCountMemory
from twisted_mail.net.server.listening import StoppableFactory
from twisted_mail.workers.log_forwarding import LogSender
from twisted_mail.workers.remote import RemoteSharedServices

BRIDGE, COUNTS, FIRST_PORT = 3, 4, 5  # descriptors that a worker is given


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker gets at its start.

    ``ports`` are the listeners it serves, by their numbers in the configuration, each with the
    descriptor and the address family of its socket.
    """

    process: int
    config: Config
    plan: SharedCountLayout
    ports: Mapping[int, tuple[int, int]]


class Worker:
    """One worker; the service ``worker`` at its end of the bridge."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.bridge = Bridge({"worker": self}, LogJournal())
        self.bridge.ended.addCallback(lambda _: self.leave())
        self.log = LogSender(self.bridge, reactor)
        self._is_leaving = False
        self._parts: Assembly | None = None
        self._ports: list[IListeningPort] = []
        self._factories: list[StoppableFactory] = []

    # ------------------------------------------------------------ what the main process calls

    def begin(self, worker_config: WorkerConfig) -> None:
        """Make all parts, and accept connections."""
        counts = SharedCountMemory(worker_config.plan, worker_config.process, COUNTS)
        shared = RemoteSharedServices(worker_config.process, self.bridge, counts)
        parts = self._parts = Assembly(self._reactor, worker_config.config, shared)
        parts.listeners.read_certificates()
        parts.start()
        for number, (descriptor, family) in worker_config.ports.items():
            factory = parts.listeners.make_factory(number)
            self._factories.append(factory)
            self._ports.append(self._reactor.adoptStreamPort(descriptor, family, factory))
            os.close(descriptor)  # the port has one of its own

    def leave(self) -> None:
        """End, in good order."""
        if self._reactor.running and not self._is_leaving:
            self._reactor.stop()

    # ------------------------------------------------------------ the end

    def stop(self) -> Deferred[None]:
        """Accept no more, close the open connections in good order, finish what was begun."""
        self._is_leaving = True
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        ends: list[Any] = [port.stopListening() for port in self._ports]
        ends += [factory.shut_down() for factory in self._factories]
        await DeferredList([one for one in ends if one is not None], consumeErrors=True)
        if self._parts is not None:
            await self._parts.periodic_tasks.stop()
            await self._parts.close()
        self.log.flush()
        await self.bridge.close()


def main() -> None:
    """Run a worker in this process."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    # A terminal sends it to all processes; the main one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    worker = Worker(reactor)
    observers: list[Any] = [worker.log]
    globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)
    with socket.socket(fileno=BRIDGE) as end:
        attach(reactor, end, worker.bridge)
    reactor.addSystemEventTrigger("before", "shutdown", worker.stop)
    reactor.run()
