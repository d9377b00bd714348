"""twisted-mail account."""

import errno
import os
from pathlib import Path

from tests.control.terminal import Terminal
from twisted_mail.control import orphaned_mail, secrets
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import layout

ALICE = "alice@example.org"


def folder(server: Terminal, local: str = "alice") -> Path:
    return server.folder / "state" / "mail" / "example.org" / local


def with_mail(server: Terminal, local: str = "alice") -> Path:
    """Put a message into an account's folder; return its path."""
    path = folder(server, local) / "Maildir" / "cur" / "1.a:2,"
    path.parent.mkdir(parents=True)
    path.write_text("Subject: private\n")
    return path


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
    server("list", "add", "news@example.org", "--owner", "alice@example.org")
    (folder(server) / "Maildir").mkdir(parents=True)
    assert server("account", "remove", "Alice@example.org") == 0
    assert "its mail stays: twisted-mail account purge alice@example.org removes it" in server.out
    assert "its open sessions end at their next command" in server.out
    assert "still leading there: team@example.org, news@example.org" in server.out
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


def test_who_gets_the_mail_of_an_earlier_account_has_to_be_said(server: Terminal) -> None:
    message = with_mail(server)
    server("account", "remove", ALICE)
    server.monkeypatch.setattr(secrets, "password_from", lambda options: 1 / 0)
    assert server("account", "add", "Alice@example.org") == 1
    assert "mail of an earlier account alice@example.org is still here" in server.err
    assert "--keep-mail" in server.err
    assert "--purge" in server.err
    server.monkeypatch.undo()
    assert server("account", "add", ALICE, "--generate", "--keep-mail") == 0
    assert message.exists()


def test_an_account_is_made_without_the_mail_of_an_earlier_one(server: Terminal) -> None:
    with_mail(server)
    with_mail(server, "%41lice")
    with_mail(server, "bob")
    server("account", "remove", ALICE)
    assert server("account", "add", ALICE, "--generate", "--purge") == 0
    assert [path.name for path in folder(server).parent.iterdir()] == ["bob"]


def test_mail_under_another_spelling_becomes_the_accounts(server: Terminal) -> None:
    with_mail(server, "%42ob")
    assert server("account", "add", "bob@example.org", "--generate") == 1
    assert server("account", "add", "bob@example.org", "--generate", "--keep-mail") == 0
    assert (folder(server, "bob") / "Maildir" / "cur" / "1.a:2,").exists()
    with_mail(server, "%43arol")
    with_mail(server, "carol")
    assert server("account", "add", "carol@example.org", "--generate", "--keep-mail") == 0
    assert "its mail is in several folders: twisted-mail store repair carol@" in server.out


def test_an_account_is_removed_with_its_mail(server: Terminal) -> None:
    with_mail(server)
    assert server("account", "remove", ALICE, "--purge") == 0
    assert "the mail of alice@example.org is removed" in server.out
    assert not [*folder(server).parent.iterdir()]
    assert server("account", "add", ALICE, "--generate") == 0


def test_the_mail_of_a_removed_account_is_purged(server: Terminal) -> None:
    with_mail(server)
    assert server("account", "purge", "ALICE@example.org") == 1
    assert "alice@example.org is an account: remove it first" in server.err
    server("account", "remove", ALICE)
    assert server("account", "purge", "ALICE@example.org") == 0
    assert not [*folder(server).parent.iterdir()]
    assert server("account", "purge", ALICE) == 0
    assert server.out == "there is no mail of alice@example.org\n"


def test_mail_is_purged_by_another_name_of_the_domain(server: Terminal) -> None:
    with_mail(server)
    server("domain", "alias", "example.com", "example.org")
    server("account", "remove", "Alice@example.com")
    assert server("account", "purge", "ALICE@example.com") == 0
    assert server.out == "the mail of alice@example.org is removed\n"
    assert not [*folder(server).parent.iterdir()]


def test_who_removes_or_disables_an_account_reads_what_becomes_of_its_connections(
    server: Terminal,
) -> None:
    for command in ("disable", "remove"):
        assert server("account", command, ALICE) == 0
        assert "its open sessions end at their next command" in server.out


def broken(disk: Disk, path: bytes) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_purge_that_was_interrupted_is_finished(server: Terminal) -> None:
    with_mail(server)
    server("account", "remove", ALICE)
    with server.monkeypatch.context() as patched:
        patched.setattr(orphaned_mail, "remove_tree", broken)
        assert server("account", "purge", ALICE) == 1
        assert "Input/output error" in server.err
    assert not folder(server).exists()
    assert server("account", "purge", ALICE) == 0
    assert server.out == "the mail of alice@example.org is removed\n"
    assert not [*folder(server).parent.iterdir()]


def test_accounts_whose_names_have_mail_are_imported_if_that_is_said(
    server: Terminal, tmp_path: Path
) -> None:
    message = with_mail(server, "bob")
    with_mail(server)
    path = tmp_path / "roster"
    path.write_text("bob@example.org:{PLAIN}x\nalice@example.org:{PLAIN}x\n")
    assert server("account", "import", str(path), "--replace") == 1
    assert f"{path}:1: mail of an earlier account bob@example.org is still here" in server.err
    assert f"{path}:2" not in server.err
    assert server("account", "import", str(path), "--replace", "--keep-mail") == 0
    assert message.exists()


def test_a_domain_whose_folder_cannot_be_read_stops_the_import_of_its_own_accounts_only(
    server: Terminal, tmp_path: Path
) -> None:
    with_mail(server)
    assert server("domain", "add", "example.net") == 0
    bad = folder(server).parent.with_name("example.net")
    bad.mkdir()
    listdir = os.listdir

    def failing(path: bytes) -> list[bytes]:
        if os.fsdecode(path) == str(bad):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listdir(path)

    server.monkeypatch.setattr(os, "listdir", failing)
    path = tmp_path / "roster"
    path.write_text("bob@example.org:{PLAIN}x\ncarol@example.net:{PLAIN}x\n")
    assert server("account", "import", str(path)) == 1
    assert f"{path}:1" not in server.err
    assert f"{path}:2: whether there is mail cannot be seen: {bad}: Permission" in server.err
    path.write_text("bob@example.org:{PLAIN}x\n")
    assert server("account", "import", str(path)) == 0


def test_an_account_whose_folder_has_a_hash_for_a_name_is_purged(server: Terminal) -> None:
    name = "é" * 32 + "." + "ü" * 15 + "@example.org"
    path = Path(os.fsdecode(layout.account_path(os.fsencode(folder(server).parent.parent), name)))
    path.mkdir(parents=True)
    assert server("account", "add", name, "--generate") == 1
    assert server("account", "purge", name.upper()) == 0
    assert not path.exists()
