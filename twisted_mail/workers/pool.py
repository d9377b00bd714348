"""The crew of a server: its workers, each in a place.

While no worker is at work, the main process accepts the connections itself.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from twisted_mail.assembly import SPOOL_FOLDER, Assembly
from twisted_mail.config import Config
from twisted_mail.net.server.connection_count import Plan, SharedCounts
from twisted_mail.net.server.listening import Listener
from twisted_mail.plugin import protocols
from twisted_mail.workers.remote import HANDED
from twisted_mail.workers.shared import MainCommons
from twisted_mail.workers.slots import Place
from twisted_mail.workers.spawn import WorkerRole
from twisted_mail.workers.worker import COUNTS, FIRST_PORT, Orders

log = Logger(namespace="twisted_mail")


class Crew:
    """All workers of one server."""

    def __init__(self, reactor: Any, config: Config) -> None:
        self._reactor = reactor
        self._config = config
        number, listeners = config.workers.number, len(config.listeners)
        self._counts = SharedCounts(Plan(number + 1, listeners, secrets.token_bytes(16)), 0)
        self.commons = MainCommons(self._counts)
        self._listeners: Mapping[int, Listener] = {}
        self._places: list[Place] = []

    # ------------------------------------------------------------ beginning and end

    def start(self, parts: Assembly, listeners: Sequence[Listener]) -> None:
        """Start the workers; they serve those listeners that can be spread and handed over."""
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
        self._sweep()
        for number in range(1, self._config.workers.number + 1):
            role = WorkerRole(number, self._reactor, parts, self._orders, self._counts.forget)
            self._places.append(Place(self._reactor, role, self._share_out))
        for place in self._places:
            place.start()

    def _sweep(self) -> None:
        """Remove what was being handed over when the server ended: nobody was told it was taken."""
        for path in (self._config.state / SPOOL_FOLDER).glob(f"{HANDED}*"):
            with suppress(OSError):
                path.unlink()

    def stop(self) -> Deferred[Any]:
        """Have all workers end, and wait for that."""
        return DeferredList([place.stop() for place in self._places])

    # ------------------------------------------------------------ what workers get

    def _orders(self, process: int) -> tuple[Orders, Mapping[int, int]]:
        """Return what a worker is told, and which of its descriptors is which of ours."""
        ports: dict[int, tuple[int, int]] = {}
        descriptors = {COUNTS: self._counts.fd}
        for number, listener in self._listeners.items():
            if listener.socket is not None:
                descriptor, family = listener.socket
                ports[number] = FIRST_PORT + len(ports), family
                descriptors[ports[number][0]] = descriptor
        return Orders(process, self._config, self._counts.plan, ports), descriptors

    def _share_out(self) -> None:
        """Accept connections here if, and only if, no worker does."""
        has_workers = any(place.is_at_work for place in self._places)
        for listener in self._listeners.values():
            if has_workers:
                listener.pause()
            else:
                listener.resume()
