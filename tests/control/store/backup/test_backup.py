import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, BOB, StoreCommand, facts, wanted
from tests.corpus import mails
from tests.faults import BadFilesDisk
from twisted_mail.control.store import accounts
from twisted_mail.control.store.backup import account_backup, copying, snapshots
from twisted_mail.control.store.backup.account_backup import AccountBackup
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.repair import snapshot
from twisted_mail.store.repair.import_stage import ImportStaging
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work import expunge as expunging
from twisted_mail.store.work import set_flags
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.perform import perform
from twisted_mail.store.work.subscribe import subscribe
from twisted_mail.store.work.transfer import move


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    made = StoreCommand(tmp_path / "server", capsys, monkeypatch)
    made.put(mails(12))
    made.put(mails(3, seed=2), mailbox="Sent")
    made.put(mails(2, seed=3), BOB)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def change(store: StoreCommand, act: Any, *args: Any) -> None:
    with accounts.opened(store.config, ALICE) as tree:
        perform(tree, act, *args)


def mark(tree: Tree, work: UnitOfWork, uids: list[int], *flags: str) -> None:
    set_flags.mark(tree.find("INBOX"), work, uids, "add", normal(flags), None)


def expunge(tree: Tree, work: UnitOfWork, uids: list[int]) -> None:
    expunging.expunge(tree.find("INBOX"), work, uids)


def move_to_sent(tree: Tree, work: UnitOfWork, uids: list[int]) -> None:
    move.move(tree.find("INBOX"), tree.find("Sent"), work, uids)


def forget(store: StoreCommand) -> None:
    shutil.rmtree(store.folder / "state" / "mail")


# ---------------------------------------------------------------- there and back


def test_what_is_restored_is_what_there_was(store: StoreCommand, folder: Path) -> None:
    change(store, create, "Work/Ketchup", "")
    change(store, subscribe, "Work/Ketchup", True)
    before = store.look(), store.look(mailbox="Sent"), store.uidvalidity(), store.subscribed()
    empty = store.uidvalidity(mailbox="Work/Ketchup")
    assert store("backup", folder) == 0, store.out
    forget(store)
    assert store("restore", folder) == 0, store.out
    after = store.look(), store.look(mailbox="Sent"), store.uidvalidity(), store.subscribed()
    assert after == before
    assert store.uidvalidity(mailbox="Work/Ketchup") == empty
    assert len(store.look(BOB)) == 2
    assert store("check") == 0, store.out


def test_a_mailbox_keeps_its_identifier(store: StoreCommand, folder: Path) -> None:
    before = (store.maildir() / "dovecot-uidlist").read_bytes().splitlines()[0]
    store("backup", folder)
    forget(store)
    store("restore", folder)
    after = (store.maildir() / "dovecot-uidlist").read_bytes().splitlines()[0]
    assert before.split()[-1] == after.split()[-1]
    assert before.split()[-1].startswith(b"G")


def test_keywords_without_letters_come_back(store: StoreCommand, folder: Path) -> None:
    many = [f"word{number}" for number in range(40)]
    change(store, mark, [2, 5], *many)
    before = store.look()
    store("backup", folder)
    forget(store)
    store("restore", folder)
    assert store.look() == before


def test_uids_of_expunged_messages_are_not_given_again(store: StoreCommand, folder: Path) -> None:
    change(store, expunge, [11, 12])
    store("backup", folder)
    forget(store)
    store("restore", folder)
    store.put(mails(1, seed=5))
    assert [each.uid for each in store.look()][-2:] == [10, 13]


def test_a_second_backup_copies_only_what_is_new(store: StoreCommand, folder: Path) -> None:
    assert store.json("backup", folder)["copied"] == 17
    change(store, mark, [1, 2], "\\Flagged")
    change(store, expunge, [3])
    store.put(mails(4, seed=6))
    answer = store.json("backup", folder)
    assert (answer["copied"], answer["messages"]) == (4, 20)
    first, second = snapshots.finished(folder)
    inodes = {path.stat().st_ino for path in first.rglob("cur/*")}
    assert sum(path.stat().st_ino in inodes for path in second.rglob("cur/*")) == 16
    forget(store)
    store("restore", folder)
    assert len(store.look()) == 15
    forget(store)
    store("restore", folder, "--snapshot", first.name)
    assert facts(store.look()) == wanted(mails(12))


def test_old_backups_are_removed_when_asked(store: StoreCommand, folder: Path) -> None:
    for _ in range(3):
        store("backup", folder)
    assert store("backup", folder, "--keep", "2") == 0
    assert len(snapshots.finished(folder)) == 2
    assert store("backups", folder) == 0
    assert store.out.count("alice@example.org (15)") == 2
    forget(store)
    assert store("restore", folder) == 0


