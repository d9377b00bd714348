from pathlib import Path

import apsw
import pytest

from tests.contracts.spool import new_job
from tests.faults import QuickDisk
from tests.queue.spool.spools import start_spool
from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.spool import upkeep
from twisted_mail.queue.spool.room import BALLAST, LOOK_SECONDS, MIN_INODES, FreeSpace
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import StillClock, finish


class SmallDisk(QuickDisk):
    octets, inodes = 1 << 40, 1 << 20

    def room(self, path: bytes) -> tuple[int, int]:
        return self.octets, 1 << 40

    def free_inodes(self, path: bytes) -> int:
        return self.inodes


@pytest.mark.parametrize(("octets", "inodes"), [(999, 1 << 20), (1 << 40, MIN_INODES - 1)])
def test_no_mail_is_taken_while_too_little_is_free(tmp_path: Path, octets: int, inodes: int):
    disk, clock = SmallDisk(), StillClock()
    said: list[str] = []
    report = lambda where, error: said.append(f"{where}: {error.strerror}")  # noqa: E731
    spool = start_spool(tmp_path, disk, min_free=1000, clock=clock, report_fault=report)
    finish(spool.accept(new_job("a")))
    assert said == []
    disk.octets, disk.inodes = octets, inodes
    clock.seconds += LOOK_SECONDS
    for new in (new_job("b"), new_job("large", body=b"x" * 100_000)):
        with pytest.raises(Unavailable) as caught:
            finish(spool.accept(new))
        assert (caught.value.outcome.code, caught.value.outcome.enhanced) == (452, "4.3.1")
    assert set(said) == {f"{tmp_path}: less than 0 MiB or 1000 files are left: no mail is taken in"}
    assert [*(tmp_path / "bodies").iterdir()] == []
    disk.octets, disk.inodes = 1 << 40, 1 << 20
    clock.seconds += LOOK_SECONDS
    finish(spool.accept(new_job("b")))
    finish(spool.close())


def test_the_ballast_is_written_where_there_is_room_for_it(tmp_path: Path):
    disk = SmallDisk()
    space = FreeSpace(str(tmp_path), DiskFiles(disk), 1000)
    disk.octets = 1000 + 2 * BALLAST - 1
    space.take_ballast()
    assert not space.give_up_ballast()
    disk.octets += 1
    space.take_ballast()
    assert (tmp_path / "ballast").stat().st_size == BALLAST
    assert space.give_up_ballast()
    assert not space.give_up_ballast()


def test_the_file_system_is_asked_once_a_second(tmp_path: Path):
    disk = SmallDisk()
    space = FreeSpace(str(tmp_path), DiskFiles(disk), 1000)
    assert space.is_enough(0.0)
    disk.octets = 0
    assert space.is_enough(0.5)
    assert not space.is_enough(1.0)


def test_a_program_that_reads_for_ever_is_named_when_the_log_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upkeep, "LOGGED", 1)
    monkeypatch.setattr(upkeep, "LOG_MOST", 20)
    monkeypatch.setattr(upkeep, "LONG_LOG", 40)
    said: list[tuple[str, Exception]] = []
    spool = start_spool(tmp_path, QuickDisk(), report_fault=lambda *given: said.append(given))
    other = apsw.Connection(str(tmp_path / "queue.sqlite3"))

    def work(name: str) -> None:
        for number in range(20):
            finish(spool.accept(new_job(f"{name}{number}")))
            finish(spool.tend())

    work("a")
    assert said == []
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM jobs").fetchall()
    work("b")
    assert {(where, type(error)) for where, error in said} == {
        (str(tmp_path / "queue.sqlite3-wal"), upkeep.LogGrows)
    }
    other.execute("COMMIT")
    finish(spool.tend())
    said.clear()
    work("c")
    assert said == []
    assert spool.counts().jobs == 60
    other.close()
    finish(spool.close())


@pytest.mark.parametrize("has_another", [False, True])
def test_no_mail_is_taken_into_a_database_that_somebody_has_removed(
    tmp_path: Path, has_another: bool
):
    said: list[str] = []
    report = lambda where, error: said.append(f"{where}: {error.strerror}")  # noqa: E731
    spool = start_spool(tmp_path, QuickDisk(), report_fault=report)
    finish(spool.accept(new_job("a")))
    finish(spool.tend())
    path, aside = tmp_path / "queue.sqlite3", tmp_path / "aside"
    path.rename(aside)
    if has_another:
        path.write_bytes(aside.read_bytes())
    finish(spool.tend())
    with pytest.raises(Unavailable):
        finish(spool.accept(new_job("b")))
    assert said == [
        f"{path}: somebody has moved or removed it: no mail is taken in until the next start"
    ]
    finish(spool.apply(SpoolChange(gone=[("a", 1)])))  # what is there is served all the same
    aside.rename(path)
    finish(spool.tend())
    finish(spool.accept(new_job("b")))
    finish(spool.close())
