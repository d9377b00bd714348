"""twisted-mail init."""

import json
import os
import pwd
import stat
from pathlib import Path

import pytest

from tests.control.terminal import Terminal
from twisted_mail.config import load


def test_init_makes_a_server_that_checks_well(terminal: Terminal) -> None:
    domains = ("--domain", "Example.org", "--domain", "example.net")
    assert terminal.run("init", str(terminal.folder), *domains, "--account", "alice") == 0
    config = load(terminal.folder / "mail.toml")
    assert config.hostname == "mail.example.org"
    assert config.domains == ("example.org", "example.net")
    assert [(one.service, one.endpoint, one.tls) for one in config.listeners] == [
        ("smtp", "tcp:25", "starttls"),
        ("submission", "tcp:465", "implicit"),
        ("submission", "tcp:587", "starttls"),
        ("pop3", "tcp:110", "starttls"),
        ("pop3", "tcp:995", "implicit"),
        ("imap", "tcp:143", "starttls"),
        ("imap", "tcp:993", "implicit"),
    ]
    for path, mode in ((config.state, 0o700), (config.accounts_file, 0o600)):
        assert stat.S_IMODE(os.stat(path).st_mode) == mode
    assert [row["address"] for row in terminal.json("account", "list")["accounts"]] == [
        "alice@example.org"
    ]
    assert [row["address"] for row in terminal.json("alias", "list")["aliases"]] == [
        "abuse@example.net",
        "abuse@example.org",
    ]
    assert config.addresses.postmaster == "alice@example.org"
    found = [note for note in terminal.json("check")["notes"] if note["subject"] == "postmaster"]
    assert [(note["level"], note["text"]) for note in found] == [
        ("fine", "its mail goes to alice@example.org (of no domain, example.net, example.org)")
    ]


def test_init_shows_the_password_it_made_and_what_is_next(terminal: Terminal) -> None:
    words = ("init", str(terminal.folder), "--domain", "example.org", "--account", "alice")
    assert terminal.run(*words) == 0
    for text in ("alice@example.org", "password", "check", "twistd", "MX 10 mail.example.org."):
        assert text in terminal.out


def test_init_takes_a_given_password_and_does_not_show_it(terminal: Terminal) -> None:
    terminal.type("hunter2\n")
    words = ("--domain", "example.org", "--account", "alice", "--password-stdin", "--json")
    assert terminal.run("init", str(terminal.folder), *words) == 0
    assert "hunter2" not in terminal.out
    assert json.loads(terminal.out)["account"] == "alice@example.org"


def test_init_overwrites_nothing(server: Terminal) -> None:
    before = (server.folder / "mail.toml").read_bytes()
    assert server.run("init", str(server.folder), "--domain", "example.org") == 1
    assert "overwrites nothing" in server.err
    assert (server.folder / "mail.toml").read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ["--domain", "exa mple"],
        ["--domain", "[127.0.0.1]"],
        ["--domain", "example.org", "--hostname", "-"],
        ["--domain", "example.org", "--account", "a b"],
        ["--domain", "example.org", "--account", "a@elsewhere.example"],
    ],
)
def test_init_looks_before_it_writes(terminal: Terminal, words: list[str]) -> None:
    assert terminal.run("init", str(terminal.folder), *words) == 2
    assert not terminal.folder.exists()


@pytest.mark.parametrize("password", ["", "a\0b", "x" * 2000])
def test_init_refuses_bad_passwords_first(terminal: Terminal, password: str) -> None:
    terminal.type(password + "\n")
    words = ("--domain", "example.org", "--account", "alice", "--password-stdin")
    assert terminal.run("init", str(terminal.folder), *words) == 2
    assert not terminal.folder.exists()


def test_init_makes_a_postmaster_unless_asked_otherwise(terminal: Terminal) -> None:
    assert terminal.run("init", str(terminal.folder), "--domain", "example.org") == 0
    assert "account   postmaster@example.org" in terminal.out
    assert "password  " in terminal.out
    assert terminal("account", "list") == 0
    assert "postmaster@example.org" in terminal.out


def test_init_for_another_state_folder_and_interface(terminal: Terminal, tmp_path: Path) -> None:
    words = ("--domain", "example.org", "--state", str(tmp_path / "var"), "--interface", "::1")
    assert terminal.run("init", str(terminal.folder), *words) == 0
    config = load(terminal.folder / "mail.toml")
    assert config.state == tmp_path / "var"
    assert config.listeners[0].endpoint == "tcp:25:interface=\\:\\:1"


def test_init_for_an_unknown_owner_says_so(terminal: Terminal) -> None:
    words = ("--domain", "example.org", "--owner", "no-such-user")
    assert terminal.run("init", str(terminal.folder), *words) == 2
    assert not terminal.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_init_for_an_owner_gives_the_state_away_and_keeps_the_configuration(
    terminal: Terminal,
) -> None:
    words = ("init", str(terminal.folder), "--domain", "example.org", "--owner", "nobody")
    assert terminal.run(*words) == 0
    config = load(terminal.folder / "mail.toml")
    owners = [os.stat(path).st_uid for path in (config.path, config.state, config.accounts_file)]
    assert owners == [0, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_uid]
    assert stat.S_IMODE(os.stat(config.path).st_mode) == 0o644
    assert "twistd --nodaemon --uid nobody --pidfile= mailserver --config" in terminal.out


@pytest.mark.parametrize(("user", "is_warned"), [(0, True), (1000, False)])
def test_init_warns_of_a_server_that_would_be_root(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, user: int, is_warned: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert terminal.run("init", str(terminal.folder), "--domain", "example.org") == 0
    assert ("say --owner USER" in terminal.out) is is_warned
