"""The task of a worker: how it is started and configured, and what happens when it has ended."""

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.protocol import ProcessProtocol

from twisted_mail.assembly.assembly import Assembly
from twisted_mail.net.process.process_bridge import Bridge, attach
from twisted_mail.workers.services import WorkerServices
from twisted_mail.workers.worker import BRIDGE, WorkerConfig


class WorkerTask:
    """Holds conversations. Fulfils ``slots.ProcessTask``.

    ``configure`` returns, for the worker's number, its configuration, and the descriptors that it gets
    besides the bridge; ``forget`` is called with the number when the worker has ended.
    """

    def __init__(
        self,
        number: int,
        reactor: Any,
        parts: Assembly,
        configure: Callable[[int], tuple[WorkerConfig, Mapping[int, int]]],
        forget: Callable[[int], None],
    ) -> None:
        self.name = f"worker {number}"
        self._number = number
        self._reactor = reactor
        self._parts = parts
        self._configure = configure
        self._forget = forget
        self._served: set[int] = set()  # the numbers of the listeners whose sockets it has
        self._open_services()

    def _open_services(self) -> None:
        self._services = WorkerServices(self._parts)
        self._bridge = Bridge(self._services.by_name, self._parts.journal)

    def spawn(self, process: ProcessProtocol) -> None:
        """Start a process at the other end of a new bridge. Raises OSError."""
        self._open_services()
        near, far = socket.socketpair()
        with near, far:
            attach(self._reactor, near, self._bridge)
            worker_config, descriptors = self._configure(self._number)
            self._served = set(worker_config.ports)
            self._spawn(process, {BRIDGE: far.fileno(), **descriptors})
        # If the process could not be started, nobody has the far end, and the bridge ends by itself.

    def _spawn(self, process: ProcessProtocol, descriptors: Mapping[int, int]) -> None:
        search = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with open(os.devnull, "rb") as nothing, self._parts.cpu_affinity.unpinned():
            self._reactor.spawnProcess(
                process,
                sys.executable,
                [sys.executable, "-P", "-m", "twisted_mail.workers", str(self._number)],
                env={**os.environ, **search},
                childFDs={0: nothing.fileno(), 1: 1, 2: 2, **descriptors},
            )

    async def begin(self) -> None:
        """Send the configuration; return when the worker accepts connections. Raises MailError."""
        worker_config, _ = self._configure(self._number)
        await self._bridge.call("worker", "begin", worker_config)

    async def follow(self) -> None:
        """Send the configuration that is in force now, and sockets that are new. Raises MailError."""
        worker_config, descriptors = self._configure(self._number)
        ports = {at: one for at, one in worker_config.ports.items() if at not in self._served}
        self._served = set(worker_config.listeners)
        await self._bridge.call_with(
            [descriptors[descriptor] for descriptor, _ in ports.values()],
            "worker",
            "change",
            replace(worker_config, ports=ports),
        )

    async def release(self, numbers: Sequence[int]) -> None:
        """Let the worker accept no connections of these listeners. Raises MailError."""
        self._served -= set(numbers)
        await self._bridge.call("worker", "release", list(numbers))

    def leave(self) -> None:
        """Ask the worker to end, in good order."""
        self._bridge.notify("worker", "leave")

    async def ended(self) -> None:
        """Read what the worker still had to send, then release what is kept for it."""
        await self._bridge.ended
        self._services.close()
        self._forget(self._number)