def test_any_program_can_read_a_backup(store: StoreCommand, folder: Path) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    maildir = snapshot / "mail" / "example.org" / "alice" / "Maildir"
    assert len(list((maildir / "cur").iterdir())) == 12
    assert (maildir / "dovecot-uidlist").read_bytes().startswith(b"3 V")
    assert not (snapshot / "mail" / "example.org" / "bob").exists()


# ---------------------------------------------------------------- changes meanwhile


def test_a_message_that_is_moved_meanwhile_is_in_one_of_its_places(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter(range(1000))
    copy = copying.copy

    def copy_slowly(*args: Any) -> Any:
        if next(turns) == 5:
            change(store, move_to_sent, [9, 10])
            change(store, expunge, [11])
            change(store, mark, [12], "\\Flagged")
        return copy(*args)

    monkeypatch.setattr(copying, "copy", copy_slowly)
    assert store("backup", folder, ALICE) == 0, store.out
    shutil.rmtree(store.account())
    store("restore", folder, ALICE)
    assert [each.uid for each in store.look()] == [1, 2, 3, 4, 5, 6, 7, 8, 12]
    assert "\\Flagged" in store.look()[-1].flags
    assert len(store.look(mailbox="Sent")) == 5


# ---------------------------------------------------------------- interruptions


def test_a_backup_that_is_stopped_is_none_and_goes_on(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
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
    codes = [store("backup", folder)]
    assert snapshots.finished(folder) == []
    assert store("restore", folder) == 1
    assert "no finished backup" in store.err
    while codes[-1] != 0:
        codes.append(store("backup", folder))
    assert len(codes) > 2
    assert len(copied) == 17  # nothing was copied twice
    forget(store)
    assert store("restore", folder) == 0
    assert facts(store.look()) == wanted(mails(12))


def test_a_backup_without_its_manifest_is_none(store: StoreCommand, folder: Path) -> None:
    store("backup", folder)
    [snapshot] = snapshots.finished(folder)
    (snapshot / snapshots.MANIFEST).unlink()
    assert store("restore", folder) == 1


def test_a_restore_that_is_stopped_goes_on(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.look()
    store("backup", folder)
    forget(store)
    turns = iter(range(1000))
    put = ImportStaging.put

    def putting(*args: Any) -> None:
        put(*args)
        if next(turns) % 4 == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ImportStaging, "put", putting)
    codes = [store("restore", folder)]
    while codes[-1] != 0:
        codes.append(store("restore", folder))
    assert len(codes) > 2
    assert store.look() == before
    assert store.json("restore", folder)["restored"] == 0


def test_a_restore_killed_while_a_mailbox_takes_its_place_goes_on(
    store: StoreCommand, folder: Path
) -> None:
    before = store.look()
    store("backup", folder, ALICE)
    shutil.rmtree(store.account())
    child = os.fork()
    if child == 0:
        _restore_and_die(store, folder)
    assert os.waitpid(child, 0)[1] >> 8 == 9
    assert len(list((store.maildir() / "cur").iterdir())) == 5
    assert store("restore", folder, ALICE) == 0, store.out
    assert store.look() == before


def _restore_and_die(store: StoreCommand, folder: Path) -> None:
    from twisted_mail.store.disk.calls import Disk

    turns = iter(range(1000))
    rename = Disk.rename

    def renaming(disk: Disk, path: bytes, new_path: bytes) -> None:
        if b"/arriving/INBOX/cur/" in path and next(turns) == 5:
            os._exit(9)
        rename(disk, path, new_path)

    Disk.rename = renaming  # type: ignore[method-assign, assignment]
    try:
        store("restore", folder, ALICE)
    finally:
        os._exit(1)


# ---------------------------------------------------------------- what is there already


def test_a_restore_overwrites_nothing_unless_asked_to(store: StoreCommand, folder: Path) -> None:
    store("backup", folder, ALICE)
    store.put(mails(2, seed=8))
    before = store.look()
    change(store, expunge, [1])
    assert store("restore", folder, ALICE) == 1
    assert "INBOX has mail that is not in the backup" in store.err
    assert store("restore", folder, ALICE, "--replace") == 0, store.out
    assert facts(store.look()) == wanted(mails(12))
    [aside] = [name for name in store.names() if name.startswith("Before restore") and "/" in name]
    assert len(store.look(mailbox=aside)) == len(before) - 1


def test_restoring_what_is_there_does_nothing(store: StoreCommand, folder: Path) -> None:
    store("backup", folder)
    before = store.look()
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["already"]) == (0, 17)
    assert store.look() == before


def test_an_account_that_was_removed_comes_back_with_its_password(
    store: StoreCommand, folder: Path
) -> None:
    store("backup", folder)
    config = store.config
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        register.accounts.remove(BOB)
    shutil.rmtree(store.account(BOB))
    assert store("restore", folder, "bob") == 0, store.err
    assert f"back in the directory: {BOB}" in store.out
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        assert register.accounts.find(BOB) == BOB


def test_another_state_folder_gets_the_whole_directory(
    store: StoreCommand, folder: Path, tmp_path: Path
) -> None:
    store("backup", folder)
    assert store("restore", folder, "--into", tmp_path / "new") == 0, store.err
    assert (tmp_path / "new" / "accounts.sqlite3").exists()
    maildir = tmp_path / "new" / "mail" / "example.org" / "alice" / "Maildir"
    assert len(list((maildir / "cur").iterdir())) == 12


# ---------------------------------------------------------------- damages


def test_a_file_that_was_altered_in_the_backup_is_skipped(
    store: StoreCommand, folder: Path
) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    one, other, *_ = sorted(snapshot.rglob("Maildir/cur/*"))
    one.write_bytes(one.read_bytes().replace(b"From", b"Form"))
    other.unlink()
    shutil.rmtree(store.account())
    assert store("restore", folder, ALICE) == 1
    assert "it was altered in the backup" in store.out
    assert "2 items skipped" in store.out
    assert len(store.look()) == 10


def test_a_message_that_cannot_be_read_is_reported_and_the_rest_is_saved(
    store: StoreCommand, folder: Path
) -> None:
    with min((store.maildir() / "cur").iterdir()).open("r+b") as file:
        file.truncate(3)
    assert store("backup", folder) == 1
    assert "it has 3 octets" in store.out
    assert store.json("backup", folder)["messages"] == 16


@pytest.mark.parametrize("name", ["manifest.json", "mail/example.org/alice/messages.jsonl"])
def test_a_damaged_list_is_reported(store: StoreCommand, folder: Path, name: str) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    (snapshot / name).write_text('{"mailbox": 1')
    assert store("restore", folder) == 1
    assert "damaged" in store.err


def test_a_hostile_list_does_not_lead_elsewhere(store: StoreCommand, folder: Path) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    path = snapshot / "mail" / "example.org" / "alice" / "messages.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if "file" in line:
            line["file"] = "../../../../../accounts.sqlite3"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert store("restore", folder, "--into", folder / "new") == 1
    assert "damaged" in store.err


@pytest.mark.parametrize("where", ["../../bob/Maildir", "/etc", "..", ".", "Sent", ".a/../..", 7])
def test_the_folder_of_a_mailbox_does_not_leave_the_account(
    store: StoreCommand, folder: Path, where: object
) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    path = snapshot / "mail" / "example.org" / "alice" / "messages.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["folder"] = where
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert store("restore", folder, "--into", folder / "new") == 1
    assert "damaged" in store.err


@pytest.mark.parametrize(
    "where", ["../x", "/etc", "mail/../..", "mail/a/..", "mail/a/b/c", "mail", "", None]
)
def test_the_folder_of_an_account_does_not_leave_the_backup(
    store: StoreCommand, folder: Path, where: object
) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    about = json.loads((snapshot / "manifest.json").read_bytes())
    about["accounts"][0]["folder"] = where
    (snapshot / "manifest.json").write_text(json.dumps(about))
    assert store("restore", folder, "--into", folder / "new") == 1
    assert "damaged" in store.err


def test_no_link_in_a_backup_is_followed(store: StoreCommand, folder: Path) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    maildir = snapshot / "mail" / "example.org" / "alice" / "Maildir"
    os.rename(maildir / ".Sent", folder / "elsewhere")
    os.symlink(folder / "elsewhere", maildir / ".Sent")
    forget(store)
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"]) == (12, False)
    assert {each["why"] for each in answer["skipped"]} == {"it is a link, and none is followed"}


@pytest.mark.parametrize("kept", [0, 5])
def test_a_list_that_was_cut_off_is_told(store: StoreCommand, folder: Path, kept: int) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    path = snapshot / "mail" / "example.org" / "alice" / "messages.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)[:kept]
    path.write_bytes(b"".join(lines)) if kept else path.unlink()
    forget(store)
    answer = store.json("restore", folder)
    assert not answer["ok"]
    has = sum(b'"file"' in line for line in lines)
    [told] = answer["skipped"]
    assert told == {
        "where": ALICE,
        "why": f"the backup was of 15 messages, and its list has {has}",
    }


def test_a_mailbox_that_cannot_have_its_name_does_not_stop_the_others(
    store: StoreCommand, folder: Path
) -> None:
    store("backup", folder, ALICE)
    [snapshot] = snapshots.finished(folder)
    path = snapshot / "mail" / "example.org" / "alice" / "messages.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"mailbox": "Sent"', b'"mailbox": "a//b"'))
    forget(store)
    answer = store.json("restore", folder)
    assert (answer["restored"], answer["ok"]) == (12, False)
    assert answer["skipped"][0]["where"] == "a//b"


def test_folders_within_each_other_are_refused(store: StoreCommand, folder: Path) -> None:
    assert store("backup", store.folder / "state" / "backups") == 1
    assert store("backup", store.folder) == 1


def test_an_unknown_account_is_refused(store: StoreCommand, folder: Path) -> None:
    assert store("backup", folder, "carol") == 1
    store("backup", folder, ALICE)
    assert store("restore", folder, "bob") == 1
    assert "the backup has no account bob@example.org" in store.err


def test_an_account_that_never_rests_is_reported(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AccountBackup, "_has", lambda *_: False)
    assert store("backup", folder) == 1
    assert f"{ALICE}: other programs move its messages too fast" in store.err
    assert snapshots.finished(folder) == []


def test_an_account_that_cannot_be_copied_is_named_and_the_others_are_saved(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store("backup", folder) == 0
    run = AccountBackup.run

    def fail_for_alice(one: AccountBackup, progress: Any) -> Any:
        if one._name == ALICE:
            raise OSError(errno.EIO, "as told", "/mail/alice")
        return run(one, progress)

    monkeypatch.setattr(AccountBackup, "run", fail_for_alice)
    assert store("backup", folder, "--keep", "1") == 1
    assert f"{ALICE}: [Errno 5]" in store.out
    old, new = snapshots.finished(folder)
    assert [each["account"] for each in snapshots.manifest(new)["accounts"]] == [BOB]
    assert len(snapshots.manifest(old)["accounts"]) == 2, "the last copy of the other is kept"


def test_a_domain_that_cannot_be_read_is_named_and_the_others_are_saved(
    store: StoreCommand, folder: Path
) -> None:
    assert store("backup", folder) == 0
    secret = store.folder / "state" / "mail" / "secret.example"
    secret.mkdir()
    store.deny(secret)
    assert store("backup", folder, "--keep", "1") == 1
    assert f"{secret}: Permission denied" in store.out
    old, new = snapshots.finished(folder)
    for made in (old, new):
        assert [each["account"] for each in snapshots.manifest(made)["accounts"]] == [ALICE, BOB]


def test_a_full_disk_ends_the_backup(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "as told")

    monkeypatch.setattr(AccountBackup, "run", fail)
    assert store("backup", folder) == 1
    assert snapshots.finished(folder) == []


def test_an_account_whose_client_moves_all_the_time_is_copied_while_it_waits(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, moves = AccountBackup._copy, iter(range(5))

    def copy_late(one: AccountBackup, moment: Any, row: Any, path: Path) -> bool:
        if one._name == ALICE and one._open is snapshot.opened and next(moves, None) is not None:
            uids = [each.uid for each in moment.rows if moment.name == "INBOX"][-1:]
            change(store, move_to_sent, uids or [1])
            return False
        return copy(one, moment, row, path)

    monkeypatch.setattr(account_backup, "_PASSES", 1)
    monkeypatch.setattr(AccountBackup, "_copy", copy_late)
    assert store("backup", folder) == 0, store.out
    [made] = snapshots.finished(folder)
    assert sum(each["messages"] for each in snapshots.manifest(made)["accounts"]) == 17
    before = store.look(), store.look(mailbox="Sent")
    forget(store)
    assert store("restore", folder) == 0
    assert (store.look(), store.look(mailbox="Sent")) == before


def test_messages_and_folders_that_cannot_be_read_are_named(
    store: StoreCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store.maildir() / "cur" / "900.restored.h:2,S").write_bytes(b"Subject: x\r\n\r\nx\r\n")
    disk = BadFilesDisk()
    disk.bad = {("open", b"900.restored"): errno.EACCES, ("files", b"/.Sent/"): errno.EIO}
    monkeypatch.setattr(accounts, "Disk", lambda: disk)
    assert store("backup", folder, ALICE) == 1
    assert "900.restored.h:2,S: it cannot be read" in store.out
    assert "the folder .Sent: " in store.out
    [made] = snapshots.finished(folder)
    assert snapshots.manifest(made)["accounts"][0]["messages"] == 12


def test_an_account_of_another_spelling_is_restored_into_the_one_of_now(
    store: StoreCommand, folder: Path
) -> None:
    config = store.config
    other = "Alice@example.org"
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        register._tables.connection.execute(
            f"UPDATE account SET address = '{other}' WHERE key = '{ALICE}'"
        )
    os.rename(store.account(ALICE), store.account(other))
    before = store.look(other)
    store("backup", folder, "ALICE")
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        register.accounts.remove(other)
    shutil.rmtree(store.account(other))
    assert store("restore", folder, "alice") == 0, store.err
    assert store.look(ALICE) == before
    assert not store.account(other).exists()
    with DirectoryEditor(config.accounts_file, config.passwords, config.domains) as register:
        assert register.accounts.find(other) == ALICE
