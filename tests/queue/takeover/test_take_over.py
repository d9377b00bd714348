"""The folder ``waiting`` of an earlier version, as that version wrote it, is taken over and emptied."""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import MailParameters
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, RecipientState
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.takeover import take_over as module
from twisted_mail.queue.takeover.take_over import TakeOver
from twisted_mail.queue.takeover.waiting_folder import unreadable_jobs
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import EPOCH, InlineBlocking, StillClock, finish
from twisted_mail.testing.job_spool import MemoryJobSpool

WRITTEN = Path(__file__).parent / "waiting"  # by the last version that had such a folder
NEWS = "news@example.org"
POST = ListTarget(NEWS, ListRole.POST)
IDS = [
    f"06c9x2vq81w3k7f{name}" for name in ("0-1", "0-2", "1-1", "2-1", "3-1", "4-1", "5-1", "6-1")
]
PROGRAM, LIST, HELD, UNASKED, APPROVED, REJECTED, BOUNCE, DEAD = IDS


class Bench:
    """A state folder with what an earlier version left, and the spool that takes it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "waiting"
        shutil.copytree(WRITTEN, self.path)
        self.spool = MemoryJobSpool()
        self.missing: list[tuple[str, Collection[int]]] = []
        self.reports: list[str] = []

    async def jobs_for_missing(self, new: NewJob, done: Collection[int]) -> Sequence[NewJob]:
        self.missing.append((new.job.id, done))
        return []

    def run(self) -> int:
        return finish(
            TakeOver(
                str(self.path),
                DiskFiles(),
                self.spool,
                InlineBlocking(),
                StillClock(),
                self.jobs_for_missing,
                report_fault=lambda where, _: self.reports.append(where),
            ).run()
        )

    def recipient(self, id: str) -> OwedRecipient:
        [found] = self.spool.jobs[id].recipients.values()
        return found

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.path.rglob("*") if path.is_file())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_everything_is_taken_over_and_the_folder_is_empty(bench: Bench) -> None:
    assert bench.run() == 8
    assert sorted(bench.spool.jobs) == [id for id in IDS if id != REJECTED]
    assert all(job.is_kept for job in bench.spool.jobs.values())
    assert bench.files == []
    assert bench.reports == []


def test_a_job_for_a_program_keeps_its_message_its_time_and_its_tries(bench: Bench) -> None:
    bench.run()
    job = bench.spool.jobs[PROGRAM]
    assert job.message.read() == (
        b"Received: from client.example\r\n"
        b"From: alice@example.org\r\nSubject: of an earlier version\r\n\r\nbody\r\n"
    )
    assert (job.job.sender, job.job.arrived) == (parse("s@client.example"), EPOCH)
    assert job.job.mail_parameters == MailParameters(body="8BITMIME")
    assert job.job.size == job.message.size
    recipient = bench.recipient(PROGRAM)
    assert recipient.target == ProgramTarget("ticket", parse("tickets+7@example.org"), "7")
    assert (recipient.due, recipient.tries) == (EPOCH + 600, 3)


def test_a_post_in_the_middle_of_its_members_goes_on_from_there(bench: Bench) -> None:
    bench.run()
    assert bench.recipient(LIST).progress == 3
    assert bench.missing == [(LIST, {1, 3})]
    assert bench.spool.jobs[LIST].job.submitter == "alice@example.org"
    assert bench.spool.jobs[LIST].job.mail_parameters.is_utf8


def test_held_posts_stay_held_and_owners_are_asked_once(bench: Bench) -> None:
    bench.run()
    for id, notices in ((HELD, 1), (UNASKED, 0)):
        held = bench.recipient(id)
        assert held.waits_for_moderators
        assert (held.reason, held.notices) == ("the list is moderated", notices)


def test_what_moderators_had_decided_counts(bench: Bench) -> None:
    bench.run()
    approved = bench.recipient(APPROVED)
    assert (approved.state, approved.target) == (RecipientState.WAITING, POST)
    assert REJECTED not in bench.spool.jobs


def test_a_dead_letter_is_held_as_undeliverable(bench: Bench) -> None:
    bench.run()
    dead = bench.recipient(DEAD)
    assert dead.is_undeliverable
    assert dead.reason == "nobody can be told: the program knows no such user"
    assert dead.due == EPOCH + 30 * 86400
    assert bench.spool.jobs[DEAD].job.sender == NULL


def test_what_was_taken_before_the_process_ended_is_not_taken_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(module.WaitingFolder, "remove", broken)
        with pytest.raises(OSError, match="Input"):
            bench.run()
    taken = dict(bench.spool.jobs)
    assert PROGRAM in taken
    bench.run()
    assert all(bench.spool.jobs[id] is job for id, job in taken.items())
    assert bench.files == []


def test_nothing_is_removed_before_all_is_in_the_spool(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    apply, calls = bench.spool.apply, []

    async def failing(change: object) -> None:
        calls.append(change)
        if len(calls) == 3:
            raise Unavailable("the disk is full")
        await apply(change)  # type: ignore[arg-type]

    bench.spool.apply = failing  # type: ignore[method-assign, assignment]
    before = bench.files
    with pytest.raises(Unavailable):
        bench.run()
    assert bench.files == before


def test_what_cannot_be_read_stays_and_is_named(bench: Bench) -> None:
    (bench.path / f"{PROGRAM}.json").write_bytes(b"{")
    (bench.path / f"{HELD}.mail").unlink()
    assert bench.run() == 6
    assert {PROGRAM, HELD}.isdisjoint(bench.spool.jobs)
    left = [f"{PROGRAM}.json", f"{PROGRAM}.mail", f"{HELD}.json"]
    assert sorted(bench.files) == sorted(left)
    named = [where for where, _ in unreadable_jobs(str(bench.path), DiskFiles())]
    assert (
        named
        == sorted(bench.reports)
        == sorted(str(bench.path / f"{id}.json") for id in (PROGRAM, HELD))
    )


def test_a_state_folder_without_one_has_nothing_to_take_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    shutil.rmtree(bench.path)
    assert bench.run() == 0
