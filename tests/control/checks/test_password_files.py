"""Names of password files that have no account."""

import errno
import os
from pathlib import Path

import pytest

from tests.control.terminal import Terminal
from twisted_mail.control.checks import password_files


@pytest.fixture
def passwords(server: Terminal, tmp_path: Path) -> Path:
    path = tmp_path / "passwords"
    text = f'[login]\ncheckers = ["directory", "file:{path}"]\n'
    (server.folder / "mail.toml.d" / "login.toml").write_text(text)
    return path


def warnings(server: Terminal) -> list[str]:
    notes = server.json("check")["notes"]
    return [note["text"] for note in notes if note["subject"] == "logins"]


def test_names_without_an_account_are_found(server: Terminal, passwords: Path) -> None:
    passwords.write_bytes(b"alice:x\nALICE@example.org:x\n\nno colon\nCarol:x\n\xff:x\n")
    carol, wrong = warnings(server)
    assert "twisted-mail account add carol@example.org --no-password" in carol
    assert "is not the name of an account" in wrong
    assert server("account", "add", "carol@example.org", "--no-password") == 0
    assert server.out == "account carol@example.org is made\n"
    assert len(warnings(server)) == 1


def test_of_many_names_the_first_are_shown(server: Terminal, passwords: Path) -> None:
    passwords.write_text("".join(f"user{at}:x\n" for at in range(20)))
    found = warnings(server)
    assert len(found) == 11
    assert found[-1] == f"{passwords} has more names without an account"


def test_a_file_that_cannot_be_read_is_reported(server: Terminal, passwords: Path) -> None:
    passwords.write_text("alice:x\n")

    def forbidden(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    server.monkeypatch.setattr(password_files, "_without_account", forbidden)
    (text,) = warnings(server)
    assert text == f"{passwords}: Permission denied, so nobody in it can log in"


def test_mail_of_people_without_an_account_is_found(server: Terminal, passwords: Path) -> None:
    passwords.write_text("alice:x\n")
    for name in ("alice", "%43arol"):
        (server.folder / "state" / "mail" / "example.org" / name).mkdir(parents=True)
    (text,) = warnings(server)
    assert text.startswith("carol@example.org has mail here and no account: twisted-mail account")
    words = ("account", "add", "carol@example.org", "--no-password", "--keep-mail")
    assert server(*words) == 0
    assert warnings(server) == []
