import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults import PowerDisk, StopDisk, Stopped
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.job import APPROVE, Job
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.message import Blob, MemoryBlob, Message
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.queue.job_file import encode
from twisted_mail.store.disk.files import DiskFiles

ONE = Job("0abc-1", 5.0, NULL, ProgramTarget("ticket", parse("t@example.org")))
TWO = Job("0abc-2", 6.0, NULL, ListTarget("news@example.org", ListRole.POST))
MESSAGE = Message(MemoryBlob(b"Subject: x\r\n\r\nbody\r\n"), b"Received: y\r\n")


WHOLE = b"".join(MESSAGE.pieces())


def make_folder(path: Path) -> QueueFolder:
    made = QueueFolder(str(path), DiskFiles())
    made.load()
    return made


def read(folder: QueueFolder, job: Job) -> bytes:
    return b"".join(folder.blob(job.id).pieces())


@pytest.fixture
def folder(tmp_path: Path) -> QueueFolder:
    return make_folder(tmp_path / "waiting")


def names(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "waiting"))


def taken(folder: QueueFolder) -> QueueFolder:
    folder.prepare([ONE, TWO], MESSAGE)
    folder.commit([ONE, TWO])
    return folder


def test_jobs_that_are_ours_are_there_after_a_restart(folder: QueueFolder, tmp_path: Path) -> None:
    taken(folder)
    again = QueueFolder(str(tmp_path / "waiting"), DiskFiles())
    assert again.load() == [ONE, TWO]
    blob = again.blob(TWO.id)
    assert b"".join(blob.pieces()) == b"".join(MESSAGE.pieces())
    assert b"".join(blob.pieces(3, 8)) == b"".join(MESSAGE.pieces())[3:8]
    assert blob.size == MESSAGE.size


@pytest.mark.parametrize(
    "description",
    [b"", b"{", b"[]", b'"x"', b"\xff", encode(TWO), encode(ONE).replace(b"5.0", b"NaN")],
)
def test_a_job_that_cannot_be_read_is_reported_and_stays(
    folder: QueueFolder, tmp_path: Path, description: bytes
) -> None:
    taken(folder)
    path = tmp_path / "waiting" / f"{ONE.id}.json"
    path.write_bytes(description)
    reports: list[tuple[str, Exception]] = []
    again = QueueFolder(
        folder.path, DiskFiles(), lambda where, error: reports.append((where, error))
    )
    assert again.load() == [TWO]
    assert [(where, isinstance(error, ValueError)) for where, error in reports] == [
        (str(path), True)
    ]
    assert path.exists()


def test_a_job_that_is_removed_while_it_is_read_is_not_reported(
    folder: QueueFolder, tmp_path: Path
) -> None:
    taken(folder)

    class Racing(DiskFiles):
        def blob(self, path: str) -> Blob:
            QueueFolder(str(tmp_path / "waiting"), DiskFiles()).remove(ONE.id)
            return super().blob(path)

    reports: list[str] = []
    again = QueueFolder(folder.path, Racing(), lambda where, _: reports.append(where))
    assert again.read_all() == [TWO]
    assert reports == []


def test_jobs_that_were_only_prepared_are_removed(folder: QueueFolder, tmp_path: Path) -> None:
    folder.prepare([ONE, TWO], MESSAGE)
    assert folder.load() == []
    assert names(tmp_path) == []


def test_a_job_that_is_rolled_back_leaves_nothing(folder: QueueFolder, tmp_path: Path) -> None:
    folder.prepare([ONE, TWO], MESSAGE)
    folder.rollback([ONE, TWO])
    assert names(tmp_path) == []


def test_a_description_is_replaced_as_a_whole(folder: QueueFolder) -> None:
    later = Job(ONE.id, 5.0, NULL, ONE.target, due=99.0, attempts=3, reason="busy")
    taken(folder).update(later)
    assert folder.load() == [later, TWO]


