"""Messages through the queue's spool over many connections: ``python -m bench.queue_together [N]``.

Each of N tasks (default 20) takes a message in, loads it, and notes that it was delivered, again and
again, with the threads and lanes of a server. Prints messages a second, processor time and commits of a
message; each commit is one sync, and ``strace -f -c -e trace=fdatasync,fsync`` counts those of
checkpoints, too.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall

from bench.clock import RealClock
from bench.queue_scale.spool import new_job
from twisted_mail.interfaces import SpoolChange
from twisted_mail.net.process.blocking import ThreadBlocking
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.queue.spool.settings import SpoolSettings
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.store.disk.memory_budget import Budget

MESSAGES = 200  # of each task
SIZE = 4096
reactor: Any = global_reactor


async def sender(spool: DiskJobSpool, task: int, took: list[float]) -> None:
    for number in range(MESSAGES):
        new = new_job(task * MESSAGES + number, "example.net", SIZE)
        began = time.monotonic()
        await spool.accept(new)
        took.append(time.monotonic() - began)
        assert await spool.load(new.job.id, [1]) is not None
        await spool.apply(SpoolChange(gone=[(new.job.id, 1)]))


async def run(folder: Path, tasks: int) -> None:
    blocking = ThreadBlocking(reactor, "files", 16)
    blocking.start()
    spool = DiskJobSpool(
        str(folder),
        DiskFiles(),
        blocking,
        RealClock(),
        Budget(),
        lambda where, error: sys.exit(f"{where}: {error}"),
        SpoolSettings(min_free=0),
    )
    await spool.start()
    upkeep = LoopingCall(lambda: Deferred.fromCoroutine(spool.tend()))
    upkeep.start(1.0)
    commits: list[int] = []

    def note() -> bool:
        commits.append(1)
        return False

    spool._writing._groups.connection.set_commit_hook(note)
    took: list[float] = []
    began, computed = time.monotonic(), time.process_time()
    await gatherResults(
        [Deferred.fromCoroutine(sender(spool, task, took)) for task in range(tasks)]
    )
    seconds, computed = time.monotonic() - began, time.process_time() - computed
    number = tasks * MESSAGES
    took.sort()
    print(
        f"{tasks} together: {number / seconds:,.0f} messages a second, {computed / number * 1e6:.0f} us"
        f" of processor time and {len(commits) / number:.2f} commits each;"
        f" half of them accepted within {took[number // 2] * 1000:.2f} ms"
    )
    upkeep.stop()
    await spool.close()
    blocking.stop()


async def run_all(options: Any) -> None:
    root = Path(tempfile.mkdtemp(prefix="queue-together-", dir=options.folder))
    try:
        for tasks in options.tasks or [20, 1]:
            await run(root / str(tasks), tasks)
    finally:
        shutil.rmtree(root)
        reactor.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", type=int)
    parser.add_argument("--folder", default=None)
    options = parser.parse_args()
    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(run_all(options)).addErrback(_complain))
    reactor.run()


def _complain(failure: Any) -> None:
    failure.printTraceback()
    reactor.stop()


if __name__ == "__main__":
    main()
