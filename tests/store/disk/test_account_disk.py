"""Syncs of one account that are joined, and looks that wait for nothing."""

import os
from pathlib import Path

import pytest

from tests.faults import SYNCING, StopDisk, Stopped
from twisted_mail.store.disk.account_disk import AccountDisk
from twisted_mail.store.disk.durable import replace_file
from twisted_mail.store.disk.recording import OwnFileEvents


class UnreliableDisk(StopDisk):
    def is_syncfs_reliable(self, fd: int) -> bool:
        return False


class ManyFileSystems(StopDisk):
    """Each descriptor is on a file system of its own."""

    def device(self, fd: int) -> int:
        return fd


def syncs(disk: StopDisk) -> list[str]:
    return [step for step in disk.done if step in SYNCING]


def write_twice(disk: StopDisk, folder: Path) -> AccountDisk:
    account_disk = AccountDisk(disk, OwnFileEvents())
    with account_disk.joined_syncs(os.fsencode(folder)):
        for name in (b"one", b"two"):
            replace_file(account_disk, os.path.join(os.fsencode(folder), name), b"text")
        assert "sync_all_verified" not in disk.done
    return account_disk


def test_joined_syncs_are_one_at_the_end(tmp_path: Path) -> None:
    disk = StopDisk(100)
    write_twice(disk, tmp_path)
    assert syncs(disk) == ["sync_all_verified"]


def test_afterwards_everything_is_synced_by_itself(tmp_path: Path) -> None:
    disk = StopDisk(100)
    account_disk = write_twice(disk, tmp_path)
    disk.done.clear()
    replace_file(account_disk, os.fsencode(tmp_path / "three"), b"text")
    assert syncs(disk) == ["sync_file", "sync_folder"]


def test_a_file_system_that_is_not_synced_as_one_has_a_sync_for_each(tmp_path: Path) -> None:
    disk = UnreliableDisk(100)
    write_twice(disk, tmp_path)
    assert syncs(disk) == ["sync_file", "sync_folder"] * 2


def test_what_lies_on_another_file_system_is_synced_by_itself(tmp_path: Path) -> None:
    disk = ManyFileSystems(100)
    write_twice(disk, tmp_path)
    assert syncs(disk) == ["sync_file", "sync_folder"] * 2 + ["sync_all_verified"]


def test_what_fails_is_not_synced_and_joins_nothing_after_it(tmp_path: Path) -> None:
    disk = StopDisk(100)
    account_disk = AccountDisk(disk, OwnFileEvents())
    with pytest.raises(Stopped), account_disk.joined_syncs(os.fsencode(tmp_path)):
        raise Stopped
    assert syncs(disk) == []
    account_disk.sync_folder(os.fsencode(tmp_path))
    assert syncs(disk) == ["sync_folder"]


# ---------------------------------------------------------------- at once


class WaitingDisk(StopDisk):
    """Has nothing in memory."""

    def stat_at_once(self, path: bytes) -> os.stat_result:
        raise BlockingIOError


def test_a_look_waits_for_nothing_only_while_it_is_to(tmp_path: Path) -> None:
    disk = AccountDisk(WaitingDisk(100), OwnFileEvents())
    path = os.fsencode(tmp_path)
    with pytest.raises(BlockingIOError), disk.at_once():
        disk.stat(path)
    assert disk.stat(path).st_ino == tmp_path.stat().st_ino
