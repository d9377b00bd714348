"""Tests of twisted_mail.store.disk.message_file."""

import errno
import os
from pathlib import Path

import pytest

from tests.contracts.ground import BrokenBlob
from tests.faults import FailDisk, QuickDisk
from twisted_mail.mail.message import PIECE, MemoryBlob, Message
from twisted_mail.store.disk.message_file import NO_LINK, link_or_copy, write_message

SECONDS = 1_600_000_000.0


class CountingDisk(QuickDisk):
    def __init__(self) -> None:
        self.written: list[int] = []

    def write(self, fd: int, data: bytes | bytearray) -> None:
        self.written.append(len(data))
        super().write(fd, data)


@pytest.mark.parametrize("size", [0, 1, PIECE - 2, PIECE - 1, PIECE, 3 * PIECE])
def test_a_message_is_written_after_its_prefix_and_dated(tmp_path: Path, size: int) -> None:
    path, disk = tmp_path / "message", CountingDisk()
    write_message(disk, bytes(path), Message(MemoryBlob(b"x" * size), b"\r\n"), SECONDS)
    assert path.read_bytes() == b"\r\n" + b"x" * size
    assert path.stat().st_mtime == SECONDS
    assert (len(disk.written) == 1) == (size + 2 <= PIECE)


@pytest.mark.parametrize("size", [10, 2 * PIECE])
def test_a_blob_that_cannot_be_read_leaves_no_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "message"
    with pytest.raises(OSError, match="the disk is gone"):
        write_message(QuickDisk(), bytes(path), Message(BrokenBlob(b"x" * size)), SECONDS)
    assert not path.exists()


def test_a_seal_stands_in_for_the_sync(tmp_path: Path) -> None:
    sealed: list[int] = []
    disk = FailDisk(0, errno.EIO, among=frozenset({"sync_file"}))
    write_message(disk, bytes(tmp_path / "m"), Message(MemoryBlob(b"x")), SECONDS, sealed.append)
    assert len(sealed) == 1


def test_a_file_is_linked_where_it_can_be(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x")
    link_or_copy(QuickDisk(), bytes(tmp_path / "one"), bytes(tmp_path / "two"))
    assert (tmp_path / "one").samefile(tmp_path / "two")


@pytest.mark.parametrize("error", NO_LINK)
def test_a_file_that_cannot_be_linked_is_copied_with_its_date(tmp_path: Path, error: int) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"x" * (PIECE + 1))
    os.utime(path, (SECONDS, SECONDS))
    disk = FailDisk(0, error, among=frozenset({"link"}))
    link_or_copy(disk, bytes(path), bytes(tmp_path / "two"))
    assert (tmp_path / "two").read_bytes() == path.read_bytes()
    assert (tmp_path / "two").stat().st_mtime == SECONDS
    assert not path.samefile(tmp_path / "two")


def test_another_failure_to_link_is_raised(tmp_path: Path) -> None:
    (tmp_path / "one").touch()
    disk = FailDisk(0, errno.ENOSPC, among=frozenset({"link"}))
    with pytest.raises(OSError, match="as told"):
        link_or_copy(disk, bytes(tmp_path / "one"), bytes(tmp_path / "two"))
    assert not (tmp_path / "two").exists()
