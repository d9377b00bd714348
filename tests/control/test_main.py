import io
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control.terminal import Terminal
from twisted_mail.config import load
from twisted_mail.control import grammar, main, secrets

# ---------------------------------------------------------------- the command itself


def test_version_and_help(terminal: Terminal) -> None:
    for words in (["--version"], ["--help"], ["account", "--help"], ["init", "--help"]):
        with pytest.raises(SystemExit) as end:
            terminal.run(*words)
        assert end.value.code == 0
    assert "twisted-mail" in terminal.capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["account"],
        ["account", "add"],
        ["account", "list", "--jsn"],
        ["account", "add", "a@b.example", "--generate", "--password-stdin"],
        ["init", "x"],
        ["alias", "add", "a@b.example"],
    ],
)
def test_wrong_usage_is_one_line_and_code_2(terminal: Terminal, words: list[str]) -> None:
    assert terminal.run(*words) == 2
    assert terminal.err.startswith("twisted-mail: ")
    assert terminal.err.count("\n") == 1


def test_wrong_usage_is_json_too(terminal: Terminal) -> None:
    assert terminal.run("--json", "nonsense") == 2
    assert json.loads(terminal.out)["ok"] is False


def test_without_a_configuration_the_places_are_named(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "PLACES", (tmp_path / "none.toml",))
    assert terminal.run("check") == 2
    assert "none.toml" in terminal.err


