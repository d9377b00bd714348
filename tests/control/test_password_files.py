"""Names of password files that have no account."""

from pathlib import Path

import pytest

from tests.control.terminal import Terminal


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
    (text,) = warnings(server)
    assert text == f"{passwords}: No such file or directory, so nobody in it can log in"
