import errno
import os
from pathlib import Path

import pytest

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import extend_file


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
