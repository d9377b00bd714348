"""The crew: the main process's workers, from their start to their end.

| a worker | becomes | when |
| --- | --- | --- |
| starting | at work | it says that it accepts connections |
| starting, at work | gone | its process ends, whatever the reason |
| gone | starting | some seconds later, more after each failure; never when the server stops |

While no worker is at work, the main process accepts the connections itself.
"""

import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_mail.assembly import SPOOL_FOLDER, Assembly
from twisted_mail.config import Config
from twisted_mail.mail.outcome import MailError
from twisted_mail.net.bridge import Bridge, attach
from twisted_mail.net.listening import Listener
from twisted_mail.net.tally import Plan, SharedCounts
from twisted_mail.plugin import protocols
from twisted_mail.workers.commons import MainCommons
from twisted_mail.workers.desks import Desks
from twisted_mail.workers.remote import HANDED
from twisted_mail.workers.worker import BRIDGE, COUNTS, FIRST_PORT, Orders

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a worker that ended is replaced
HEALTHY_SECONDS = 60.0  # of life, after which a worker's end counts as its first
START_SECONDS = 30.0  # that a worker may take to begin
LEAVE_SECONDS = 20.0  # that it may take to end, farewells included, before it is killed

log = Logger(namespace="twisted_mail")


@dataclass(frozen=True, slots=True)
class Sockets:
    """The listeners that workers serve, by number, with descriptor and family of their sockets here."""

    of: Mapping[int, tuple[int, int]]

    def orders(self) -> Mapping[int, tuple[int, int]]:
        """Return them with the descriptors that they have in a worker."""
        families = [family for _, family in self.of.values()]
        return dict(zip(self.of, enumerate(families, FIRST_PORT), strict=True))

    def descriptors(self) -> dict[int, int]:
        """Return which descriptor of a worker is which of ours."""
        return dict(enumerate((descriptor for descriptor, _ in self.of.values()), FIRST_PORT))


