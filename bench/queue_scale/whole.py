"""A whole server with very many messages, almost all of them for domains that are dead.

A second server, whose queue is empty, is measured in turn with it: what differs is the queue's doing.
"""

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.compare import generator
from bench.newsletter import LETTER, SinkProcess
from bench.queue_scale.letters import Letters, Pace
from bench.queue_scale.names import Domains, NameProcess, SilentHosts
from bench.queue_scale.server import Server
from bench.queue_scale.spool import Scale
from tests.whole.ports import free_port

LIVE = 10  # domains
ROUNDS = 5
BEFORE_KILL = 2.0  # seconds
CALM_SHARE, CALM_SECONDS = (
    5.0,
    10.0,
)  # percentage of a processor below which nothing seems to be due
IDLE_SECONDS = 60.0
FEW, LOOK_SECONDS = 50, 10.0  # tries a second when all rest
PATIENCE = 3600.0
QUEUED = f"{LETTER}-queued"


class Whole:
    """A server with a full queue, one with an empty one, and where their mail goes."""

    def __init__(self, full: Server, empty: Server, sink: SinkProcess, domains: Domains) -> None:
        self.full, self.empty, self.sink, self.domains = full, empty, sink, domains
        self._letters = [Letters(one, sink, domains.name(0)) for one in (full, empty)]

    def run(self) -> None:
        self.empty.start()
        took = self.full.start()
        print(f"a start takes {took:.1f} s until mail is taken; killed {BEFORE_KILL:.0f} s later")
        time.sleep(BEFORE_KILL)
        self.full.kill()
        self._tried = self.full.tried()
        began = time.monotonic()
        self._restart()
        self._ready = time.monotonic()
        self._compare("while all is tried", ROUNDS)
        self._wait_until_tried(began)
        self._show_idle()
        self._compare("when all rest", ROUNDS)
        self._show_answers()

    def _restart(self) -> None:
        """Start after a kill; print when new mail goes again."""
        self._known, self._began = len(self._queued()), time.time()
        ready = self.full.start()
        first = self._letters[0].first()
        new = time.time() - self._began
        print(
            f"after kill -9: takes mail in {ready:.1f} s, a new letter is through after {new:.1f} s"
            f" ({1000 * first:.0f} ms after its 250)"
        )

    def _queued(self) -> list[float]:
        """Return when mail came that was in the queue."""
        return sorted(at for one, at in [*self.sink.arrived.items()] if one.startswith(QUEUED))

    def _compare(self, when: str, rounds: int) -> None:
        """Print how fast mail goes through both servers, which take turns."""
        began, found = time.monotonic(), ([], [])  # type: tuple[float, tuple[list[Pace], list[Pace]]]
        used = self.full.cpu_seconds()
        for turn in range(rounds):
            for side in (0, 1) if turn % 2 == 0 else (1, 0):
                found[side].append(self._letters[side].pace())
        took, used = time.monotonic() - began, self.full.cpu_seconds() - used
        print(f"{when}, {rounds} rounds in turn with a server whose queue is empty:")
        for what, of in _MEASURES:
            full, empty = (statistics.median(map(of, side)) for side in found)
            print(f"{what:>40}: {full:8.1f}, empty {empty:8.1f}, {full / empty:.2f} times")
        print(f"    {self.full.longest(began)}; {100 * used / took:.0f} % of a processor")
        print(f"    the empty one: {self.empty.longest(began)}")

    def _wait_until_tried(self, began: float) -> None:
        """Wait until each dead site was tried since the start, and few are tried again."""
        dead = self.domains.number - self.domains.live
        before = tried = self._tried
        while time.monotonic() - began < PATIENCE:
            last, tried = tried, self.full.tried()
            if tried - before >= dead and tried - last < FEW * LOOK_SECONDS:
                break
            time.sleep(LOOK_SECONDS)
        tried -= before
        took, used = time.monotonic() - began, self.full.cpu_seconds()
        print(
            f"after {took:.0f} s {tried:,} sites were tried, with {used:.0f} s of processor time;"
            f" {self.full.longest(self._ready)}"
        )
        came = [at - self._began for at in self._queued()[self._known :]]
        if came:
            print(f"{len(came)} of the queue were sent, {came[0]:.1f} to {came[-1]:.1f} s after it")

    def _show_idle(self) -> None:
        full, empty = self.full.megabytes(), self.empty.megabytes()
        print(f"memory (PSS): {full:.0f} MB, empty {empty:.0f} MB, {full - empty:.0f} MB more")
        before, began = self.full.tried(), time.monotonic()
        share = self.full.share(IDLE_SECONDS)
        print(
            f"at rest: {share:.2f} % of a processor in {IDLE_SECONDS:.0f} s, in which"
            f" {self.full.tried() - before} sites were tried; {self.full.longest(began)}"
        )
        print(f"    the empty one: {self.empty.share(IDLE_SECONDS):.2f} %")

    def _show_answers(self) -> None:
        dead = self.domains.name(1)
        for words in ((), ("list", "--domain", dead), ("list",)):
            line = " ".join(("twisted-mail queue", *words))
            print(f"{line}:", end="")
            for name, one in (("", self.full), (" with an empty queue", self.empty)):
                took, used = map(min, zip(*(one.asked(*words) for _ in range(3)), strict=True))
                print(f"{name} {took:.2f} s ({used:.2f} s of processor time)", end="")
            print()


_MEASURES: tuple[tuple[str, Callable[[Pace], float]], ...] = (
    ("messages a second to a live domain", lambda pace: pace.rate),
    ("ms from the 250 to the arrival, median", lambda pace: pace.milliseconds),
)


def fill(folder: Path, messages: int, domains: Domains) -> None:
    """Take messages in through the door of the spool, as many for each domain."""

    def recipient(number: int) -> tuple[str, str]:
        one = number * 7919 % domains.number
        return f"{QUEUED}{number}" if domains.is_live(one) else f"user{number}", domains.name(one)

    scale = Scale(folder)
    scale.fill(messages, recipient)
    scale.run(scale.spool.close())


def fill_once(folder: Path, messages: int, domains: Domains, kept: Path | None) -> None:
    """Fill a queue, or take a copy of one that was filled before, for which there is a folder."""
    if kept is None:
        fill(folder, messages, domains)
        return
    if not kept.exists():
        fill(kept, messages, domains)
    shutil.copytree(kept, folder)


@contextmanager
def prepared(root: Path, domains: Domains) -> Iterator[Whole]:
    """Yield what is measured, with a DNS and hosts beside it, and end all of it."""
    generator.build()
    dns, port = free_port(), free_port()
    with ExitStack() as ends:
        ends.callback(NameProcess(dns, domains).stop)
        sink = SinkProcess(port)
        ends.callback(sink.stop)
        if domains.is_silent:
            ends.callback(SilentHosts(port).stop)
        full, empty = (Server(root / name, dns, port) for name in ("full", "empty"))
        for one in (full, empty):
            ends.callback(one.end)
        yield Whole(full, empty, sink, domains)


def measure(root: Path, messages: int, is_silent: bool, kept: Path | None) -> None:
    domains = Domains(max(messages // 10, LIVE), LIVE, is_silent)
    with prepared(root, domains) as whole:
        fill_once(whole.full.queue, messages, domains, kept)
        whole.run()
