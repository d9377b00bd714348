"""An index that is made where there was none."""

from pathlib import Path

import apsw
import pytest

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.index.database import Database
from twisted_mail.testing.doubles import StillClock

SYNCS: list[int] = []


class CountedFile(apsw.VFSFile):
    """A file of a database whose syncs are counted."""

    def __init__(self, vfs: str, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(vfs, name, flags)

    def xSync(self, flags: int) -> None:
        SYNCS.append(flags)


class CountedFiles(apsw.VFS):
    """The operating system's files, with their syncs counted."""

    def __init__(self) -> None:
        super().__init__("counted", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> CountedFile:
        return CountedFile("", name, flags)


class CountedDisk(Disk):
    def __init__(self) -> None:
        self._files = CountedFiles()

    def connect(self, name: str, flags: int = 6, vfs: str | None = None) -> apsw.Connection:
        return super().connect(name, flags, "counted")


def opened(folder: Path, boot: str = "boot") -> Database:
    path = str(folder / "index.sqlite3").encode()
    return Database(CountedDisk(), path, boot, StillClock(2e9), DiskFaults())


@pytest.fixture(autouse=True)
def _no_syncs() -> None:
    SYNCS.clear()


def test_a_new_index_waits_for_no_disk(tmp_path: Path) -> None:
    new = opened(tmp_path)
    assert SYNCS == []
    new.close()


def test_what_a_new_index_is_to_keep_waits_for_the_disk(tmp_path: Path) -> None:
    new = opened(tmp_path)
    new.begin()
    new.commit(is_synced=True)
    assert SYNCS
    new.close()


def test_an_index_from_before_the_machine_was_started_waits_for_the_disk(tmp_path: Path) -> None:
    opened(tmp_path).close()
    SYNCS.clear()
    old = opened(tmp_path, "another boot")
    assert SYNCS
    old.close()