def test_the_configuration_is_found_and_named(
    server: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = server.folder / "mail.toml"
    monkeypatch.setattr(main, "PLACES", (path,))
    assert server.run("account", "list") == 0
    assert f"using {path}" in server.err
    monkeypatch.setattr(main, "PLACES", ())
    monkeypatch.setenv(grammar.VARIABLE, str(path))
    assert server.run("account", "list") == 0
    assert "$TWISTED_MAIL_CONFIG" in server.err
    assert server.run("account", "list", "--json") == 0
    assert server.err == ""


def test_options_may_come_before_or_after_the_command(server: Terminal) -> None:
    path = str(server.folder / "mail.toml")
    assert server.run("account", "list", "-c", path) == 0
    assert server.run("-c", "/nowhere", "account", "list") == 2


def test_mistakes_of_the_configuration_are_listed(server: Terminal) -> None:
    path = server.folder / "mail.toml"
    path.write_text(path.read_text().replace("hostname =", "hostnme ="))
    assert server("account", "list") == 2
    assert f"{path}:" in server.err
    assert "did you mean 'hostname'?" in server.err


def test_a_bug_shows_no_traceback(server: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: Path) -> None:
        raise RuntimeError("oh")

    monkeypatch.setattr(main, "load", broken)
    assert server("account", "list") == 1
    assert "this is a bug: RuntimeError: oh" in server.err


def test_a_missing_state_folder_is_named(server: Terminal) -> None:
    path = server.folder / "mail.toml"
    path.write_text(path.read_text().replace('"state"', '"elsewhere"'))
    assert server("account", "list") == 1
    assert "elsewhere is missing" in server.err


def test_a_broken_database_is_named(server: Terminal) -> None:
    for file in (server.folder / "state").glob("accounts.*"):
        file.write_bytes(b"no database, but long enough to be mistaken for one" * 50)
    assert server("account", "list") == 1
    assert "not a database" in server.err


# ---------------------------------------------------------------- init


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
        "postmaster@example.net",
        "abuse@example.org",
        "postmaster@example.org",
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


# ---------------------------------------------------------------- accounts


def test_accounts_are_listed_as_a_table_and_as_json(server: Terminal) -> None:
    server("account", "list")
    assert server.out.splitlines()[0].split() == ["ADDRESS", "MADE", "LOGIN", "PASSWORD"]
    (row,) = server.json("account", "list", "example.org")["accounts"]
    assert (row["address"], row["is_enabled"], row["scheme"]) == (
        "alice@example.org",
        True,
        "ARGON2ID",
    )


def test_an_account_is_refused_before_a_password_is_asked(server: Terminal) -> None:
    server.monkeypatch.setattr(secrets, "password_from", lambda options: 1 / 0)
    assert server("account", "add", "alice@example.org") == 1
    assert "there already" in server.err
    assert server("account", "password", "bob@example.org") == 1
    assert "no account" in server.err


def test_a_password_is_made_up_and_shown_once(server: Terminal) -> None:
    made = server.json("account", "add", "bob@example.org", "--generate")
    assert len(made["password"]) == 23
    assert server("account", "password", "bob@example.org", "--generate") == 0
    assert made["password"] not in server.out


@pytest.fixture
def prompts(server: Terminal) -> Iterator[list[str]]:
    answers: list[str] = []
    server.monkeypatch.setattr("getpass.getpass", lambda prompt: answers.pop(0))
    server.type("")
    server.monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    yield answers
    assert not answers


def test_a_password_is_asked_for_twice(server: Terminal, prompts: list[str]) -> None:
    prompts += ["secret", "secret"]
    assert server("account", "add", "bob@example.org") == 0


def test_two_different_passwords_are_refused(server: Terminal, prompts: list[str]) -> None:
    prompts += ["secret", "Secret"]
    assert server("account", "add", "bob@example.org") == 1
    assert "differ" in server.err


@pytest.mark.parametrize("error", [EOFError, KeyboardInterrupt])
def test_a_prompt_can_be_left(server: Terminal, error: type[BaseException]) -> None:
    def leave(options: object) -> str:
        raise error

    server.monkeypatch.setattr(secrets, "password_from", leave)
    assert server("account", "add", "bob@example.org") == 1
    assert "interrupted" in server.err


def test_without_a_terminal_the_ways_are_named(server: Terminal) -> None:
    server.type("")
    assert server("account", "add", "bob@example.org") == 2
    assert "--password-stdin" in server.err


@pytest.mark.parametrize("data", ["", "\n", b"\xff\n", "x" * 5000, "a\0b\n"])
def test_bad_passwords_from_a_pipe_are_refused(server: Terminal, data: str | bytes) -> None:
    server.type(data)
    assert server("account", "add", "bob@example.org", "--password-stdin") == 1
    assert server.json("account", "list")["accounts"][0]["address"] == "alice@example.org"


def test_removing_an_account_says_that_its_mail_stays(server: Terminal) -> None:
    server("alias", "add", "team@example.org", "alice@example.org")
    assert server("account", "remove", "alice@example.org") == 0
    assert "mail stays" in server.out
    assert "team@example.org" in server.out
    assert server("account", "remove", "alice@example.org") == 1


def test_logins_are_disabled_and_enabled(server: Terminal) -> None:
    assert server("account", "disable", "alice@example.org") == 0
    assert not server.json("account", "list")["accounts"][0]["is_enabled"]
    assert server("account", "enable", "alice@example.org") == 0


def test_a_file_of_accounts_is_imported(server: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_text("# comment\nbob@example.org:{PLAIN}x\n")
    assert server.json("account", "import", str(path)) == {
        "ok": True,
        "accounts": ["bob@example.org"],
    }
    server.type("carol@example.org:{PLAIN}x\n")
    assert server("account", "import", "-") == 0
    assert "1 account imported" in server.out


def test_mistakes_of_an_import_are_listed_by_line(server: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "roster"
    path.write_text("bob@example.org:{PLAIN}x\nalice@example.org:{PLAIN}x\nbad\n")
    assert server("account", "import", str(path)) == 1
    assert f"{path}:2: the account alice@example.org is there already" in server.err
    assert f"{path}:3:" in server.err
    assert len(server.json("account", "list")["accounts"]) == 1
    path.write_text("alice@example.org:{PLAIN}x\n")
    assert server("account", "import", str(path), "--replace") == 0


def test_files_that_cannot_be_imported_are_named(server: Terminal, tmp_path: Path) -> None:
    assert server("account", "import", str(tmp_path / "none")) == 1
    assert "none: No such file" in server.err
    (tmp_path / "x").write_bytes(b"\xff")
    assert server("account", "import", str(tmp_path / "x")) == 1
    assert "UTF-8" in server.err


# ---------------------------------------------------------------- aliases and domains


def test_aliases_are_edited(server: Terminal) -> None:
    targets = ("alice@example.org", "x@elsewhere.example")
    assert server("alias", "add", "team@example.org", *targets) == 0
    assert server.json("alias", "list")["aliases"] == [
        {"address": "team@example.org", "targets": list(targets)}
    ]
    assert server("alias", "remove", "team@example.org", "x@elsewhere.example") == 0
    assert "leads to alice@example.org" in server.out
    assert server("alias", "remove", "team@example.org") == 0
    assert server("alias", "list") == 0
    assert server.out == "there are no aliases\n"


def test_domains_are_edited(server: Terminal) -> None:
    assert server("domain", "add", "Example.NET") == 0
    assert "example.net. IN MX 10 mail.example.org." in server.out
    assert [row["name"] for row in server.json("domain", "list")["domains"]] == [
        "example.net",
        "example.org",
    ]
    assert server("domain", "remove", "example.net") == 0
    assert server("domain", "remove", "example.org") == 1


# ---------------------------------------------------------------- check


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


def test_terminals_without_unicode_are_served(server: Terminal) -> None:
    server("account", "add", "ärger@example.org", "--generate")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    server.monkeypatch.setattr(sys, "stdout", narrow)
    assert server("account", "list") == 0
    narrow.seek(0)
    assert r"\xe4rger@example.org" in narrow.read()


def test_names_cannot_steer_the_terminal(server: Terminal) -> None:
    assert server("domain", "add", "\x1b[2J") == 1
    assert "\x1b" not in server.err


# ---------------------------------------------------------------- certificates


def test_certificates_are_listed_and_renewed(server: Terminal) -> None:
    (before,) = server.json("certificate", "list")["certificates"]
    assert before["faults"] == []
    assert server("certificate", "renew") == 0
    assert server("certificate", "list") == 0
    assert "mail.example.org.pem" in server.out
    (server.folder / "state" / "tls" / "authority.key").unlink()
    assert server("certificate", "renew") == 1
    assert "authority.key is missing" in server.err


def test_what_belongs_to_others_is_found(server: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat

    def moved(path: Any, *args: Any, **kwargs: Any) -> Any:
        found = real(path, *args, **kwargs)
        if str(path) != str(server.folder / "state"):
            return found
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:10]))

    monkeypatch.setattr(os, "stat", moved)
    server("check")
    assert "folder's owner: accounts.sqlite3" in server.out
