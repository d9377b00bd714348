"""The disk under the state folder."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from twisted_mail.config import Config
from twisted_mail.control.checks import disk
from twisted_mail.control.checks.disk import disk_notes

ROOMY = {"f_flag": 0, "f_bavail": 1 << 30, "f_frsize": 4096, "f_files": 10**6, "f_favail": 10**6}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    for name in ("tmp", "mail/example.org/alice"):
        (tmp_path / name).mkdir(parents=True)
    return Config(tmp_path / "mail.toml", "mail.example.org", tmp_path)


def notes(config: Config, monkeypatch: pytest.MonkeyPatch, **found: int) -> list[tuple[str, str]]:
    monkeypatch.setattr(disk.os, "statvfs", lambda path: SimpleNamespace(**{**ROOMY, **found}))
    return [(one.level, one.text) for one in disk_notes(config)]


def test_a_disk_with_room_is_fine(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert notes(config, monkeypatch) == [("fine", f"{config.state} has 4096 GiB of room")]


@pytest.mark.parametrize(
    ("found", "level", "words"),
    [
        ({"f_flag": os.ST_RDONLY}, "fault", "read only"),
        ({"f_bavail": 0}, "fault", "a disk that is full"),
        ({"f_bavail": 1024}, "warning", "4 MiB of room"),
        ({"f_favail": 0}, "fault", "0 files more can be made (inodes"),
        ({"f_favail": 9}, "warning", "9 files more can be made"),
    ],
)
def test_what_a_disk_lacks_is_named(
    config: Config, monkeypatch: pytest.MonkeyPatch, found: Any, level: str, words: str
) -> None:
    last = notes(config, monkeypatch, **found)[-1]
    assert last[0] == level
    assert words in last[1]


def test_a_file_system_without_inodes_has_no_limit(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(notes(config, monkeypatch, f_files=0, f_favail=0)) == 1


@pytest.mark.parametrize("place", ["mail", "mail/example.org", "mail/example.org/alice"])
def test_mail_on_another_file_system_is_a_fault(
    config: Config, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = config.state / place
    folder.rename(config.state / "before")
    folder.symlink_to("/proc")
    (level, text) = notes(config, monkeypatch)[-1]
    assert level == "fault"
    assert text.startswith(f"{folder} is on another file system")


def test_without_a_state_folder_there_is_nothing_to_look_at(config: Config, tmp_path: Path) -> None:
    nowhere = Config(config.path, "mail.example.org", tmp_path / "none")
    assert list(disk_notes(nowhere)) == []
