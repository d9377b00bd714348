import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults import PowerDisk, Stopped
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import (
    extend_file,
    overwrite_file,
    read_file,
    replace_files,
)
from twisted_mail.store.disk.message_file import link_or_copy, write_file

MAX_STEPS = 50


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


# ---------------------------------------------------------------- several files at once


def files_below(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def three_files(folder: Path) -> dict[bytes, bytes]:
    """Return new contents of files in two folders, the last again in the first."""
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
    (folder / "one" / "a").write_bytes(b"old")
    names = {"one/a": b"A", "two/b": b"B", "one/c": b"C"}
    return {bytes(folder / name): data for name, data in names.items()}


def test_several_files_are_replaced(tmp_path: Path) -> None:
    seen: list[dict[str, bytes]] = []
    contents = three_files(tmp_path)
    replace_files(Disk(), contents, lambda: seen.append(files_below(tmp_path)))
    assert files_below(tmp_path) == {"one/a": b"A", "one/c": b"C", "two/b": b"B"}
    assert seen[0]["one/a"] == b"old"


def test_of_several_files_each_is_old_or_new_wherever_the_power_fails(tmp_path: Path) -> None:
    old, new = [b"old", None, None], [b"A", b"B", b"C"]
    for step in range(MAX_STEPS):
        root = tmp_path / str(step)
        disk = PowerDisk(step, tmp_path / f"attic{step}")
        contents = three_files(root)
        is_through = False
        with suppress(Stopped):
            replace_files(disk, contents, list)
            is_through = True
        disk.cut()
        there = files_below(root)
        found = [there.get(name) for name in ("one/a", "two/b", "one/c")]
        assert all(one in pair for one, *pair in zip(found, old, new, strict=True))
        if is_through:
            assert found == new
            return
    raise AssertionError("it does not end")


@pytest.mark.parametrize("call", ["write", "sync_file"])
def test_where_one_of_several_cannot_be_written_all_are_as_before(
    tmp_path: Path, call: str
) -> None:
    contents = three_files(tmp_path)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as raised:
        replace_files(BrokenDisk(call), contents, list)
    assert raised.value.filename in {path + b".new" for path in contents}
    left = {name: data for name, data in files_below(tmp_path).items() if name[-4:] != ".new"}
    assert left == {"one/a": b"old"}


def test_what_fails_while_several_are_synced_leaves_them_as_before(tmp_path: Path) -> None:
    contents = three_files(tmp_path)
    with pytest.raises(ZeroDivisionError):
        replace_files(Disk(), contents, lambda: 1 / 0)
    assert (tmp_path / "one" / "a").read_bytes() == b"old"
    assert not (tmp_path / "two" / "b").exists()
