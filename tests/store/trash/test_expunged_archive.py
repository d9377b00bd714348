"""Tests of twisted_mail.store.trash.expunged_archive."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults import BadFilesDisk, FailDisk, QuickDisk
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.format.layout import MAX_FILE_NAME
from twisted_mail.store.index.rows import Row
from twisted_mail.store.trash import expunged_archive
from twisted_mail.store.trash.expunged_archive import LEAST_ROOM, ExpungedArchive, ExpungedName
from twisted_mail.testing.doubles import StillClock

NOW = 1_795_423_000  # 2026-11-23
FLAGS = st.sets(st.sampled_from(["\\Seen", "\\Flagged", "$Work", "a,b", "$a;b:c", "x" * 120])).map(
    normal
)
BASES = st.binary(min_size=1, max_size=250).map(
    lambda raw: raw.translate(bytes.maketrans(b":/\0\n", b"xxxx"))
)


def row(base: bytes = b"base", flags: frozenset[str] = frozenset()) -> Row:
    return Row(17, base, b"c:2,", flags, 1, NOW, 4, 4)


@given(BASES, FLAGS)
def test_a_name_tells_what_is_needed_to_bring_a_message_back(
    base: bytes, flags: frozenset[str]
) -> None:
    name = expunged_archive.name(row(base, flags), NOW)
    found = expunged_archive.parse(name)
    assert len(name) <= MAX_FILE_NAME
    assert found is not None
    assert (found.when, found.uid) == (NOW, 17)
    assert found.flags <= flags
    if len(base) < 60:
        assert found.base == base
    if len(base) < 60 and "x" * 120 not in flags:
        assert found.flags == flags


@pytest.mark.parametrize("name", [b"", b"base:2,S", b"1.2:2,", b"1.2.b:1,", b"1." + b"9" * 11])
def test_another_name_is_none_of_ours(name: bytes) -> None:
    assert expunged_archive.parse(name) is None


def test_a_name_is_read_as_it_stands() -> None:
    found = expunged_archive.parse(b"1795423000.17.base:2,FS,$Work")
    assert found == ExpungedName(NOW, 17, b"base", normal(["\\Flagged", "\\Seen", "$Work"]))


def archive(tmp_path: Path, days: int = 14, disk: Disk | None = None) -> ExpungedArchive:
    return ExpungedArchive(disk or QuickDisk(), StillClock(NOW), bytes(tmp_path), days)


def test_a_file_is_moved_to_the_folder_of_the_day_and_back(tmp_path: Path) -> None:
    file = tmp_path / "message"
    file.write_bytes(b"mail")
    bring_back = archive(tmp_path).todays_folder(b"").take(bytes(file), row())
    assert (tmp_path / "expunged/2026-11-23/INBOX/1795423000.17.base:2,").read_bytes() == b"mail"
    assert bring_back is not None
    bring_back()
    assert file.read_bytes() == b"mail"


def test_a_folder_that_was_purged_meanwhile_is_made_again(tmp_path: Path) -> None:
    folder = archive(tmp_path).todays_folder(b".Sent")
    (tmp_path / "expunged/2026-11-23/.Sent").rmdir()
    (tmp_path / "message").touch()
    assert folder.take(bytes(tmp_path / "message"), row()) is not None
    assert len(list((tmp_path / "expunged/2026-11-23/.Sent").iterdir())) == 1


def test_a_file_that_has_another_name_now_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        archive(tmp_path).todays_folder(b"").take(bytes(tmp_path / "message"), row())


@pytest.mark.parametrize("days", [0, 14])
def test_what_cannot_be_kept_is_removed(tmp_path: Path, days: int) -> None:
    disk = FailDisk(0, errno.ENOSPC, frozenset({"make_folder", "rename"}))
    (tmp_path / "message").touch()
    reports: list[int | None] = []
    faults = DiskFaults(lambda where, error: reports.append(getattr(error, "errno", None)))
    kept = ExpungedArchive(disk, StillClock(NOW), bytes(tmp_path), days, faults)
    folder = kept.todays_folder(b"")
    assert folder.take(bytes(tmp_path / "message"), row()) is None
    assert not (tmp_path / "message").exists()
    assert reports == ([errno.ENOSPC] if days else [])


class FullDisk(QuickDisk):
    """Has a number of octets free, of a size."""

    def __init__(self, free: int, size: int) -> None:
        self.found = free, size

    def room(self, path: bytes) -> tuple[int, int]:
        os.stat(path)
        return self.found


@pytest.mark.parametrize(
    ("free", "size", "is_kept"),
    [
        (0, 10**12, False),
        (LEAST_ROOM - 1, 10**12, False),
        (LEAST_ROOM, 10**12, True),
        (10**6 - 1, 10**8, False),
        (10**6, 10**8, True),  # a hundredth of a small disk
    ],
)
def test_on_a_disk_that_is_all_but_full_nothing_is_kept(
    tmp_path: Path, free: int, size: int, is_kept: bool
) -> None:
    (tmp_path / "message").touch()
    reports: list[int | None] = []
    faults = DiskFaults(lambda where, error: reports.append(getattr(error, "errno", None)))
    kept = ExpungedArchive(FullDisk(free, size), StillClock(NOW), bytes(tmp_path), 14, faults)
    bring_back = kept.todays_folder(b"").take(bytes(tmp_path / "message"), row())
    assert not (tmp_path / "message").exists()
    assert (bring_back is not None) is is_kept
    assert bool(kept.mailbox_path(b".Sent", b"1.x")) is is_kept
    assert reports == ([] if is_kept else [errno.ENOSPC] * 2)


def test_a_failing_disk_removes_nothing(tmp_path: Path) -> None:
    disk = FailDisk(0, errno.EIO, among=frozenset({"rename"}))
    (tmp_path / "message").touch()
    with pytest.raises(OSError, match="as told"):
        archive(tmp_path, 14, disk).todays_folder(b"").take(bytes(tmp_path / "message"), row())
    assert (tmp_path / "message").exists()


def test_old_days_are_purged_a_few_files_at_a_time(tmp_path: Path) -> None:
    old, young = tmp_path / "expunged/2026-11-01/INBOX", tmp_path / "expunged/2026-11-22/INBOX"
    for folder in (old, young):
        folder.mkdir(parents=True)
        for number in range(3):
            (folder / f"{number}").touch()
    purge = expunged_archive.purge
    assert purge(QuickDisk(), bytes(tmp_path), 14, NOW, 2) == 2
    assert purge(QuickDisk(), bytes(tmp_path), 14, NOW, 2) == 1
    assert not (tmp_path / "expunged/2026-11-01").exists()
    assert len(list(young.iterdir())) == 3


def test_a_file_that_cannot_be_archived_is_removed_and_the_log_says_so(tmp_path: Path) -> None:
    disk = FailDisk(0, errno.EDQUOT, frozenset({"rename"}))
    (tmp_path / "message").touch()
    reports: list[tuple[str, int | None]] = []
    faults = DiskFaults(lambda where, error: reports.append((where, getattr(error, "errno", None))))
    folder = ExpungedArchive(disk, StillClock(NOW), bytes(tmp_path), 14, faults).todays_folder(b"")
    assert folder.take(bytes(tmp_path / "message"), row()) is None
    assert reports == [(str(tmp_path / "expunged/2026-11-23/INBOX"), errno.EDQUOT)]


@pytest.mark.parametrize("call", ["unlink", "names", "remove_folder"])
def test_what_cannot_be_purged_is_reported_and_the_rest_goes(tmp_path: Path, call: str) -> None:
    for day in ("2026-11-01", "2026-11-02"):
        (tmp_path / "expunged" / day / "INBOX").mkdir(parents=True)
        (tmp_path / "expunged" / day / "INBOX" / day).touch()
    disk = BadFilesDisk()
    disk.bad = {(call, b"2026-11-01"): errno.EIO}
    reports: list[str] = []
    faults = DiskFaults(lambda where, error: reports.append(where))
    expunged_archive.purge(disk, bytes(tmp_path), 14, NOW, 10, faults)
    assert reports
    assert all("2026-11-01" in where for where in reports)
    assert not (tmp_path / "expunged/2026-11-02").exists()
