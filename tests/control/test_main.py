import json
from pathlib import Path

import pytest

from tests.control.terminal import Terminal
from twisted_mail.control import grammar, main, secrets


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


@pytest.mark.parametrize("error", [EOFError, KeyboardInterrupt])
def test_a_prompt_can_be_left(server: Terminal, error: type[BaseException]) -> None:
    def leave(options: object) -> str:
        raise error

    server.monkeypatch.setattr(secrets, "password_from", leave)
    assert server("account", "add", "bob@example.org") == 1
    assert "interrupted" in server.err
