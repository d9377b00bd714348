"""What is made before root's rights are given up belongs to the user."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.net.process.server_user import ServerUser, unreadable_python, unusable, user_of


class Calls:
    """Notes what root would do, and does nothing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[Any] = []
        for name in ("setegid", "seteuid", "chown", "fchown"):
            monkeypatch.setattr(os, name, lambda *args, _name=name, **_: self._note(_name, *args))
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "getegid", lambda: 0)

    def _note(self, name: str, *args: Any) -> None:
        self.made.append((name, *args[name.endswith("own") :]))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    return Calls(monkeypatch)


SOMEBODY = ServerUser((1000, 100))


def test_rights_are_had_for_the_moment_only(calls: Calls) -> None:
    def fail() -> None:
        with SOMEBODY.acting():
            assert calls.made == [("setegid", 100), ("seteuid", 1000)]
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert calls.made[2:] == [("seteuid", 0), ("setegid", 0)]


def test_who_is_the_user_already_changes_nothing(calls: Calls, tmp_path: Path) -> None:
    user = ServerUser(files=(str(tmp_path / "pid"),))
    (tmp_path / "pid").touch()
    with user.acting():
        user.make_folder(tmp_path / "a" / "b")
        user.give_files()
        user.give_socket("/nowhere")
    assert (tmp_path / "a" / "b").is_dir()
    assert calls.made == []


def test_a_folder_that_is_made_is_given_and_one_that_is_there_is_not(
    calls: Calls, tmp_path: Path
) -> None:
    SOMEBODY.make_folder(tmp_path / "state")
    SOMEBODY.make_folder(tmp_path / "state")
    assert calls.made == [("chown", 1000, 100)]


def test_only_plain_files_of_root_with_one_name_are_given(
    calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, linked = tmp_path / "plain", tmp_path / "linked"
    plain.touch()
    linked.touch()
    (tmp_path / "other name").hardlink_to(linked)
    (tmp_path / "symlink").symlink_to(plain)
    os.mkfifo(tmp_path / "fifo")
    real = os.fstat

    def of_root(descriptor: int) -> os.stat_result:
        return os.stat_result([*real(descriptor)[:4], 0, 0, *real(descriptor)[6:10]])

    monkeypatch.setattr(os, "fstat", of_root)
    names = ("linked", "symlink", "fifo", "missing", "plain")
    ServerUser((1000, 100), tuple(str(tmp_path / name) for name in names)).give_files()
    assert calls.made == [("fchown", 1000, 100)]


def test_a_socket_is_given_and_nothing_else(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    SOMEBODY.give_socket(str(tmp_path / "file"))
    assert calls.made == []
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket"))
        SOMEBODY.give_socket(str(tmp_path / "socket"))
    assert calls.made == [("chown", 1000, 100)]


@pytest.mark.parametrize(
    ("options", "user"),
    [
        ({}, ServerUser()),
        ({"uid": None, "gid": None, "pidfile": "x"}, ServerUser()),
        ({"uid": 1000, "gid": 7, "nodaemon": 1}, ServerUser((1000, 7))),
        ({"gid": 7, "nodaemon": 1}, ServerUser((0, 7))),
        ({"uid": 0}, ServerUser((0, 0), ("twistd.log",))),
        ({"uid": 1, "gid": 1, "pidfile": "p"}, ServerUser((1, 1), ("p", "twistd.log"))),
        ({"uid": 1, "gid": 1, "nodaemon": 1, "logfile": "-"}, ServerUser((1, 1))),
        ({"uid": 1, "gid": 1, "logfile": "l"}, ServerUser((1, 1), ("l",))),
    ],
)
def test_the_user_is_the_one_that_twistd_becomes(
    calls: Calls, options: dict[str, Any], user: ServerUser
) -> None:
    assert user_of(options) == user


def test_without_root_nobody_else_can_be_become(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert user_of({"uid": 5, "gid": 5}) == ServerUser()


def test_what_cannot_be_used_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tmp", "mail", "tls"):
        (tmp_path / name).mkdir()
    (tmp_path / "accounts.sqlite3").touch()
    (tmp_path / "link").symlink_to("/nowhere")
    closed = {str(tmp_path / "tls"), str(tmp_path / "tmp"), str(tmp_path / "accounts.sqlite3")}
    monkeypatch.setattr(os, "access", lambda path, _, **__: str(path) not in closed)
    assert unusable(tmp_path) == [f"{tmp_path}/accounts.sqlite3", f"{tmp_path}/tmp"]
    closed.add(str(tmp_path))
    assert unusable(tmp_path) == [str(tmp_path)]


def test_a_python_that_the_user_cannot_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unreadable_python() == []
    monkeypatch.setattr(os, "access", lambda path, *_, **__: path != os.__file__)
    assert unreadable_python() == [os.__file__]
