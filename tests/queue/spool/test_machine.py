"""A queue that lives through anything, beside a model of it.

``QUEUE_MINUTES=60 pytest tests/queue/spool/test_machine.py`` looks for longer.
"""

import shutil
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import apsw
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from tests.contracts.spool import LATER, new_job, owed
from tests.faults import PowerDisk, Stopped
from tests.queue.machine_trial import run_machine
from tests.queue.spool.power_vfs import PowerVfs
from tests.queue.spool.spools import abandon, make_spool
from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob, RecipientState
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.job_spool import MemoryJob, MemoryJobSpool

INLINE = 500
IDS = [f"job{number}" for number in range(6)]
ids = st.sampled_from(IDS)
numbers = st.integers(1, 4)
NEVER = 10**9

Act = Callable[[Any], Coroutine[Any, Any, None]]


class QueueLife(RuleBasedStateMachine):
    """A spool on a disk that may stop at any step, and one in memory that does the same."""

    count = 0

    def __init__(self) -> None:
        super().__init__()
        QueueLife.count += 1
        self.folder = Path(tempfile.mkdtemp(prefix="queue-life-"))
        self.model = MemoryJobSpool()
        self.starts = 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        self.disk = PowerDisk(NEVER, self.folder / f"attic{self.starts}")
        self.vfs = PowerVfs(f"life-{self.count}-{self.starts}", lambda name: self.disk.step(name))
        self.spool = make_spool(
            self.folder / "queue", self.disk, inline=INLINE, fresh=4000, vfs=self.vfs.name
        )
        finish(self.spool.start())

    def teardown(self) -> None:
        abandon(self.spool)
        shutil.rmtree(self.folder)

    # ------------------------------------------------------------ what happens

    def act(self, act: Act) -> None:
        """Do something in both; where the power goes meanwhile, it was done or not."""
        before = copied(self.model.jobs)
        try:
            finish(act(self.model))
            is_refused = False
        except Unavailable:
            is_refused = True
        try:
            finish(act(self.spool))
            assert not is_refused
        except (Stopped, Unavailable, apsw.Error, OSError):
            if len(self.disk.done) < self.disk.stop_at:
                if not is_refused:
                    raise
                return
            self.power_cut(before)

    def power_cut(self, before: dict[str, MemoryJob]) -> None:
        after = self.model.jobs
        self.vfs.is_stopped = True
        abandon(self.spool)
        self.vfs.cut(len(self.disk.done))
        self.disk.cut()
        self.start()
        for jobs in (before, after):
            self.model.jobs = {id: job for id, job in jobs.items() if job.is_kept}
            if contents(self.spool) == contents(self.model):
                return
        raise AssertionError((contents(self.spool), contents(self.model)))

    @rule(id=ids, size=st.sampled_from([0, 300, 501, 3000]), count=numbers, kept=st.booleans())
    def take_in(self, id: str, size: int, count: int, kept: bool) -> None:
        new = job(id, size, count)
        self.act(lambda spool: spool.accept(new) if kept else spool.prepare(new))

    @rule(id=ids, number=numbers, report=st.none() | ids)
    def keep(self, id: str, number: int, report: str | None) -> None:
        new = [] if report is None else [job(report, 100, 1)]
        self.act(lambda spool: spool.keep(id, [owed(number + 4)], new))

    @rule(id=ids)
    def drop(self, id: str) -> None:
        self.act(lambda spool: spool.drop(id))

    @rule(
        gone=st.lists(st.tuples(ids, numbers), max_size=4),
        altered=st.lists(st.tuples(ids, numbers, st.sampled_from(RecipientState)), max_size=3),
        report=st.none() | ids,
    )
    def apply(
        self,
        gone: list[tuple[str, int]],
        altered: list[tuple[str, int, RecipientState]],
        report: str | None,
    ) -> None:
        changed = [
            (id, replace(owed(number), tries=1, last=LATER, due=9.0, state=state))
            for id, number, state in altered
        ]
        is_new = report is not None and report not in dict(gone)
        new = [job(str(report), 600, 1)] if is_new else []
        self.act(lambda spool: spool.apply(SpoolChange(gone=gone, altered=changed, new=new)))

    @rule()
    def tend(self) -> None:
        self.act(lambda spool: spool.tend() if spool is self.spool else nothing())

    @rule()
    def restart(self) -> None:
        try:
            finish(self.spool.close())
        except (Stopped, Unavailable, apsw.Error, OSError):
            self.power_cut(self.model.jobs)
            return
        self.model.jobs = {id: job for id, job in self.model.jobs.items() if job.is_kept}
        self.start()

    @precondition(lambda self: self.disk.stop_at == NEVER)
    @rule(steps=st.integers(0, 40))
    def stop_soon(self, steps: int) -> None:
        self.disk.stop_at = len(self.disk.done) + steps

    # ------------------------------------------------------------ what holds

    @invariant()
    def both_are_the_same(self) -> None:
        assert contents(self.spool) == contents(self.model)
        assert self.spool.counts() == self.model.counts()


async def nothing() -> None: ...


def job(id: str, size: int, count: int) -> NewJob:
    return new_job(id, *[owed(number) for number in range(1, count + 1)], body=b"x" * size)


def copied(jobs: dict[str, MemoryJob]) -> dict[str, MemoryJob]:
    return {id: replace(job, recipients=dict(job.recipients)) for id, job in jobs.items()}


def contents(spool: DiskJobSpool | MemoryJobSpool) -> dict[str, Any]:
    found = {}
    for id in IDS:
        loaded = finish(spool.read(id))
        if loaded is not None:
            found[id] = (tuple(loaded.recipients), loaded.message.read())
    waiting = {one.destination: one.waiting for one in finish(spool.destinations())}
    return {"jobs": found, "waiting": waiting}


SETTINGS = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def test_no_sequence_of_events_finds_a_contradiction(
    record_property: Callable[[str, object], None],
) -> None:
    run_machine(QueueLife, SETTINGS, record_property)
