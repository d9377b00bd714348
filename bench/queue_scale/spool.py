"""The queue's spool with very many messages: what they cost, a start, memory, answers."""

import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from bench.clock import RealClock
from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.address import Address
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.destination import Destination
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.net.process.lane import Lane, Turn
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.queue.spool.settings import SpoolSettings
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.store.disk.memory_budget import Budget
from twisted_mail.testing.doubles import InlineBlocking

PREFIX = b"Received: from client.example.org (client.example.org [192.0.2.7])\r\n" * 4


class GatheringBlocking(InlineBlocking):
    """Does work at once, but for that of lanes while it is gathered: so groups are as large as asked."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []

    def lane(self) -> Any:
        return Lane(self._turns.append)

    def together(self, coroutines: Sequence[Coroutine[Any, Any, object]]) -> None:
        """Run coroutines, and all that they put into lanes, as one group."""
        done = [Deferred.fromCoroutine(one) for one in coroutines]
        while self._turns:
            turn = self._turns.pop(0)
            turn.work()
            turn.finish()
        for one in done:
            one.addErrback(_complain)

    def run_one(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run one coroutine; return what it returns."""
        results: list[Any] = []
        Deferred.fromCoroutine(coroutine).addCallbacks(results.append, _complain)
        self.together([])
        return results[0]


def _complain(failure: Any) -> None:
    sys.exit(failure.getTraceback())


def new_job(number: int, domain: str, size: int, local: str = "", arrived: float = 0.0) -> NewJob:
    id, sender = f"{number:016x}", Address("alice", "example.org")
    job = QueuedJob(id, arrived or 1e9 + number, sender, submitter="alice", size=size)
    owed = OwedRecipient(1, RemoteTarget(Address(local or f"user{number}", domain)))
    return NewJob(job, (owed,), Message(MemoryBlob(_text(size)), PREFIX))


def _text(size: int) -> bytes:
    """Return a message of this size that no host refuses, and no two the same."""
    header = b"Subject: bench\r\n\r\n"
    lines = [os.urandom(32).hex().encode() + b"\r\n" for _ in range(size // 66 + 1)]
    text = (header + b"".join(lines))[: size - 2]
    return (text[:-1] + b"x" if text.endswith(b"\r") else text) + b"\r\n"


class Scale:
    """A spool in a folder, and what is measured of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blocking = GatheringBlocking()
        self.open()

    def open(self) -> None:
        self.spool = DiskJobSpool(
            str(self.folder),
            DiskFiles(),
            self.blocking,
            RealClock(),
            Budget(),
            lambda where, error: sys.exit(f"{where}: {error}"),
            SpoolSettings(max_messages=10_000_000, min_free=0),
        )
        self.blocking.run_one(self.spool.start())

    def passing(self, size: int, group: int, messages: int) -> None:
        """Print what messages cost that come in groups and are gone two groups later."""
        taking, removing = 0.0, 0.0
        waiting: list[list[NewJob]] = []
        for first in range(0, messages, group):
            jobs = [new_job(first + each, "example.net", size) for each in range(group)]
            began = time.process_time()
            self.blocking.together([self.spool.accept(job) for job in jobs])
            taking += time.process_time() - began
            waiting.append(jobs)
            if len(waiting) > 2:
                gone = [SpoolChange(gone=[(job.job.id, 1)]) for job in waiting.pop(0)]
                began = time.process_time()
                self.blocking.together([self.spool.apply(change) for change in gone])
                removing += time.process_time() - began
            if first % 1024 < group:
                self.blocking.run_one(self.spool.tend())
        for jobs in waiting:
            for job in jobs:
                self.blocking.run_one(self.spool.apply(SpoolChange(gone=[(job.job.id, 1)])))
        each = 1e6 / messages
        print(
            f"{size:7} octets, {group:3} together: accepted {taking * each:6.1f} us,"
            f" gone {removing * each:6.1f} us of processor time each"
        )

    def fill(self, number: int, recipient: Callable[[int], tuple[str, str]]) -> None:
        """Take in very many messages, of half a kilobyte; each has a local part and a domain."""
        began, computed, arrived = time.monotonic(), time.process_time(), time.time()
        for first in range(0, number, 64):
            numbers = range(first, min(first + 64, number))
            places = [(one, *recipient(one)) for one in numbers]
            jobs = [new_job(one, domain, 512, local, arrived) for one, local, domain in places]
            self.blocking.together([self.spool.accept(job) for job in jobs])
            if first % 4096 == 0:
                self.blocking.run_one(self.spool.tend())
        took, computed = time.monotonic() - began, time.process_time() - computed
        size = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        print(
            f"{number:,} messages: {number / took:,.0f} a second,"
            f" {computed / number * 1e6:.0f} us each; {size / 1e6:,.0f} MB on disk"
        )

    def ask(self) -> None:
        """Print how long a start and questions take."""
        self.timed("close", lambda: self.blocking.run_one(self.spool.close()))
        gc.collect()
        before = resident()
        self.timed("start", self.open)
        found = self.timed("destinations", lambda: self.run(self.spool.destinations()))
        print(f"{'memory of them':28} {(resident() - before) / 1e6:10.1f} MB")
        name: Destination = found[len(found) // 2].destination
        for what, ask in (
            ("due for one domain", lambda: self.spool.due(name, 9e9, 1000)),
            ("the next due time", lambda: self.spool.first_due(name, 0.0)),
            ("the oldest thousand", lambda: self.spool.older(JobKind.MAIL, 9e9, 1000)),
            ("held", lambda: self.spool.held("list")),
            ("one job", lambda: self.spool.read(f"{7:016x}")),
            ("quick_check", lambda: self.spool.query(_quick_check)),
        ):
            self.timed(what, lambda ask=ask: self.run(ask()))  # type: ignore[misc]
        print(f"{'resident in all':28} {resident() / 1e6:10.1f} MB")

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.blocking.run_one(coroutine)

    def timed(self, what: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = work()
        print(f"{what:28} {(time.monotonic() - began) * 1000:10.2f} ms")
        return result


def _quick_check(connection: Any) -> str:
    return str(connection.pragma("quick_check"))


def resident() -> int:
    """Return the octets of this process that are in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def measure(root: Path, messages: int) -> None:
    passing = Scale(root / "passing")
    for size, group in ((4096, 16), (4096, 1), (11_000, 16), (32_000, 16), (65_536, 16)):
        passing.passing(size, group, 4096)
    passing.run(passing.spool.close())
    domains = max(1, messages // 10)
    scale = Scale(root / "scale")
    scale.fill(messages, lambda one: (f"user{one}", f"d{one * 7919 % domains}.example"))
    scale.ask()
    scale.run(scale.spool.close())
