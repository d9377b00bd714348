import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import extend_file, overwrite_file, read_file
from twisted_mail.store.disk.message_file import link_or_copy, write_file


class FailingSync(Disk):
    def sync_data(self, fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_sync_that_fails_is_told_whatever_happens_meanwhile(tmp_path: Path) -> None:
    path = bytes(tmp_path / "list")
    Path(os.fsdecode(path)).touch()
    for meanwhile in (lambda: None, lambda: 1 / 0):
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            extend_file(FailingSync(), path, b"line\n", meanwhile)


def test_what_fails_meanwhile_is_told_after_the_sync(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.touch()
    with pytest.raises(ZeroDivisionError):
        extend_file(Disk(), bytes(path), b"line\n", lambda: 1 / 0)
    assert path.read_bytes() == b"line\n"


BROKEN = OSError(errno.EIO, os.strerror(errno.EIO))


class BrokenDisk(Disk):
    """A disk on which one kind of call on a descriptor fails, and says not of which file."""

    def __init__(self, call: str) -> None:
        setattr(self, call, self._fail)

    def _fail(self, *arguments: object) -> bytes:
        raise OSError(*BROKEN.args)

    def link(self, path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))


@pytest.mark.parametrize(
    ("call", "work"),
    [
        ("read", read_file),
        ("write", lambda disk, path: overwrite_file(disk, path, [b"x"])),
        ("sync_file", lambda disk, path: overwrite_file(disk, path, [b"x"])),
        ("write", lambda disk, path: extend_file(disk, path, b"x")),
        ("sync_data", lambda disk, path: extend_file(disk, path, b"x")),
        ("sync_data", lambda disk, path: extend_file(disk, path, b"x", list)),
        ("read", lambda disk, path: link_or_copy(disk, path, path + b".copy")),
    ],
)
def test_an_error_of_a_descriptor_names_the_file(
    tmp_path: Path, call: str, work: Callable[[Disk, bytes], object]
) -> None:
    path = tmp_path / "list"
    path.touch()
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as raised:
        work(BrokenDisk(call), bytes(path))
    assert raised.value.filename == bytes(path)


@pytest.mark.parametrize("call", ["write", "sync_file", "date"])
def test_an_error_of_a_new_message_names_its_file(tmp_path: Path, call: str) -> None:
    path = bytes(tmp_path / "new")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as raised:
        write_file(BrokenDisk(call), path, [b"x"], 0)
    assert raised.value.filename == path


def test_an_error_of_what_is_written_is_not_of_the_file_that_is_written(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        raise OSError(*BROKEN.args)
        yield b""

    for write in (write_file, overwrite_file):
        with pytest.raises(OSError, match=os.strerror(errno.EIO)) as raised:
            write(Disk(), bytes(tmp_path / "new"), pieces(), 0)
        assert raised.value.filename is None


def test_a_folder_whose_names_are_not_synced_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int) -> None:
        raise OSError(*BROKEN.args)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as raised:
        Disk().sync_folder(bytes(tmp_path))
    assert raised.value.filename == bytes(tmp_path)