def test_a_removed_job_leaves_nothing(folder: QueueFolder, tmp_path: Path) -> None:
    taken(folder)
    folder.note_done(TWO.id, [1])
    folder.decide(TWO.id, APPROVE)
    folder.remove(ONE.id)
    folder.remove(TWO.id)
    assert names(tmp_path) == []


def test_members_with_a_copy_are_remembered(folder: QueueFolder, tmp_path: Path) -> None:
    taken(folder)
    assert folder.done(TWO.id) == set()
    folder.note_done(TWO.id, [3, 5])
    folder.note_done(TWO.id, [8])
    with (tmp_path / "waiting" / f"{TWO.id}.done").open("ab") as file:
        file.write(b"13")  # a line that a crash has torn
    assert folder.done(TWO.id) == {3, 5, 8}


def test_decisions_are_found_and_forgotten(folder: QueueFolder) -> None:
    taken(folder).decide(TWO.id, APPROVE)
    assert folder.pending_decisions() == [(TWO.id, APPROVE)]
    folder.remove_decision(TWO.id, APPROVE)
    assert folder.pending_decisions() == []


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe"])
def test_a_damaged_job_does_not_hinder_the_others(
    folder: QueueFolder, tmp_path: Path, damage: bytes
) -> None:
    taken(folder)
    (tmp_path / "waiting" / f"{ONE.id}.json").write_bytes(damage)
    assert folder.load() == [TWO]
    assert {f"{ONE.id}.json", f"{ONE.id}.mail"} < set(names(tmp_path))


def take(folder: QueueFolder) -> None:
    folder.prepare([ONE, TWO], MESSAGE)
    folder.commit([ONE, TWO])


def change(folder: QueueFolder) -> None:
    folder.update(replace(ONE, due=99.0, attempts=3))
    folder.note_done(TWO.id, [1])
    folder.decide(TWO.id, APPROVE)
    folder.remove(TWO.id)


def steps(path: Path, *work: Callable[[QueueFolder], None]) -> int:
    """Return the number of steps on disk that some work takes, after the folder is made."""
    folder = make_folder(path)
    disk = StopDisk(10**6)
    folder = QueueFolder(str(path), DiskFiles(disk))
    for one in work:
        one(folder)
    return len(disk.done)


def test_a_crash_at_any_step_leaves_all_or_nothing_of_a_job(tmp_path: Path) -> None:
    for stop_at in range(steps(tmp_path / "whole", take)):
        path = tmp_path / str(stop_at)
        make_folder(path)
        with pytest.raises(Stopped):
            take(QueueFolder(str(path), DiskFiles(StopDisk(stop_at))))
        again = make_folder(path)
        for job in again.read_all():
            assert read(again, job) == WHOLE


def test_a_power_cut_at_any_step_loses_no_job_that_is_ours(tmp_path: Path) -> None:
    before = steps(tmp_path / "taking", take)
    total = steps(tmp_path / "whole", take, change)
    for stop_at in range(before, total + 1):
        path = tmp_path / str(stop_at)
        make_folder(path)
        disk = PowerDisk(stop_at, tmp_path / f"attic{stop_at}")
        folder = QueueFolder(str(path), DiskFiles(disk))
        take(folder)
        with suppress(Stopped):
            change(folder)
        disk.cut()
        again = make_folder(path)
        jobs = {job.id: job for job in again.read_all()}
        assert jobs[ONE.id] in (ONE, replace(ONE, due=99.0, attempts=3))
        assert read(again, ONE) == WHOLE
        if stop_at == total:
            assert list(jobs) == [ONE.id]


def test_what_an_older_version_left_of_a_description_is_removed(tmp_path: Path) -> None:
    taken(make_folder(tmp_path / "waiting"))
    (tmp_path / "waiting" / "0zzz-1.tmp").write_bytes(b"{")
    (tmp_path / "waiting" / f"{ONE.id}.json.new").write_bytes(b"{")
    make_folder(tmp_path / "waiting")
    assert names(tmp_path) == [
        f"{ONE.id}.json",
        f"{ONE.id}.mail",
        f"{TWO.id}.json",
        f"{TWO.id}.mail",
    ]
