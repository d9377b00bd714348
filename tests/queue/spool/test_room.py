from pathlib import Path

import pytest

from tests.contracts.spool import new_job
from tests.faults import QuickDisk
from tests.queue.spool.spools import start_spool
from twisted_mail.mail.outcome import Unavailable
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
