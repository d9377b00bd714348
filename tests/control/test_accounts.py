"""twisted-mail account."""

from pathlib import Path

from tests.control.terminal import Terminal
from twisted_mail.control import secrets

ALICE = "alice@example.org"


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


def test_an_account_is_allowed_to_send_as_others(server: Terminal) -> None:
    assert server("account", "may-send-as", ALICE) == 0
    assert server.out == "account alice@example.org may send as itself, its aliases\n"
    assert server("account", "may-send-as", ALICE, "office@example.org", "@private.example") == 0
    assert "and as @private.example, office@example.org" in server.out
    said = server.json("account", "may-send-as", ALICE, "--remove", "@private.example")
    assert said["may_send_as"] == ["office@example.org"]


def test_what_cannot_be_is_refused(server: Terminal) -> None:
    assert server("account", "may-send-as", "nobody@example.org", "x@example.org") == 1
    assert server("account", "may-send-as", ALICE, "--remove") == 2
    assert server("account", "may-send-as", ALICE, "--remove", "x@example.org") == 1
    assert "may not send as x@example.org anyway" in server.err
