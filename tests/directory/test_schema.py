import os
import stat
from pathlib import Path

import apsw
import pytest

from twisted_mail.directory import schema
from twisted_mail.directory.schema import DirectoryUnusable, open_database


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    open_database(tmp_path / "a")
    assert all(stat.S_IMODE(os.stat(file).st_mode) == 0o600 for file in tmp_path.iterdir())


def test_commits_are_synced_in_wal_mode(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "a")
    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    open_database(tmp_path / "a").close()
    connection = open_database(tmp_path / "a")
    assert connection.pragma("user_version") == len(schema.STEPS)


def test_steps_are_taken_from_where_the_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_database(tmp_path / "a").close()
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, "CREATE TABLE extra (x)"))
    connection = open_database(tmp_path / "a")
    assert list(connection.execute("SELECT x FROM extra")) == []
    assert connection.pragma("user_version") == len(schema.STEPS)


def test_a_directory_of_the_first_release_is_brought_up_to_date(tmp_path: Path) -> None:
    old = apsw.Connection(str(tmp_path / "a"))
    old.execute(schema.STEPS[0])
    old.execute("INSERT INTO domain VALUES ('example.org', 1)")
    old.execute(
        "INSERT INTO account (key, address, domain, hash, created)"
        " VALUES ('a@example.org', 'A@example.org', 'example.org', '{PLAIN}x', 1)"
    )
    old.execute(
        "INSERT INTO alias VALUES"
        " ('b@example.org', 'a@example.org', 0, 'b@example.org', 'example.org', 'a@example.org')"
    )
    old.pragma("user_version", 1)
    old.close()
    connection = open_database(tmp_path / "a")
    assert connection.pragma("user_version") == len(schema.STEPS)
    assert list(connection.execute("SELECT address, is_enabled FROM account")) == [
        ("A@example.org", 1)
    ]
    assert list(connection.execute("SELECT address, target FROM alias")) == [
        ("b@example.org", "a@example.org")
    ]
    assert not list(connection.execute("SELECT * FROM list, list_member, domain_alias, secret"))


def test_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_database(tmp_path / "a").close()
    steps = schema.STEPS
    monkeypatch.setattr(schema, "STEPS", (*steps, "CREATE TABLE extra (x)", "nonsense"))
    with pytest.raises(DirectoryUnusable):
        open_database(tmp_path / "a")
    monkeypatch.setattr(schema, "STEPS", steps)
    assert open_database(tmp_path / "a").pragma("user_version") == len(steps)


def test_a_file_of_a_later_release_is_refused(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "a")
    connection.pragma("user_version", 99)
    with pytest.raises(DirectoryUnusable, match="later release"):
        open_database(tmp_path / "a")


def test_an_old_sqlite_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.51.2")
    with pytest.raises(DirectoryUnusable, match=r"3\.51\.3 or later"):
        open_database(tmp_path / "a")


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 9])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DirectoryUnusable, match="not a database"):
        open_database(tmp_path / "a")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DirectoryUnusable, match="No such file"):
        open_database(tmp_path / "no" / "a")


def test_keys_of_an_earlier_release_are_brought_into_nfc(tmp_path: Path) -> None:
    old = apsw.Connection(str(tmp_path / "a"))
    for step in schema.STEPS[:3]:
        old.execute(step)
    for key in ("j\u030c@example.org", "k\u030c@example.org", "\u01e9@example.org"):
        old.execute(
            "INSERT INTO account VALUES (?, ?, 'example.org', '{PLAIN}x', 1, 1)", (key, key)
        )
        old.execute(
            "INSERT INTO alias VALUES (?, '|j\u030c', 0, ?, 'example.org', '|j\u030c')", (key, key)
        )
    old.pragma("user_version", 3)
    old.close()
    connection = open_database(tmp_path / "a")
    for table in ("account", "alias"):
        # two that are one by now are both kept
        keys = {key for (key,) in connection.execute(f"SELECT key FROM {table}")}
        assert keys == {"\u01f0@example.org", "\u01e9@example.org", "k\u030c@example.org"}
    targets = {target for (target,) in connection.execute("SELECT target_key FROM alias")}
    assert targets == {"|j\u030c"}
