"""The life of a worker: it gets its configuration, holds conversations, and ends when it is asked to.

The configuration comes over the bridge, which is the descriptor ``BRIDGE``. When the bridge is lost, so
is the main process, and the worker ends as if it had been asked to.
"""

import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import globalLogBeginner

from twisted_mail.assembly.assembly import Assembly
from twisted_mail.config import Config, ListenerConfig
from twisted_mail.log import LogJournal
from twisted_mail.net.process.deadline import wait_within
from twisted_mail.net.process.memory_trim import keep_large_apart, settle_memory
from twisted_mail.net.process.process_bridge import Bridge, attach
from twisted_mail.net.server.balanced_port import BalancedPort
from twisted_mail.net.server.connection_count import SharedCountLayout, SharedCountMemory
from twisted_mail.net.server.replaceable import ReplaceableFactory
from twisted_mail.workers.log_forwarding import LogSender
from twisted_mail.workers.remote import RemoteSharedServices

END_SECONDS = 6.0  # that connections and tasks may take to end: a little more than the farewell
BRIDGE, COUNTS, FIRST_PORT = 3, 4, 5  # descriptors that a worker is given


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What a worker gets at its start, and again when the configuration has been read again.

    ``listeners`` are those it serves, by number; ``filter_numbers`` are what the main process calls the
    filters. ``ports`` are the listeners whose sockets come with it, each with the descriptor and the
    address family; after the start, descriptors come in this order over the bridge.
    """

    process: int
    config: Config
    plan: SharedCountLayout
    ports: Mapping[int, tuple[int, int]]
    listeners: Mapping[int, ListenerConfig]
    filter_numbers: Sequence[int] = ()


class Worker:
    """One worker; the service ``worker`` at its end of the bridge. ``begun`` is called when it serves."""

    def __init__(self, reactor: Any, begun: Callable[[], None] = lambda: None) -> None:
        self._reactor = reactor
        self._begun = begun
        self.bridge = Bridge({"worker": self}, LogJournal())
        self.bridge.ended.addCallback(lambda _: self.leave())
        self.log = LogSender(self.bridge, reactor)
        self._is_leaving = False
        self._parts: Assembly | None = None
        self._shared: RemoteSharedServices | None = None
        self._ports: dict[int, BalancedPort] = {}
        self._factories: dict[int, ReplaceableFactory] = {}
        self._leaving: list[ReplaceableFactory] = []  # of listeners that are not served any more

    # ------------------------------------------------------------ what the main process calls

    def begin(self, worker_config: WorkerConfig) -> None:
        """Make all parts, and accept connections."""
        counts = SharedCountMemory(worker_config.plan, worker_config.process, COUNTS)
        shared = self._shared = RemoteSharedServices(worker_config.process, self.bridge, counts)
        shared.filter_numbers = worker_config.filter_numbers
        parts = self._parts = Assembly(self._reactor, worker_config.config, shared)
        parts.conversations.listeners.read_certificates()
        parts.start()
        for number, (descriptor, family) in worker_config.ports.items():
            self._accept(number, descriptor, family, worker_config.listeners[number])
        self._begun()

    def _accept(self, number: int, descriptor: int, family: int, listener: ListenerConfig) -> None:
        assert self._parts is not None
        assert self._shared is not None
        made = self._parts.conversations.listeners.make_factory(listener, number)
        factory = self._factories[number] = ReplaceableFactory(made)
        port = self._reactor.adoptStreamPort(descriptor, family, factory)
        os.close(descriptor)  # the port has one of its own
        load = self._shared.connection_counter(number)
        self._ports[number] = BalancedPort(self._reactor, port, load)

    async def change(self, worker_config: WorkerConfig) -> None:
        """Let new connections be served by another configuration; open ones go on."""
        assert self._parts is not None
        assert self._shared is not None
        came = [self.bridge.descriptors.popleft() for _ in worker_config.ports]
        self._shared.filter_numbers = worker_config.filter_numbers
        conversations = await self._parts.prepare(worker_config.config)
        self._parts.take_over(worker_config.config, conversations)
        await self.release(
            [number for number in self._ports if number not in worker_config.listeners]
        )
        for number in self._ports:
            listener = worker_config.listeners[number]
            self._factories[number].replace(conversations.listeners.make_factory(listener, number))
        for descriptor, (number, (_, family)) in zip(
            came, worker_config.ports.items(), strict=True
        ):
            self._accept(number, descriptor, family, worker_config.listeners[number])

    async def release(self, numbers: Sequence[int]) -> None:
        """Accept no connections of these listeners any more; open ones go on."""
        for number in numbers:
            port = self._ports.pop(number, None)
            if port is not None:
                self._leaving.append(self._factories.pop(number))
                await port.stopListening()

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
        ends: list[Any] = [port.stopListening() for port in self._ports.values()]
        ends += [one.shut_down() for one in (*self._factories.values(), *self._leaving)]
        ends = [one for one in ends if one is not None]
        if self._parts is not None:
            ends.append(Deferred.fromCoroutine(self._parts.periodic_tasks.stop()))
        over = DeferredList(ends, consumeErrors=True)
        await wait_within(self._reactor, END_SECONDS, "ending connections and tasks", over)
        if self._parts is not None:
            await self._parts.close()
        self.log.flush()
        await self.bridge.close()


def main() -> None:
    """Run a worker in this process."""
    from twisted.internet import reactor as installed

    reactor: Any = installed
    keep_large_apart()
    # A terminal sends them to all processes; the main one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    worker = Worker(reactor, settle_memory)
    observers: list[Any] = [worker.log]
    globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)
    with socket.socket(fileno=BRIDGE) as end:
        attach(reactor, end, worker.bridge)
    reactor.addSystemEventTrigger("before", "shutdown", worker.stop)
    reactor.run()
