import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, BOB, Place, facts, wanted
from tests.corpus import mails
from twisted_mail.control.store import accounts
from twisted_mail.control.store.backup import copying, snapshots
from twisted_mail.control.store.backup.account_backup import AccountBackup
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.repair.import_stage import ImportStaging
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work import expunge as expunging
from twisted_mail.store.work import move, set_flags
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.perform import perform
from twisted_mail.store.work.subscribe import subscribe


@pytest.fixture
def place(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path / "server", capsys, monkeypatch)
    made.put(mails(12))
    made.put(mails(3, seed=2), mailbox="Sent")
    made.put(mails(2, seed=3), BOB)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def change(place: Place, act: Any, *args: Any) -> None:
    with accounts.opened(place.config, ALICE) as tree:
        perform(tree, act, *args)


def mark(tree: Tree, work: UnitOfWork, uids: list[int], *flags: str) -> None:
    set_flags.mark(tree.find("INBOX"), work, uids, "add", normal(flags), None)


def expunge(tree: Tree, work: UnitOfWork, uids: list[int]) -> None:
    expunging.expunge(tree.find("INBOX"), work, uids)


def move_to_sent(tree: Tree, work: UnitOfWork, uids: list[int]) -> None:
    move.move(tree.find("INBOX"), tree.find("Sent"), work, uids)


def forget(place: Place) -> None:
    shutil.rmtree(place.folder / "state" / "mail")


# ---------------------------------------------------------------- there and back


def test_what_is_restored_is_what_there_was(place: Place, folder: Path) -> None:
    change(place, create, "Work/Ketchup", "")
    change(place, subscribe, "Work/Ketchup", True)
    before = place.look(), place.look(mailbox="Sent"), place.uidvalidity(), place.subscribed()
    empty = place.uidvalidity(mailbox="Work/Ketchup")
    assert place("backup", folder) == 0, place.out
    forget(place)
    assert place("restore", folder) == 0, place.out
    after = place.look(), place.look(mailbox="Sent"), place.uidvalidity(), place.subscribed()
    assert after == before
    assert place.uidvalidity(mailbox="Work/Ketchup") == empty
    assert len(place.look(BOB)) == 2
    assert place("check") == 0, place.out


def test_a_mailbox_keeps_its_identifier(place: Place, folder: Path) -> None:
    before = (place.maildir() / "dovecot-uidlist").read_bytes().splitlines()[0]
    place("backup", folder)
    forget(place)
    place("restore", folder)
    after = (place.maildir() / "dovecot-uidlist").read_bytes().splitlines()[0]
    assert before.split()[-1] == after.split()[-1]
    assert before.split()[-1].startswith(b"G")


def test_keywords_without_letters_come_back(place: Place, folder: Path) -> None:
    many = [f"word{number}" for number in range(40)]
    change(place, mark, [2, 5], *many)
    before = place.look()
    place("backup", folder)
    forget(place)
    place("restore", folder)
    assert place.look() == before


def test_uids_of_expunged_messages_are_not_given_again(place: Place, folder: Path) -> None:
    change(place, expunge, [11, 12])
    place("backup", folder)
    forget(place)
    place("restore", folder)
    place.put(mails(1, seed=5))
    assert [each.uid for each in place.look()][-2:] == [10, 13]


def test_a_second_backup_copies_only_what_is_new(place: Place, folder: Path) -> None:
    assert place.json("backup", folder)["copied"] == 17
    change(place, mark, [1, 2], "\\Flagged")
    change(place, expunge, [3])
    place.put(mails(4, seed=6))
    answer = place.json("backup", folder)
    assert (answer["copied"], answer["messages"]) == (4, 20)
    first, second = snapshots.finished(folder)
    inodes = {path.stat().st_ino for path in first.rglob("cur/*")}
    assert sum(path.stat().st_ino in inodes for path in second.rglob("cur/*")) == 16
    forget(place)
    place("restore", folder)
    assert len(place.look()) == 15
    forget(place)
    place("restore", folder, "--snapshot", first.name)
    assert facts(place.look()) == wanted(mails(12))


