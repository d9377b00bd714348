"""What the processes of a server use: processor time, and memory that is their own."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
QUIET = 3.0  # more than a server waits after the last command before it works in the background
CGROUPS = Path("/sys/fs/cgroup/cpuacct")


class ProcessTree:
    """The processes below those whose ids stand in files, at the moment of each question.

    ``cgroups`` are names below the cpuacct hierarchy: where all are there, they count the time exactly,
    that of processes which have ended included; else it comes in steps of 10 ms.
    """

    def __init__(self, pidfiles: Iterable[str], cgroups: Iterable[str] = ()) -> None:
        self._pidfiles = [Path(name) for name in pidfiles]
        self._usage = [CGROUPS / name / "cpuacct.usage" for name in cgroups]

    def cpu_us(self) -> float:
        """Return the microseconds that they and their ended children have used."""
        if self._usage and all(path.exists() for path in self._usage):
            return sum(int(path.read_text()) for path in self._usage) / 1000
        times = (sum(map(int, fields[11:15])) for _, fields in self._walk())
        return sum(times) / TICKS * 1e6

    def pss_kib(self) -> tuple[int, int]:
        """Return the proportional set size of all, and how many processes they are."""
        sizes = [size for pid, _ in self._walk() if (size := _pss(pid)) is not None]
        return sum(sizes), len(sizes)

    def _walk(self) -> Iterator[tuple[int, list[str]]]:
        """Yield ids and the fields of their ``stat``, those after the name (proc(5))."""
        children: dict[int, list[int]] = {}
        found = dict(_all_processes())
        for pid, fields in found.items():
            children.setdefault(int(fields[1]), []).append(pid)
        waiting = [int(path.read_text().split()[0]) for path in self._pidfiles]
        if gone := [pid for pid in waiting if pid not in found]:
            raise ProcessLookupError(f"the server's process {gone} is gone")
        while waiting:
            pid = waiting.pop()
            waiting += children.get(pid, [])
            yield pid, found[pid]


def _all_processes() -> Iterator[tuple[int, list[str]]]:
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = Path("/proc", name, "stat").read_text()
        except OSError:  # it has ended
            continue
        yield int(name), text.rpartition(")")[2].split()


def _pss(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), None)


def machine_us() -> float:
    """Return the microseconds that the machine has worked; the idle class (``nice``) is left out."""
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, _, system, _, _, interrupts, soft_interrupts, _ = fields
    return (user + system + interrupts + soft_interrupts) / TICKS * 1e6


def wait_until_quiet(
    readings: Iterable[Callable[[], float]], limit: float = 600.0, share: float = 0.03
) -> float:
    """Wait until no server has computed for ``QUIET`` seconds; return how long it has been.

    What one does in the background (indexing above all) would be measured as the other's load, too.
    """
    began = busy = time.monotonic()
    asked = list(readings)
    while time.monotonic() - began < limit:
        before = [reading() for reading in asked]
        time.sleep(1)
        if all(after() - then < share * 1e6 for after, then in zip(asked, before, strict=True)):
            if time.monotonic() - busy > QUIET:
                return time.monotonic() - busy
        else:
            busy = time.monotonic()
    print(f"    (still busy after {limit:.0f} s)", file=sys.stderr)
    return 0.0
