"""twisted-mail check."""

import os
from typing import Any

import pytest

from tests.control.terminal import Terminal
from twisted_mail.control.checks import accounts_and_aliases, certificate_files


def test_check_is_content_with_what_init_made(server: Terminal) -> None:
    server("alias", "add", "postmaster@example.org", "alice@example.org")
    answer = server.json("check")
    faults = [note for note in answer["notes"] if note["level"] == "fault"]
    assert not [note for note in faults if " on tcp:" not in note["subject"]]
    assert answer["warnings"] == 0


def test_check_finds_what_is_wrong(server: Terminal) -> None:
    next((server.folder / "state" / "tls").glob("*.pem")).unlink()
    (server.folder / "state").chmod(0o755)
    server("alias", "add", "team@example.org", "alice@example.org")
    server("account", "remove", "alice@example.org")
    assert server("check") == 1
    for text in ("none that can be used", "chmod 700", "alice@example.org, who", "postmaster@"):
        assert text in server.out


def test_check_finds_listeners_where_nobody_can_log_in(server: Terminal) -> None:
    path = server.folder / "mail.toml"
    path.write_text(path.read_text().replace('"starttls"', '"none"'))
    server("check")
    assert server.out.count("nobody can log in here") == 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('[log]\nfile = "mail.log"\n', "fine     mail log: "),
        ('[log]\nfile = "/nowhere/mail.log"\n', "warning  mail log: /nowhere cannot be written"),
        ("[workers]\nnumber = 2\n", "warning  workers: without [log] file"),
        ('[workers]\nnumber = 2\n[log]\nfile = "mail.log"\n', "fine     mail log: "),
    ],
)
def test_check_looks_at_the_mail_log(server: Terminal, settings: str, words: str) -> None:
    (server.folder / "mail.toml.d" / "log.toml").write_text(settings)
    assert server("check") == 0
    assert words in server.out
    assert not (server.folder / "state" / "mail.log").exists()


def test_check_makes_nothing(server: Terminal) -> None:
    (server.folder / "state" / "accounts.sqlite3").unlink()
    server("check")
    assert "no accounts yet" in server.out
    assert not list((server.folder / "state").glob("accounts.*"))


def test_check_of_a_wrong_configuration_is_code_2(server: Terminal) -> None:
    (server.folder / "mail.toml.d" / "x.toml").write_text("[imapp]")
    assert server("check") == 2


def test_what_belongs_to_others_is_found(server: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat

    def moved(path: Any, *args: Any, **kwargs: Any) -> Any:
        found = real(path, *args, **kwargs)
        if str(path) != str(server.folder / "state"):
            return found
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:10]))

    monkeypatch.setattr(os, "stat", moved)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)  # root would look with the owner's rights
    server("check")
    assert "folder's owner: accounts.sqlite3" in server.out


def test_check_finds_listeners_that_strangers_can_reach(server: Terminal) -> None:
    (server.folder / "mail.toml.d" / "lmtp.toml").write_text(
        f"""
        [[listener]]
        service = "lmtp"
        endpoint = "unix:{server.folder}/all.sock:mode=666"
        tls = "none"
        [[listener]]
        service = "lmtp"
        endpoint = "unix:{server.folder}/group.sock"
        tls = "none"
        [[listener]]
        service = "lmtp"
        endpoint = "tcp:2424"
        tls = "none"
        [[listener]]
        service = "lmtp"
        endpoint = "tcp:2425:interface=127.0.0.1"
        tls = "none"
        """
    )
    found = {
        note["subject"]: note["text"]
        for note in server.json("check")["notes"]
        if note["level"] == "warning" and note["subject"].startswith("lmtp")
    }
    assert list(found) == [f"lmtp on unix:{server.folder}/all.sock:mode=666", "lmtp on tcp:2424"]
    assert "every user of this machine" in found[f"lmtp on unix:{server.folder}/all.sock:mode=666"]
    assert "without a login" in found["lmtp on tcp:2424"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_accounts_that_the_server_cannot_read_are_a_fault(server: Terminal) -> None:
    state = server.folder / "state"
    os.chown(state, 65534, 65534)
    (state / "accounts.sqlite3").chmod(0o600)
    answer = server.json("check")
    assert answer["faults"]
    assert any(note["subject"].startswith("imap on") for note in answer["notes"])


def test_a_subject_that_cannot_be_looked_at_stops_no_other(
    server: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "accounts.sqlite3")

    monkeypatch.setattr(accounts_and_aliases, "opened", refused)
    monkeypatch.setattr(certificate_files, "inspect_folder", refused)
    answer = server.json("check")
    found = {note["subject"]: note["text"] for note in answer["notes"] if note["level"] == "fault"}
    assert found["directory"] == "accounts.sqlite3: Permission denied"
    assert found["certificates"].endswith("Permission denied")
    assert any(note["subject"].startswith("imap on") for note in answer["notes"])