def test_old_backups_are_removed_when_asked(place: Place, folder: Path) -> None:
    for _ in range(3):
        place("backup", folder)
    assert place("backup", folder, "--keep", "2") == 0
    assert len(snapshots.finished(folder)) == 2
    assert place("backups", folder) == 0
    assert place.out.count("alice@example.org (15)") == 2
    forget(place)
    assert place("restore", folder) == 0


def test_any_program_can_read_a_backup(place: Place, folder: Path) -> None:
    place("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    maildir = snapshot / "mail" / "example.org" / "alice" / "Maildir"
    assert len(list((maildir / "cur").iterdir())) == 12
    assert (maildir / "dovecot-uidlist").read_bytes().startswith(b"3 V")
    assert not (snapshot / "mail" / "example.org" / "bob").exists()


# ---------------------------------------------------------------- changes meanwhile


def test_a_message_that_is_moved_meanwhile_is_in_one_of_its_places(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter(range(1000))
    copy = copying.copy

    def copy_slowly(*args: Any) -> Any:
        if next(turns) == 5:
            change(place, move_to_sent, [9, 10])
            change(place, expunge, [11])
            change(place, mark, [12], "\\Flagged")
        return copy(*args)

    monkeypatch.setattr(copying, "copy", copy_slowly)
    assert place("backup", folder, ALICE) == 0, place.out
    shutil.rmtree(place.account())
    place("restore", folder, ALICE)
    assert [each.uid for each in place.look()] == [1, 2, 3, 4, 5, 6, 7, 8, 12]
    assert "\\Flagged" in place.look()[-1].flags
    assert len(place.look(mailbox="Sent")) == 5


# ---------------------------------------------------------------- interruptions


def test_a_backup_that_is_stopped_is_none_and_goes_on(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter(range(1000))
    copied = []
    copy = copying.copy

    def copy_slowly(*args: Any) -> Any:
        if next(turns) % 5 == 4:
            raise KeyboardInterrupt
        copied.append(args)
        return copy(*args)

    monkeypatch.setattr(copying, "copy", copy_slowly)
    codes = [place("backup", folder)]
    assert snapshots.finished(folder) == []
    assert place("restore", folder) == 1
    assert "no finished backup" in place.err
    while codes[-1] != 0:
        codes.append(place("backup", folder))
    assert len(codes) > 2
    assert len(copied) == 17  # nothing was copied twice
    forget(place)
    assert place("restore", folder) == 0
    assert facts(place.look()) == wanted(mails(12))


def test_a_backup_without_its_manifest_is_none(place: Place, folder: Path) -> None:
    place("backup", folder)
    [snapshot] = snapshots.finished(folder)
    (snapshot / snapshots.MANIFEST).unlink()
    assert place("restore", folder) == 1


def test_a_restore_that_is_stopped_goes_on(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = place.look()
    place("backup", folder)
    forget(place)
    turns = iter(range(1000))
    put = ImportStaging.put

    def putting(*args: Any) -> None:
        put(*args)
        if next(turns) % 4 == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ImportStaging, "put", putting)
    codes = [place("restore", folder)]
    while codes[-1] != 0:
        codes.append(place("restore", folder))
    assert len(codes) > 2
    assert place.look() == before
    assert place.json("restore", folder)["restored"] == 0


def test_a_restore_killed_while_a_mailbox_takes_its_place_goes_on(
    place: Place, folder: Path
) -> None:
    before = place.look()
    place("backup", folder, ALICE)
    shutil.rmtree(place.account())
    child = os.fork()
    if child == 0:
        _restore_and_die(place, folder)
    assert os.waitpid(child, 0)[1] >> 8 == 9
    assert len(list((place.maildir() / "cur").iterdir())) == 5
    assert place("restore", folder, ALICE) == 0, place.out
    assert place.look() == before


def _restore_and_die(place: Place, folder: Path) -> None:
    from twisted_mail.store.disk.calls import Disk

    turns = iter(range(1000))
    rename = Disk.rename

    def renaming(disk: Disk, path: bytes, new_path: bytes) -> None:
        if b"/arriving/INBOX/cur/" in path and next(turns) == 5:
            os._exit(9)
        rename(disk, path, new_path)

    Disk.rename = renaming  # type: ignore[method-assign, assignment]
    try:
        place("restore", folder, ALICE)
    finally:
        os._exit(1)


# ---------------------------------------------------------------- what is there already


def test_a_restore_overwrites_nothing_unless_told(place: Place, folder: Path) -> None:
    place("backup", folder, ALICE)
    place.put(mails(2, seed=8))
    before = place.look()
    change(place, expunge, [1])
    assert place("restore", folder, ALICE) == 1
    assert "INBOX has mail that is not in the backup" in place.err
    assert place("restore", folder, ALICE, "--replace") == 0, place.out
    assert facts(place.look()) == wanted(mails(12))
    [aside] = [name for name in place.names() if name.startswith("Before restore") and "/" in name]
    assert len(place.look(mailbox=aside)) == len(before) - 1


def test_restoring_what_is_there_does_nothing(place: Place, folder: Path) -> None:
    place("backup", folder)
    before = place.look()
    answer = place.json("restore", folder)
    assert (answer["restored"], answer["already"]) == (0, 17)
    assert place.look() == before


def test_an_account_that_was_removed_comes_back_with_its_password(
    place: Place, folder: Path
) -> None:
    place("backup", folder)
    config = place.config
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        register.accounts.remove(BOB)
    shutil.rmtree(place.account(BOB))
    assert place("restore", folder, "bob") == 0, place.err
    assert f"back in the directory: {BOB}" in place.out
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        assert register.accounts.find(BOB) == BOB


def test_another_state_folder_gets_the_whole_directory(
    place: Place, folder: Path, tmp_path: Path
) -> None:
    place("backup", folder)
    assert place("restore", folder, "--into", tmp_path / "new") == 0, place.err
    assert (tmp_path / "new" / "accounts.sqlite3").exists()
    maildir = tmp_path / "new" / "mail" / "example.org" / "alice" / "Maildir"
    assert len(list((maildir / "cur").iterdir())) == 12


# ---------------------------------------------------------------- damages


def test_a_file_that_was_altered_in_the_backup_is_skipped(place: Place, folder: Path) -> None:
    place("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    one, other, *_ = sorted(snapshot.rglob("Maildir/cur/*"))
    one.write_bytes(one.read_bytes().replace(b"From", b"Form"))
    other.unlink()
    shutil.rmtree(place.account())
    assert place("restore", folder, ALICE) == 1
    assert "it was altered in the backup" in place.out
    assert "2 items skipped" in place.out
    assert len(place.look()) == 10


def test_a_message_that_cannot_be_read_is_told_and_the_rest_is_saved(
    place: Place, folder: Path
) -> None:
    with min((place.maildir() / "cur").iterdir()).open("r+b") as file:
        file.truncate(3)
    assert place("backup", folder) == 1
    assert "it has 3 octets" in place.out
    assert place.json("backup", folder)["messages"] == 16


@pytest.mark.parametrize("name", ["manifest.json", "mail/example.org/alice/messages.jsonl"])
def test_a_damaged_list_is_told(place: Place, folder: Path, name: str) -> None:
    place("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    (snapshot / name).write_text('{"mailbox": 1')
    assert place("restore", folder) == 1
    assert "damaged" in place.err


def test_a_hostile_list_does_not_lead_elsewhere(place: Place, folder: Path) -> None:
    place("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    path = snapshot / "mail" / "example.org" / "alice" / "messages.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if "file" in line:
            line["file"] = "../../../../../accounts.sqlite3"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert place("restore", folder, "--into", folder / "new") == 1
    assert "damaged" in place.err


def test_folders_within_each_other_are_refused(place: Place, folder: Path) -> None:
    assert place("backup", place.folder / "state" / "backups") == 1
    assert place("backup", place.folder) == 1


def test_an_unknown_account_is_refused(place: Place, folder: Path) -> None:
    assert place("backup", folder, "carol") == 1
    place("backup", folder, ALICE)
    assert place("restore", folder, "bob") == 1
    assert "the backup has no account bob@example.org" in place.err


def test_an_account_that_never_rests_is_told(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountBackup, "_has", lambda *_: False)
    assert place("backup", folder) == 1
    assert "changes too fast" in place.err
    assert snapshots.finished(folder) == []
