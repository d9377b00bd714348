"""The lock of Dovecot's lists."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import dotlock
from twisted_mail.store.format.dotlock import STALE_SECONDS, Dotlock

HOST = socket.gethostname()


class PatientDisk(Disk):
    """Waits for nothing, and adds up for how long."""

    def __init__(self) -> None:
        self.waited = 0.0

    def pause(self, seconds: float) -> None:
        self.waited += seconds


class Ground:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tmp").mkdir()
        self.list = folder / "dovecot-uidlist"
        self.lock = folder / "dovecot-uidlist.lock"
        self.list.write_bytes(b"3 V9 N1\n")
        self.disk = PatientDisk()

    def dotlock(self) -> Dotlock:
        return Dotlock(self.disk, os.fsencode(self.list))

    def age(self, *paths: Path) -> None:
        """Make the files older than any lock is believed."""
        for path in paths:
            old = path.stat().st_mtime - STALE_SECONDS - 10
            os.utime(path, (old, old))

    def takes(self) -> bool:
        lock = self.dotlock()
        try:
            with lock.held():
                return self.lock.read_text() == f"{os.getpid()}:{HOST}"
        except Unavailable:
            return False
        finally:
            lock.forget()

    def left(self) -> list[str]:
        return sorted(os.listdir(self.folder)) + os.listdir(self.folder / "tmp")


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


@pytest.fixture
def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_names_process_and_host_and_goes_away(ground: Ground) -> None:
    assert ground.takes()
    assert ground.left() == ["dovecot-uidlist", "tmp"]


def test_whoever_has_the_lock_may_take_it_again(ground: Ground) -> None:
    lock = ground.dotlock()
    with lock.held():
        with lock.held():
            pass
        assert ground.lock.exists()
    assert not ground.lock.exists()


def test_one_file_serves_for_many_locks(ground: Ground) -> None:
    lock = ground.dotlock()
    with lock.held():
        first = ground.lock.stat().st_ino
    ground.disk.create = None  # type: ignore[assignment]
    with lock.held():
        assert ground.lock.stat().st_ino == first
    lock.forget()
    assert ground.left() == ["dovecot-uidlist", "tmp"]


def test_a_file_that_was_cleaned_away_is_made_again(ground: Ground) -> None:
    lock = ground.dotlock()
    with lock.held():
        pass
    for path in (ground.folder / "tmp").iterdir():
        path.unlink()
    with lock.held():
        assert ground.lock.read_text() == f"{os.getpid()}:{HOST}"
    assert not ground.lock.exists()


@pytest.mark.parametrize("step", [-3600, 3600])
def test_a_file_from_before_the_clock_was_set_is_made_again(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    lock = ground.dotlock()
    with lock.held():
        before = os.stat(ground.lock).st_mtime
        [made] = os.listdir(ground.folder / "tmp")
    monkeypatch.setattr(dotlock, "time", lambda: before + step)
    with lock.held():
        assert os.listdir(ground.folder / "tmp") != [made]


def test_the_file_follows_a_list_to_another_place(ground: Ground) -> None:
    lock = ground.dotlock()
    with lock.held():
        pass
    moved = ground.folder / "moved"
    moved.mkdir()
    (ground.folder / "tmp").rename(moved / "tmp")
    lock.move(os.fsencode(moved / "dovecot-uidlist"))
    ground.disk.create = None  # type: ignore[assignment]
    with lock.held():
        assert (moved / "dovecot-uidlist.lock").exists()


def test_an_old_file_does_not_make_the_locks_of_others_look_young(
    ground: Ground,
) -> None:
    lock = ground.dotlock()
    with lock.held():
        pass
    ground.age(*(ground.folder / "tmp").iterdir())
    ground.lock.write_text("77:elsewhere")
    ground.age(ground.lock, ground.list)
    ground.disk.stat = LaterDisk().stat  # type: ignore[method-assign]
    with lock.held():
        assert ground.lock.read_text() == f"{os.getpid()}:{HOST}"


def test_another_store_of_this_process_waits(ground: Ground) -> None:
    with ground.dotlock().held():
        assert not ground.takes()
        assert 3 < ground.disk.waited < 10
        assert not ground.takes(), "whoever did not get it has given it up"
    assert ground.takes()


def test_the_client_is_told_who_holds_the_lock(ground: Ground) -> None:
    ground.lock.write_text(f"1:{HOST}")
    words = "The mailbox is being changed by another program."
    with pytest.raises(Unavailable, match=f"^{words}$"), ground.dotlock().held():
        pass


def test_the_lock_of_a_running_process_is_respected(ground: Ground) -> None:
    ground.lock.write_text(f"1:{HOST}")
    assert not ground.takes()
    assert ground.left() == ["dovecot-uidlist", "dovecot-uidlist.lock", "tmp"]


def test_the_lock_of_a_process_that_ended_is_void(ground: Ground, gone: int) -> None:
    ground.lock.write_text(f"{gone}:{HOST}\n")
    assert ground.takes()
    assert ground.disk.waited == 0
    assert ground.left() == ["dovecot-uidlist", "tmp"]


def test_a_number_that_no_process_can_have_is_that_of_none(ground: Ground) -> None:
    ground.lock.write_text(f"9999999999:{HOST}")
    assert ground.takes()
    assert ground.disk.waited == 0


def test_the_lock_of_an_earlier_process_of_this_number_is_void(ground: Ground) -> None:
    ground.lock.write_text(f"{os.getpid()}:{HOST}")
    assert ground.takes()


@pytest.mark.parametrize(
    "text", ["77:elsewhere", "nonsense", f"0:{HOST}", f"-1:{HOST}", f"12345678901:{HOST}"]
)
def test_a_lock_of_whoever_is_void_after_two_minutes(ground: Ground, text: str) -> None:
    ground.lock.write_text(text)
    assert not ground.takes()
    ground.age(ground.lock)
    assert not ground.takes(), "the list was touched lately"


def test_a_lock_that_names_nobody_is_void_after_seconds(ground: Ground) -> None:
    ground.lock.write_text("")
    assert not ground.takes()
    ground.age(ground.lock)
    assert ground.takes()


def test_a_lock_from_before_the_machine_was_started_is_void(ground: Ground) -> None:
    ground.lock.write_text(f"1:{HOST}")
    os.utime(ground.lock, (1_000_000_000, 1_000_000_000))
    assert ground.takes()


class LaterDisk(PatientDisk):
    """New files are as old as files are in three minutes."""

    def stat(self, path: bytes) -> Any:
        found = super().stat(path)
        ahead = 180 if b"/tmp/lock." in path else 0
        return SimpleNamespace(
            st_ino=found.st_ino, st_mtime=found.st_mtime + ahead, st_ctime=found.st_ctime + ahead
        )


@pytest.mark.parametrize("text", ["77:elsewhere", "", "nonsense"])
def test_a_lock_that_nobody_touched_for_two_minutes_is_void(ground: Ground, text: str) -> None:
    ground.disk = LaterDisk()
    ground.lock.write_text(text)
    assert ground.takes()
    assert ground.left() == ["dovecot-uidlist", "tmp"]


def test_a_lock_that_changed_hands_is_put_back(ground: Ground, gone: int) -> None:
    class Racing(PatientDisk):
        def rename(self, path: bytes, new_path: bytes) -> None:
            ground.lock.unlink()
            (ground.folder / "spare").write_text("")  # takes the inode
            ground.lock.write_text(f"1:{HOST}")
            super().rename(path, new_path)

    ground.disk = Racing()
    ground.lock.write_text(f"{gone}:{HOST}")
    assert not ground.takes()
    assert ground.lock.read_text() == f"1:{HOST}"


def test_a_lock_that_others_overrode_is_left_to_them(ground: Ground) -> None:
    with ground.dotlock().held():
        (ground.folder / "theirs").write_text("1:elsewhere")
        os.replace(ground.folder / "theirs", ground.lock)
    assert ground.lock.read_text() == "1:elsewhere"


def test_a_failure_gives_the_lock_up(ground: Ground) -> None:
    lock = ground.dotlock()
    with pytest.raises(OSError, match="full"), lock.held():
        raise OSError("full")
    assert not ground.lock.exists()
    lock.forget()
    assert ground.left() == ["dovecot-uidlist", "tmp"]
    assert ground.takes()
