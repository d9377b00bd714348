"""Keeps every processor out of its idle state, with one process of the idle class for each.

In a virtual machine it takes 50 to 100 us to wake a halted processor, and it depends on chance which
one the client and the server run on. A spinner yields to any normal process at once.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def spinning(is_wanted: bool) -> Iterator[None]:
    """Spin inside of the ``with``, if it is wanted."""
    command = [sys.executable, "-m", "bench.compare.spinners"]
    count = os.cpu_count() or 1
    spinners = [subprocess.Popen([*command, str(one)]) for one in range(count * is_wanted)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.terminate()
            spinner.wait()


def spin(processor: int) -> None:
    """Spin there until the parent has gone; an hour and a half at most."""
    os.sched_setaffinity(0, {processor})
    os.nice(19)  # /proc/stat books it as nice, apart from the servers
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    end, parent = time.monotonic() + 5400, os.getppid()
    while time.monotonic() < end and os.getppid() == parent:
        for _ in range(20_000):
            pass


if __name__ == "__main__":
    spin(int(sys.argv[1]))
