import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.backup.test_backup import change, folder, forget, store
from tests.control.store.commands import ALICE, BOB, StoreCommand
from twisted_mail.control.store.backup import manifest, snapshots
from twisted_mail.control.store.importing import source_files
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.subscribe import subscribe

__all__ = ["folder", "store"]  # fixtures

Line = dict[str, Any]


def saved(store: StoreCommand, folder: Path, *names: str) -> Path:
    """Make a backup and remove the mail; return the folder of Alice's in the backup."""
    change(store, create, "Spam", "\\Junk")
    change(store, subscribe, "Sent", True)
    assert store("backup", folder, *names) == 0, store.out
    forget(store)
    [snapshot] = snapshots.finished(folder)
    return snapshot / "mail" / "example.org" / "alice"


def alter(account: Path, change: Callable[[list[Line]], None]) -> None:
    """Alter the list of an account in a backup."""
    path = account / "messages.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def messages(lines: list[Line]) -> list[Line]:
    """Return the lines about messages of the first mailbox that has any."""
    return [line for line in lines if "file" in line]


def replace_by_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("name", "what"),
    [("special-use", "special uses"), ("Maildir/subscriptions", "subscriptions")],
)
@pytest.mark.parametrize("fault", [replace_by_link, lambda path: (path.unlink(), path.mkdir())])
def test_what_cannot_be_read_beside_the_messages_is_named(
    store: StoreCommand, folder: Path, name: str, what: str, fault: Callable[[Path], object]
) -> None:
    fault(saved(store, folder, ALICE) / name)
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"]) == (15, False)
    assert [each["where"] for each in answer["skipped"]] == [f"{ALICE}: {what}"]


def test_a_file_beside_the_messages_that_is_too_large_is_named(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(store, folder, ALICE)
    monkeypatch.setattr(manifest, "MAX_SMALL_FILE", 4)
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"]) == (15, False)
    assert {each["why"] for each in answer["skipped"]} == {"it has more than 4 octets"}


def test_a_special_use_and_a_subscription_that_cannot_be_are_named(
    store: StoreCommand, folder: Path
) -> None:
    account = saved(store, folder, ALICE)
    (account / "special-use").write_bytes(b"\\Nonsense .Sent\n")
    with (account / "Maildir" / "subscriptions").open("ab") as file:
        file.write(b"\t".join([b"a"] * 30) + b"\n")
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"]) == (15, False)
    assert [each["where"] for each in answer["skipped"]] == [
        f"{ALICE}: special use \\Nonsense",
        f"{ALICE}: subscription to {'/'.join('a' * 30)}",
    ]
    assert "Sent" in store.subscribed()


def test_two_lines_about_one_file_are_named(store: StoreCommand, folder: Path) -> None:
    def repeat(lines: list[Line]) -> None:
        first, second = messages(lines)[:2]
        second["file"] = first["file"]

    alter(saved(store, folder, ALICE), repeat)
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"]) == (14, False)
    whys = [each["why"] for each in answer["skipped"]]
    assert "the list has another line about it" in whys
    assert "the backup was of 15 messages, and its list has 14" in whys


def test_two_messages_with_one_uid_are_both_restored(store: StoreCommand, folder: Path) -> None:
    def repeat(lines: list[Line]) -> None:
        first, second = messages(lines)[:2]
        second["uid"] = first["uid"]

    alter(saved(store, folder, ALICE), repeat)
    assert store.json("restore", folder)["restored"] == 15
    assert len(store.look()) == 12
    again = store.json("restore", folder)
    assert (again["restored"], again["already"]) == (0, 15)
    assert store("check") == 0, store.out


def test_a_list_that_names_a_mailbox_twice_is_damaged(store: StoreCommand, folder: Path) -> None:
    def repeat(lines: list[Line]) -> None:
        lines.append(lines[0])

    alter(saved(store, folder, ALICE), repeat)
    assert store("restore", folder) == 1
    assert "damaged" in store.err


def test_an_account_whose_list_is_damaged_does_not_stop_the_others(
    store: StoreCommand, folder: Path
) -> None:
    (saved(store, folder) / "messages.jsonl").write_text("{")
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"], answer["accounts"]) == (2, False, [BOB])
    [skipped] = answer["skipped"]
    assert skipped["where"] == ALICE
    assert "damaged" in skipped["why"]


def test_a_damaged_list_does_not_stop_the_next_backup(store: StoreCommand, folder: Path) -> None:
    store("backup", folder)
    [snapshot] = snapshots.finished(folder)
    (snapshot / "mail" / "example.org" / "alice" / "messages.jsonl").write_text("{")
    answer = store.json("backup", folder)
    assert (answer["ok"], answer["messages"], answer["copied"]) == (True, 17, 15)


@pytest.mark.parametrize("name", ["manifest.json", "accounts.sqlite3"])
def test_no_file_of_a_backup_is_a_link(store: StoreCommand, folder: Path, name: str) -> None:
    account = saved(store, folder, ALICE)
    replace_by_link(account.parents[2] / name)
    assert store("restore", folder, "--into", folder / "new") == 1
    assert "it is a link, and none is followed" in store.err
    assert not (folder / "new" / "accounts.sqlite3").exists()


def test_no_list_of_messages_is_a_link(store: StoreCommand, folder: Path) -> None:
    replace_by_link(saved(store, folder) / "messages.jsonl")
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"]) == (2, False)
    assert "it is a link, and none is followed" in answer["skipped"][0]["why"]


def test_subscriptions_that_cannot_be_read_do_not_stop_the_backup_of_the_mail(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def refusing(path: Path) -> bytes:
        if path.name == "subscriptions":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refusing)
    answer = store.json("backup", folder, ALICE)
    assert (answer["ok"], answer["messages"]) == (False, 15)
    assert [each["where"] for each in answer["skipped"]] == [f"{ALICE}: subscriptions"]


def test_a_file_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"12345")
    files = source_files.SourceFiles(os.fsencode(tmp_path))
    assert files.whole(b"list", 5) == b"12345"
    with pytest.raises(source_files.BadItem, match="more than 4 octets"):
        files.whole(b"list", 4)
    files.close()
