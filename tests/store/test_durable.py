import errno
import os
from pathlib import Path

import pytest

from twisted_mail.store import durable
from twisted_mail.store.durable import Disk, extend_file


@pytest.fixture(params=["with renameat2", "without it", "refused"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Disk:
    if request.param == "without it":
        monkeypatch.setattr(durable, "_renameat2", None)
    elif request.param == "refused":
        monkeypatch.setattr(durable, "_NOREPLACE", 1 << 20)  # a flag that no kernel knows: EINVAL
    return Disk()


def test_a_file_is_renamed_to_a_free_name(disk: Disk, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a message")
    disk.rename_to_free(os.fsencode(one), os.fsencode(other))
    assert other.read_text() == "a message"
    assert not one.exists()


def test_a_file_is_never_renamed_over_another(disk: Disk, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a message")
    other.write_text("another")
    with pytest.raises(FileExistsError):
        disk.rename_to_free(os.fsencode(one), os.fsencode(other))
    assert (one.read_text(), other.read_text()) == ("a message", "another")


def test_a_file_that_is_gone_is_told(disk: Disk, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        disk.rename_to_free(os.fsencode(tmp_path / "one"), os.fsencode(tmp_path / "other"))


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
