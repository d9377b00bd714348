"""Tests of twisted_mail.store.disk.own_file_events."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import FailDisk
from twisted_mail.interfaces import FolderEvent
from twisted_mail.store.disk import own_file_events
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.own_file_events import OwnFileEvents, RecordingDisk

CAME, LEFT, DELETED, TOUCHED = (
    FolderEvent.CAME,
    FolderEvent.LEFT,
    FolderEvent.DELETED,
    FolderEvent.TOUCHED,
)


@pytest.fixture
def folder(tmp_path: Path) -> bytes:
    (tmp_path / "one").touch()
    return bytes(tmp_path)


@pytest.fixture
def own(folder: bytes) -> OwnFileEvents:
    found = OwnFileEvents()
    found.watch(folder)
    return found


Act = Callable[[Disk, bytes], None]
ACTS: dict[str, tuple[Act, set[tuple[FolderEvent, bytes]]]] = {
    "link": (lambda disk, at: disk.link(at + b"/one", at + b"/two"), {(CAME, b"/two")}),
    "rename": (
        lambda disk, at: disk.rename(at + b"/one", at + b"/two"),
        {(LEFT, b"/one"), (CAME, b"/two")},
    ),
    "rename_to_free": (
        lambda disk, at: disk.rename_to_free(at + b"/one", at + b"/two"),
        {(LEFT, b"/one"), (CAME, b"/two")},
    ),
    "unlink": (lambda disk, at: disk.unlink(at + b"/one"), {(DELETED, b"/one")}),
    "touch": (lambda disk, at: disk.touch(at), {(TOUCHED, b"/")}),
}


@pytest.mark.parametrize("name", ACTS)
def test_what_is_done_in_a_watched_folder_is_recorded_once(
    name: str, own: OwnFileEvents, folder: bytes
) -> None:
    act, events = ACTS[name]
    act(RecordingDisk(Disk(), own), folder)
    for event, path in events:
        assert own.consume((event, folder + path))
        assert not own.consume((event, folder + path))


@pytest.mark.parametrize("name", ACTS)
def test_what_fails_is_not_recorded(name: str, own: OwnFileEvents, folder: bytes) -> None:
    act, events = ACTS[name]
    with pytest.raises(FileNotFoundError):
        act(RecordingDisk(Disk(), own), folder + b"/missing")
    own.watch(folder + b"/missing")
    with pytest.raises(FileNotFoundError):
        act(RecordingDisk(Disk(), own), folder + b"/missing")
    assert not any(own.consume((event, folder + b"/missing" + path)) for event, path in events)


def test_other_folders_are_not_recorded(own: OwnFileEvents, folder: bytes) -> None:
    own.unwatch(folder)
    RecordingDisk(Disk(), own).unlink(folder + b"/one")
    own.watch(folder)
    assert not own.consume((DELETED, folder + b"/one"))


def test_an_unwatched_folder_is_forgotten_with_its_events(
    own: OwnFileEvents, folder: bytes
) -> None:
    RecordingDisk(Disk(), own).unlink(folder + b"/one")
    own.unwatch(folder)
    assert not own.consume((DELETED, folder + b"/one"))


def test_the_record_is_bounded(
    own: OwnFileEvents, folder: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_file_events, "MAX_RECORDED", 2)
    for number in range(4):
        own.record((CAME, folder + b"/%d" % number))
    assert not own.consume((CAME, folder + b"/0"))
    assert own.consume((CAME, folder + b"/3"))


def test_calls_that_are_not_recorded_take_no_step_more(own: OwnFileEvents) -> None:
    for name in vars(Disk).keys() - vars(RecordingDisk).keys() - {"__dict__", "__weakref__"}:
        assert getattr(RecordingDisk, name) is getattr(Disk, name)
    assert vars(RecordingDisk(Disk(), own)).keys() == {"_disk", "_own"}


def test_calls_of_the_recorded_disk_itself_are_made_there(
    own: OwnFileEvents, folder: bytes
) -> None:
    failing = FailDisk(0, errno.EIO, among=frozenset({"stat", "unlink"}))
    disk = RecordingDisk(failing, own)
    with pytest.raises(OSError, match="as told"):
        disk.stat(folder)
    failing.left = 0
    with pytest.raises(OSError, match="as told"):
        disk.unlink(folder + b"/one")
    assert os.listdir(folder) == [b"one"]