class Crew:
    """All workers of one server."""

    def __init__(self, reactor: Any, config: Config) -> None:
        self._reactor = reactor
        self._config = config
        number, listeners = config.workers.number, len(config.listeners)
        self._counts = SharedCounts(Plan(number + 1, listeners, secrets.token_bytes(16)), 0)
        self.commons = MainCommons(self._counts)
        self._parts: Assembly | None = None
        self._listeners: Mapping[int, Listener] = {}
        self._places: list[Place] = []

    def start(self, parts: Assembly, listeners: Sequence[Listener]) -> None:
        """Start the workers; they serve those listeners that can be spread and handed over."""
        self._parts = parts
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
        self._places = [Place(self, number) for number in range(1, self._config.workers.number + 1)]
        self._sweep()
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

    # ------------------------------------------------------------ for the places

    def spawn(self, number: int, protocol: "WorkerProcess") -> None:
        """Start a worker's process, at the other end of the protocol's bridge. Raises OSError."""
        sockets = self._sockets()
        near, far = socket.socketpair()
        with near, far, open(os.devnull, "rb") as nothing:
            attach(self._reactor, near, protocol.bridge)
            descriptors = {0: nothing.fileno(), 1: 1, 2: 2, BRIDGE: far.fileno()}
            descriptors |= {COUNTS: self._counts.fd, **sockets.descriptors()}
            self._reactor.spawnProcess(
                protocol,
                sys.executable,
                [sys.executable, "-P", "-m", "twisted_mail.workers", str(number)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                childFDs=descriptors,
            )

    def _sockets(self) -> Sockets:
        found = {number: listener.socket for number, listener in self._listeners.items()}
        return Sockets({number: one for number, one in found.items() if one is not None})

    def orders(self, number: int) -> Orders:
        """Return what a worker is told at its start."""
        allowed = self.parts().processor.allowed
        return Orders(number, allowed, self._config, self._counts.plan, self._sockets().orders())

    def parts(self) -> Assembly:
        """Return the parts of this process, which do something for workers."""
        assert self._parts is not None
        return self._parts

    def forget(self, number: int) -> None:
        """Forget what a worker that ended has counted."""
        self._counts.forget(number)

    def share_out(self) -> None:
        """Accept connections here if, and only if, no worker does."""
        has_workers = any(place.is_at_work for place in self._places)
        for listener in self._listeners.values():
            if has_workers:
                listener.pause()
            else:
                listener.resume()

    def later(self, seconds: float, call: Callable[[], object]) -> Any:
        """Call something later."""
        return self._reactor.callLater(seconds, call)

    def seconds(self) -> float:
        """Return the time."""
        return float(self._reactor.seconds())


class Place:
    """The place of one worker in the crew, and whoever has it."""

    def __init__(self, crew: Crew, number: int) -> None:
        self._crew = crew
        self._number = number
        self._process: WorkerProcess | None = None
        self._pause = FIRST_PAUSE
        self._is_stopping = False
        self._again: Any = None  # the call that starts the next one
        self._ended: Deferred[None] = Deferred()
        self.is_at_work = False

    def start(self) -> None:
        """Start a worker, and give it its orders."""
        self._again = None
        self._process = WorkerProcess(self._crew.parts(), self._gone)
        try:
            self._crew.spawn(self._number, self._process)
        except OSError as error:
            log.error("worker {number} cannot start: {error}", number=self._number, error=error)
            self._gone("could not start")
            return
        self._process.began = self._crew.seconds()
        self._process.late = self._crew.later(START_SECONDS, self._process.kill)
        Deferred.fromCoroutine(self._order(self._process))

    async def _order(self, process: "WorkerProcess") -> None:
        try:
            await process.bridge.ask("worker", "begin", self._crew.orders(self._number))
        except MailError:
            process.kill()
            return
        process.end_patience()
        if self._is_stopping:
            return
        self.is_at_work = True
        log.info("worker {number} takes mail in", number=self._number)
        self._crew.share_out()

    def _gone(self, reason: str) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.end_patience()
        process.desks.close()
        self._crew.forget(self._number)
        self.is_at_work = False
        if self._is_stopping:
            self._ended.callback(None)
            return
        self._crew.share_out()
        if self._crew.seconds() - process.began > HEALTHY_SECONDS:
            self._pause = FIRST_PAUSE
        log.error(
            "worker {number} ended ({reason}); the next starts in {pause:g} s",
            number=self._number,
            reason=reason,
            pause=self._pause,
        )
        self._again = self._crew.later(self._pause, self.start)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def stop(self) -> Deferred[None]:
        """Have the worker end; start no other."""
        self._is_stopping = True
        if self._again is not None:
            self._again.cancel()
        if self._process is None:
            self._ended.callback(None)
        else:
            self._process.bridge.tell("worker", "leave")
            self._process.end_patience()
            self._process.late = self._crew.later(LEAVE_SECONDS, self._process.kill)
        return self._ended


class WorkerProcess(ProcessProtocol):
    """The process of one worker; ``ended`` is told in words why it ended."""

    def __init__(self, parts: Assembly, ended: Callable[[str], None]) -> None:
        self.desks = Desks(parts)
        self.bridge = Bridge(self.desks.by_name, parts.journal)
        self._ended = ended
        self.began = 0.0
        self.late: Any = None  # the call that kills it

    def processEnded(self, reason: Failure) -> None:
        """Tell that it ended."""
        ended: Any = reason.value
        if isinstance(ended, ProcessDone):
            self._ended("it left")
        elif ended.signal is not None:
            self._ended(f"signal {ended.signal}")
        else:
            self._ended(f"exit code {ended.exitCode}")

    def kill(self) -> None:
        """End it now."""
        self.end_patience()
        transport: Any = self.transport
        if transport.pid is not None:
            transport.signalProcess("KILL")

    def end_patience(self) -> None:
        """Kill it no more for being late."""
        late, self.late = self.late, None
        if late is not None and late.active():
            late.cancel()
