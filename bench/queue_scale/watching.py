"""A server whose reactor is watched: ``python -m bench.queue_scale.watching FILE twistd's words``.

Writes a line for each turn of the reactor that took long, and for each collection of garbage that did:
when it ended, what it was, and milliseconds of processor time and of the clock. A collection stops all
threads, whichever it runs in.
"""

import gc
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from twisted.internet import reactor as installed_reactor
from twisted.scripts.twistd import run

NOTED = 0.02  # seconds from which on a turn is noted
TURN, COLLECTION = "turn", "collection"


class Watch:
    """Measures pieces of work, each from ``begin`` to ``end``."""

    def __init__(self, kind: str, file: TextIO) -> None:
        self._kind = kind
        self._file = file
        self._cpu, self._clock = time.thread_time(), time.monotonic()

    def begin(self) -> None:
        self._cpu, self._clock = time.thread_time(), time.monotonic()

    def end(self) -> None:
        cpu, now = time.thread_time() - self._cpu, time.monotonic()
        if max(cpu, now - self._clock) >= NOTED:
            took = 1000 * (now - self._clock)
            self._file.write(f"{now:.3f} {self._kind} {1000 * cpu:.1f} {took:.1f}\n")


class WatchedPoller:
    """The reactor's poller: a turn is what lies between two waits in it."""

    def __init__(self, poller: Any, turn: Watch) -> None:
        self._poller = poller
        self._turn = turn

    def poll(self, *words: Any) -> Any:
        self._turn.end()
        try:
            return self._poller.poll(*words)
        finally:
            self._turn.begin()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)


class WatchedCollections:
    """Notes the collections of garbage."""

    def __init__(self, collection: Watch) -> None:
        self._collection = collection

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        (self._collection.begin if phase == "start" else self._collection.end)()


def longest(path: Path, kind: str, since: float, until: float) -> tuple[float, float]:
    """Return the most milliseconds of processor time, and of the clock, of one piece of work."""
    rows = [line.split() for line in path.read_text().splitlines()]
    found = [
        (float(cpu), float(took))
        for at, what, cpu, took in rows
        if what == kind and since <= float(at) <= until
    ]
    return max((cpu for cpu, _ in found), default=0.0), max(
        (took for _, took in found), default=0.0
    )


def main() -> None:
    file = Path(sys.argv[1]).open("a", buffering=1)  # noqa: SIM115
    reactor: Any = installed_reactor
    reactor._poller = WatchedPoller(reactor._poller, Watch(TURN, file))
    gc.callbacks.append(WatchedCollections(Watch(COLLECTION, file)))
    sys.argv = ["twistd", *sys.argv[2:]]
    run()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
