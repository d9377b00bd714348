"""What the dispatcher costs for each message, beside the spool and the other side, and its longest piece.

    python -m bench.dispatch [MESSAGES] [DESTINATIONS]

Messages go through a spool in memory to a carrier that takes all at once; the cost of the spool's own
methods is taken off. Then so many destinations wait for sites that are dead, and the longest piece of
work between two turns of the reactor is measured.
"""

import gc
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from twisted_mail.interfaces import (
    DestinationSummary,
    DueRecipient,
    JobSpool,
    Site,
    SiteLimits,
    SiteRecord,
    Work,
    WrittenReports,
)
from twisted_mail.mail.address import parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.destination import SMTP, Destination
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.net.process.tasks import ReactorTasks
from twisted_mail.queue.dispatch.dispatcher import Dispatcher
from twisted_mail.queue.dispatch.dispatching_spool import DispatchingSpool
from twisted_mail.queue.dispatch.memory.state import DispatchDoors
from twisted_mail.queue.dispatch.settings import DispatchSettings, ScheduleSettings
from twisted_mail.testing.clock import ServerClock, ServerTime
from twisted_mail.testing.job_spool import MemoryJobSpool

OK = Outcome(250, "2.0.0", "queued")
DEAD = Outcome(451, "4.4.1", "connection timed out")
MESSAGE = Message(MemoryBlob(b"Subject: test\r\n\r\nHello.\r\n"))


class Silence:
    """A journal that keeps nothing but bugs."""

    def __getattr__(self, event: str) -> Any:
        return self._note

    def _note(self, *_: object) -> None:
        pass

    def failed(self, *where: object) -> None:
        """Show a bug."""
        if len(where) == 1:
            traceback.print_exc()


class NoReports:
    """Writes none."""

    async def write(self, *_: object) -> WrittenReports:
        """Return nothing."""
        return WrittenReports()


class QuickCarrier:
    """Takes all at once, ``window`` messages under way on each connection; or cannot be reached."""

    name = SMTP

    def __init__(self, clock: ServerClock) -> None:
        self.clock = clock
        self.is_dead = False
        self.sent = 0

    async def site(self, destination: Destination) -> Site:
        """Return a site for each domain."""
        return Site(SMTP, destination.name, SiteLimits(2, 20))

    async def serve(self, site: Site, work: Work) -> None:
        """Hand on what there is."""
        await self.clock.sleep(0.001)
        if self.is_dead:
            work.unreachable(Attempt(DEAD, self.clock.now()))
            return
        while (found := await work.wait(5.0)) is not None:
            self.sent += 1
            work.done(found, self._answers(found))

    def _answers(self, transaction: Transaction) -> Mapping[int, Attempt]:
        attempt = Attempt(OK, self.clock.now())
        return {one.number: attempt for one in transaction.recipients}


class TimedSpool:
    """Counts the seconds that another spool takes."""

    def __init__(self, spool: JobSpool) -> None:
        self._spool = spool
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._spool, name)

        async def timed(*args: object, **kwargs: object) -> Any:
            began = time.perf_counter()
            try:
                return await method(*args, **kwargs)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


class MeasuredTime(ServerTime):
    """Time that notes how long the longest piece of work took."""

    longest, work = 0.0, ""

    def callLater(self, delay: float, callable: Any, *args: object, **kwargs: object) -> Any:  # noqa: A002, N802
        """Call something later, and measure it."""
        return super().callLater(delay, self._measure, callable, *args, **kwargs)

    def _measure(self, work: Any, *args: object, **kwargs: object) -> None:
        began = time.thread_time()  # the machine may be busy
        work(*args, **kwargs)
        seconds = time.thread_time() - began
        if seconds > self.longest:
            self.longest, self.work = seconds, str(getattr(work, "__self__", work))


