"""Looks of one account that wait for nothing."""

import os
from pathlib import Path

import pytest

from tests.faults import QuickDisk
from twisted_mail.store.disk.account_disk import AccountDisk
from twisted_mail.store.disk.own_file_events import OwnFileEvents


class WaitingDisk(QuickDisk):
    """Has nothing in memory."""

    def stat_at_once(self, path: bytes) -> os.stat_result:
        raise BlockingIOError


def test_a_look_waits_for_nothing_only_while_it_is_to(tmp_path: Path) -> None:
    disk = AccountDisk(WaitingDisk(), OwnFileEvents())
    path = os.fsencode(tmp_path)
    with pytest.raises(BlockingIOError), disk.at_once():
        disk.stat(path)
    assert disk.stat(path).st_ino == tmp_path.stat().st_ino
