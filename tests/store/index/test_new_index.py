"""An index that is made where there was none."""

from pathlib import Path

import apsw
import pytest

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.index import schema
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


def test_a_new_index_has_the_tables_that_the_steps_lead_to(tmp_path: Path) -> None:
    new = opened(tmp_path)
    old = apsw.Connection(":memory:")
    for step in schema.STEPS:
        old.execute(step)
    what = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
    assert new.connection.execute(what).fetchall() == old.execute(what).fetchall()
    new.close()


def test_an_index_of_any_earlier_version_gets_the_steps_that_it_lacks(tmp_path: Path) -> None:
    what = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
    found = set()
    for version in range(schema.VERSION + 1):
        connection = apsw.Connection(":memory:")
        for step in schema.STEPS[:version]:
            connection.execute(step)
        connection.pragma("user_version", version)
        schema.prepare(Disk(), connection)
        assert connection.pragma("user_version") == schema.VERSION
        found.add(str(connection.execute(what).fetchall()))
    assert len(found) == 1
