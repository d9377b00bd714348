from pathlib import Path

import apsw
import pytest

from tests.directory.refusals import refusal
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.mail.outcome import Unavailable


def test_what_cannot_work_is_found(editor: DirectoryEditor) -> None:
    editor.accounts.add("bob@example.net", "x")
    editor.aliases.add("b@example.org", ["bob@example.net", "alice@example.org"])
    assert editor.problems() == []
    editor.accounts.remove("bob@example.net")
    editor._tables.connection.execute("UPDATE account SET hash = '{NOPE}x'")
    problems = {trouble.address: trouble.text for trouble in editor.problems()}
    assert "{NOPE}" in problems["alice@example.org"]
    assert "bob@example.net" in problems["b@example.org"]


def test_a_busy_directory_is_unavailable(editor: DirectoryEditor, tmp_path: Path) -> None:
    other = apsw.Connection(str(tmp_path / "accounts"))
    other.execute("BEGIN IMMEDIATE")
    editor._tables.connection.set_busy_timeout(0)
    with pytest.raises(Unavailable):
        editor.domains.add("x.example")
    other.execute("ROLLBACK")
    editor.domains.add("x.example")


def test_what_fails_halfway_leaves_no_trace(editor: DirectoryEditor) -> None:
    assert refusal(editor.aliases.add, "b@example.org", ["alice@example.org", "nobody@example.net"])
    assert editor.aliases.all() == []


def test_an_account_whose_name_another_has_is_found(editor: DirectoryEditor) -> None:
    editor._tables.connection.execute(
        "INSERT INTO account (key, address, domain, hash, created)"
        " VALUES ('j\u030c@example.org', 'J\u030c@example.org', 'example.org', '{PLAIN}x', 1)"
    )
    (problem,) = editor.problems()
    assert (problem.address, problem.text) == (
        "J\u030c@example.org",
        "another account has this name",
    )


def test_members_and_owners_that_cannot_be_reached_are_found(editor: DirectoryEditor) -> None:
    editor.lists.add("news@example.org")
    editor.accounts.add("bob@example.net", "x")
    editor.lists.add_members("news@example.org", ["bob@example.net"])
    editor.lists.set_owners("news@example.org", ["alice@example.org"])
    assert editor.problems() == []
    editor.accounts.remove("bob@example.net")
    editor._tables.connection.execute("UPDATE list_owner SET address = 'x@example.org'")
    assert {(one.address, one.text) for one in editor.problems()} == {
        ("news@example.org", "the member bob@example.net is not here"),
        ("news@example.org", "the owner x@example.org is not here"),
    }
