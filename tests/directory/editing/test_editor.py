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
