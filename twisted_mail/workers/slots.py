"""Slots: each has a process at work, or is about to start one.

| a process | becomes | when |
| --- | --- | --- |
| starting | at work | it has begun |
| starting, at work | gone | its process ends, whatever the reason |
| gone | starting | some seconds later, more after each failure; never when the server stops |
"""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from twisted_mail.mail.outcome import MailError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a process that has ended is replaced
HEALTHY_SECONDS = 60.0  # of life, after which an end counts as the first
START_SECONDS = 30.0  # that a process may take to begin
STOP_SECONDS = 15.0  # that it may take to end, closing its connections, before it is killed

log = Logger(namespace="twisted_mail")


class ProcessTask(Protocol):
    """What the process in a slot does. One process has the task at a time."""

    name: str

    def spawn(self, process: ProcessProtocol) -> None:
        """Start a process. Raises OSError."""

    async def begin(self) -> None:
        """Let the process begin; return when it has. Raises MailError."""

    def leave(self) -> None:
        """Ask the process to end."""

    async def ended(self) -> None:
        """Read what the process still had to send, and release what it held: it has ended."""


class ProcessSlot:
    """Holds one process after the other; ``changed`` is called when one is at work, or gone."""

    def __init__(self, reactor: Any, task: ProcessTask, changed: Callable[[], object]) -> None:
        self.task = task
        self.is_at_work = False
        self._reactor = reactor
        self._changed = changed
        self._process: Process | None = None
        self._pause = FIRST_PAUSE
        self._is_stopping = False
        self._restart_call: Any = None  # the call that starts the next one
        self._kill_call: Any = None  # the call that kills one that takes too long
        self._stopped: Deferred[None] = Deferred()
        self._began = 0.0

    def start(self) -> None:
        """Start a process, and let it begin."""
        self._restart_call = None
        process = self._process = Process(self._process_ended)
        self._began = self._reactor.seconds()
        try:
            self.task.spawn(process)
        except OSError as error:
            self._process_ended(f"it could not start: {error}")
            return
        self._kill_call = self._reactor.callLater(START_SECONDS, process.kill)
        Deferred.fromCoroutine(self._begin(process))

    async def _begin(self, process: "Process") -> None:
        has_begun = True
        try:
            await self.task.begin()
        except MailError:
            has_begun = False
        if self._is_stopping or self._process is not process:
            return
        self._cancel_kill()
        if not has_begun:
            process.kill()
            return
        self.is_at_work = True
        log.info("{name} is at work", name=self.task.name)
        self._changed()

    def _process_ended(self, reason: str) -> None:
        self._process = None
        self._cancel_kill()
        self.is_at_work = False
        if not self._is_stopping:
            self._changed()
        Deferred.fromCoroutine(self._replace(reason))

    async def _replace(self, reason: str) -> None:
        await self.task.ended()
        if self._is_stopping:
            self._stopped.callback(None)
            return
        if self._reactor.seconds() - self._began > HEALTHY_SECONDS:
            self._pause = FIRST_PAUSE
        log.error(
            "{name} ended ({reason}); the next starts in {pause:g} s",
            name=self.task.name,
            reason=reason,
            pause=self._pause,
        )
        self._restart_call = self._reactor.callLater(self._pause, self.start)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def restart(self) -> None:
        """Kill the process, if there is one; the next starts as after any end."""
        if self._process is not None and not self._is_stopping:
            self._process.kill()

    def stop(self) -> Deferred[None]:
        """End the process, and start no other; the Deferred fires when it has ended."""
        self._is_stopping = True
        if self._restart_call is not None:
            self._restart_call.cancel()
            self._stopped.callback(None)
        elif self._process is not None:
            self._cancel_kill()
            self._kill_call = self._reactor.callLater(STOP_SECONDS, self._process.kill)
            self.task.leave()
        return self._stopped

    def _cancel_kill(self) -> None:
        late, self._kill_call = self._kill_call, None
        if late is not None and late.active():
            late.cancel()


class Process(ProcessProtocol):
    """A process; ``ended`` is called with the reason, in words, when it has ended."""

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._on_ended = ended

    def processEnded(self, reason: Failure) -> None:
        """Report the end, with its reason."""
        ended: Any = reason.value
        if isinstance(ended, ProcessDone):
            self._on_ended("it left")
        elif ended.signal is not None:
            self._on_ended(f"signal {ended.signal}")
        else:
            self._on_ended(f"exit code {ended.exitCode}")

    def kill(self) -> None:
        """Kill the process."""
        transport: Any = self.transport
        if transport.pid is not None:
            transport.signalProcess("KILL")
