"""All workers of a server, each in a slot.

While no worker is at work, the main process accepts the connections itself.
"""

import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from twisted_mail.assembly.assembly import Assembly
from twisted_mail.assembly.listener_set import ListenerSet
from twisted_mail.assembly.reload import Workers
from twisted_mail.config import Config
from twisted_mail.mail.outcome import MailError
from twisted_mail.net.server.connection_count import SharedCountLayout, SharedCountMemory
from twisted_mail.net.server.listener import Listener
from twisted_mail.plugin import protocols
from twisted_mail.workers.handed_mail import HANDOFF_PREFIX
from twisted_mail.workers.shared_services import MainSharedServices
from twisted_mail.workers.slots import ProcessSlot
from twisted_mail.workers.spawn import WorkerTask
from twisted_mail.workers.worker import COUNTS, FIRST_PORT, WorkerConfig

FOLLOW_SECONDS = 10.0  # that a worker may take to change its configuration, or to release a port
SPARE_LISTENERS = 16  # that may be added while the server runs

log = Logger(namespace="twisted_mail")


class WorkerPool(Workers):
    """All workers of one server. ``numbers`` are those that listeners may have."""

    def __init__(self, reactor: Any, config: Config) -> None:
        self._reactor = reactor
        self._config = config
        number, listeners = config.workers.number, len(config.listeners) + SPARE_LISTENERS
        self.numbers = range(listeners)
        self._counts = SharedCountMemory(
            SharedCountLayout(number + 1, listeners + 1, secrets.token_bytes(16)), 0
        )
        self.shared = MainSharedServices(self._counts)
        self._set: ListenerSet | None = None
        self._parts: Assembly | None = None
        self._listeners: Mapping[int, Listener] = {}  # those that workers serve
        self._slots: list[ProcessSlot] = []
        self._tasks: dict[ProcessSlot, WorkerTask] = {}

    # ------------------------------------------------------------ beginning and end

    def start(self, parts: Assembly, listeners: ListenerSet) -> None:
        """Start the workers; they serve the listeners that can be spread and handed over."""
        self._parts, self._set = parts, listeners
        self._listeners = self._spread()
        if not self._listeners:
            log.warn(
                "there are workers in the configuration, and no listener that they could serve"
            )
            return
        self._remove_leftovers()
        for number in range(1, self._config.workers.number + 1):
            task = WorkerTask(
                number, self._reactor, parts, self._worker_config, self._counts.forget
            )
            slot = ProcessSlot(self._reactor, task, self._update_listeners)
            self._slots.append(slot)
            self._tasks[slot] = task
        for slot in self._slots:
            slot.start()

    def _remove_leftovers(self) -> None:
        """Remove messages that were being handed over when the server ended: none was answered 250."""
        for path in self._config.spool_folder.glob(f"{HANDOFF_PREFIX}*"):
            with suppress(OSError):
                path.unlink()

    def stop(self) -> Deferred[Any]:
        """End all workers; the Deferred fires when they have ended."""
        return DeferredList([slot.stop() for slot in self._slots])

    # ------------------------------------------------------------ what workers get

    def _spread(self) -> Mapping[int, Listener]:
        """Return the listeners that workers can serve."""
        known: Any = protocols()
        assert self._set is not None
        configured = self._set.configured
        return {
            one.number: one
            for one in self._set.all
            if getattr(known[configured[one.number].service], "is_spread", False)
            and one.socket is not None
        }

    def _worker_config(self, process: int) -> tuple[WorkerConfig, Mapping[int, int]]:
        """Return a worker's configuration, and for each of its descriptors the one of ours."""
        assert self._set is not None
        assert self._parts is not None
        ports: dict[int, tuple[int, int]] = {}
        descriptors = {COUNTS: self._counts.fd}
        for number, listener in self._listeners.items():
            if listener.socket is not None:
                descriptor, family = listener.socket
                ports[number] = FIRST_PORT + len(ports), family
                descriptors[ports[number][0]] = descriptor
        configured = self._set.configured
        worker_config = WorkerConfig(
            process,
            self._parts.config,
            self._counts.layout,
            ports,
            {number: configured[number] for number in ports},
            self._parts.conversations.filter_numbers,
        )
        return worker_config, descriptors

    # ------------------------------------------------------------ another configuration

    async def release(self, listeners: Sequence[Listener]) -> None:
        """Let no worker accept connections of these listeners any more."""
        numbers = [one.number for one in listeners if one.number in self._listeners]
        if numbers:
            await self._each(lambda task: task.release(numbers))

    async def follow(self) -> None:
        """Let all workers serve as the configuration in force says."""
        if not self._slots:
            return
        before, self._listeners = self._listeners, self._spread()
        await self._each(WorkerTask.follow)
        for number, listener in before.items():
            if number not in self._listeners and listener.address is not None:
                listener.resume()
        self._update_listeners()

    async def _each(self, ask: Callable[[WorkerTask], Coroutine[Any, Any, None]]) -> None:
        """Ask all workers. One that is about to begin, fails, or takes too long, is started again."""
        asked = [Deferred.fromCoroutine(self._ask(slot, ask)) for slot in self._slots]
        await DeferredList(asked, consumeErrors=True)

    async def _ask(
        self, slot: ProcessSlot, ask: Callable[[WorkerTask], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            if slot.is_at_work:
                work = Deferred.fromCoroutine(ask(self._tasks[slot]))
                await work.addTimeout(FOLLOW_SECONDS, self._reactor)
                return
        except (MailError, defer.TimeoutError):
            log.error("{name} does not follow, and is started again", name=slot.task.name)
        slot.restart()

    def _update_listeners(self) -> None:
        """Accept connections here if, and only if, no worker does."""
        has_workers = any(slot.is_at_work for slot in self._slots)
        for listener in self._listeners.values():
            if has_workers:
                listener.pause()
            else:
                listener.resume()