class Bench:
    """A dispatcher, and time that the bench moves."""

    def __init__(self, spool: JobSpool) -> None:
        self.time = MeasuredTime()
        clock = ServerClock(self.time)
        self.carrier = QuickCarrier(clock)
        self.disk = TimedSpool(spool)
        silence: Any = Silence()
        timed: Any = self.disk
        self.tasks = ReactorTasks(self.time, silence)
        doors = DispatchDoors(
            timed, {SMTP: self.carrier}, NoReports(), clock, self.tasks, silence, silence
        )
        self.dispatcher = Dispatcher(doors, ScheduleSettings(notices=()), DispatchSettings())
        self.spool = DispatchingSpool(timed, self.dispatcher)
        self._ids = count(1)

    def new_job(self, domain: str) -> NewJob:
        """Return a message to one recipient."""
        job = QueuedJob(f"job{next(self._ids)}", 1e9, parse("alice@example.org"), submitter="alice")
        recipient = OwedRecipient(1, RemoteTarget(parse(f"bob@{domain}")))
        return NewJob(job, (recipient,), MESSAGE)

    def accept(self, new: NewJob) -> None:
        """Take a message in."""
        self.tasks.start("bench", self.spool.accept(new))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        end = self.time.seconds() + seconds
        while (calls := self.time.getDelayedCalls()) and self.time.seconds() < end:
            upcoming = min(min(call.getTime() for call in calls), end)
            self.time.advance(max(upcoming - self.time.seconds(), 0.0))


def throughput(messages: int) -> None:
    """Print what a message costs."""
    bench = Bench(MemoryJobSpool())
    bench.tasks.start("bench", bench.dispatcher.start())
    bench.accept(bench.new_job("example.net"))
    bench.pass_time(1.0)
    jobs = [bench.new_job("example.net") for _ in range(messages)]
    bench.disk.seconds = 0.0
    began = time.process_time()
    for new in jobs:
        bench.accept(new)
    bench.pass_time(1.0)
    seconds = time.process_time() - began
    assert bench.carrier.sent == messages + 1, bench.carrier.sent
    spool = bench.disk.seconds / messages * 1e6
    own = seconds / messages * 1e6 - spool
    print(f"{messages} messages: {own:.1f} us each, and {spool:.1f} us the spool")


class SummarySpool:
    """A spool with one message for each of many domains.

    They are made up before, and read once: on disk a thread of its own reads them.
    """

    def __init__(self, number: int) -> None:
        names = (f"d{one}.example" for one in range(number))
        self._all = [DestinationSummary(Destination(SMTP, name), 1, 0.0) for name in names]
        self.writes = 0

    async def destinations(self) -> Sequence[DestinationSummary]:
        """Return all domains, or later nothing new."""
        found, self._all = self._all, []
        return found

    async def sites(self) -> Sequence[SiteRecord]:
        """Return none."""
        return []

    async def save_site(self, _: SiteRecord) -> None:
        """Count a write."""
        self.writes += 1

    async def older(self, *_: object) -> Sequence[DueRecipient]:
        """Return nobody."""
        return []


def many_destinations(number: int) -> None:
    """Print the longest piece of work with many dead destinations, and the memory that they take."""
    before = resident()
    spool: Any = SummarySpool(number)
    bench = Bench(spool)
    bench.carrier.is_dead = True
    gc.collect()
    began = time.process_time()
    bench.tasks.start("bench", bench.dispatcher.start())
    bench.pass_time(60.0)
    first = time.process_time() - began
    taken = (resident() - before) / 1e6
    print(f"{number} dead destinations: {taken:.0f} MB, the first minute {first:.1f} s of CPU")
    print(f"longest piece of work: {bench.time.longest * 1000:.1f} ms; {spool.writes} writes")
    bench.pass_time(4 * 3600.0)
    began, writes, bench.time.longest = time.process_time(), spool.writes, 0.0
    bench.pass_time(3600.0)
    share = (time.process_time() - began) / 36
    print(f"later: {share:.2f} % of a processor, {spool.writes - writes} writes in an hour")
    print(f"longest piece of work: {bench.time.longest * 1000:.1f} ms")


def resident() -> int:
    """Return the octets of memory that the process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def main() -> None:
    """Measure both."""
    messages, destinations = (int(text) for text in [*sys.argv[1:], "20000", "100000"][:2])
    throughput(messages)
    many_destinations(destinations)


if __name__ == "__main__":
    main()
