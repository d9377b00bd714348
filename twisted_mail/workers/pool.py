"""All workers of a server, each in a slot.

While no worker is at work, the main process accepts the connections itself.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from twisted_mail.assembly.assembly import Assembly
from twisted_mail.assembly.storage import SPOOL_FOLDER
from twisted_mail.config import Config
from twisted_mail.net.server.connection_count import SharedCountLayout, SharedCountMemory
from twisted_mail.net.server.listener import Listener
from twisted_mail.plugin import protocols
from twisted_mail.workers.remote import HANDOFF_PREFIX
from twisted_mail.workers.shared import MainSharedServices
from twisted_mail.workers.slots import ProcessSlot
from twisted_mail.workers.spawn import WorkerTask
from twisted_mail.workers.worker import COUNTS, FIRST_PORT, WorkerConfig

log = Logger(namespace="twisted_mail")


class WorkerPool:
    """All workers of one server."""

    def __init__(self, reactor: Any, config: Config) -> None:
        self._reactor = reactor
        self._config = config
        number, listeners = config.workers.number, len(config.listeners)
        self._counts = SharedCountMemory(
            SharedCountLayout(number + 1, listeners, secrets.token_bytes(16)), 0
        )
        self.shared = MainSharedServices(self._counts)
        self._listeners: Mapping[int, Listener] = {}
        self._slots: list[ProcessSlot] = []

    # ------------------------------------------------------------ beginning and end

    def start(self, parts: Assembly, listeners: Sequence[Listener]) -> None:
        """Start the workers; they serve the listeners that can be spread and handed over."""
        known: Any = protocols()
        self._listeners = {
            number: listener
            for number, listener in enumerate(listeners)
            if getattr(known[self._config.listeners[number].service], "is_spread", False)
            and listener.socket is not None
        }
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
            self._slots.append(ProcessSlot(self._reactor, task, self._update_listeners))
        for slot in self._slots:
            slot.start()

    def _remove_leftovers(self) -> None:
        """Remove messages that were being handed over when the server ended: none was answered 250."""
        for path in (self._config.state / SPOOL_FOLDER).glob(f"{HANDOFF_PREFIX}*"):
            with suppress(OSError):
                path.unlink()

    def stop(self) -> Deferred[Any]:
        """End all workers; the Deferred fires when they have ended."""
        return DeferredList([slot.stop() for slot in self._slots])

    # ------------------------------------------------------------ what workers get

    def _worker_config(self, process: int) -> tuple[WorkerConfig, Mapping[int, int]]:
        """Return a worker's configuration, and for each of its descriptors the one of ours."""
        ports: dict[int, tuple[int, int]] = {}
        descriptors = {COUNTS: self._counts.fd}
        for number, listener in self._listeners.items():
            if listener.socket is not None:
                descriptor, family = listener.socket
                ports[number] = FIRST_PORT + len(ports), family
                descriptors[ports[number][0]] = descriptor
        return WorkerConfig(process, self._config, self._counts.layout, ports), descriptors

    def _update_listeners(self) -> None:
        """Accept connections here if, and only if, no worker does."""
        has_workers = any(slot.is_at_work for slot in self._slots)
        for listener in self._listeners.values():
            if has_workers:
                listener.pause()
            else:
                listener.resume()
