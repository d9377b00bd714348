import errno
import json
import mailbox
import os
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, BOB, StoreCommand, facts, wanted
from tests.corpus import mails
from tests.faults import BadFilesDisk
from twisted_mail.control.store import accounts
from twisted_mail.control.store.backup import copying
from twisted_mail.control.store.exporting import exporter, mbox_target
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.perform import perform


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    made = StoreCommand(tmp_path / "server", capsys, monkeypatch)
    made.put(mails(12))
    made.put(mails(3, seed=2), mailbox="Sent")
    return made


@pytest.mark.parametrize("form", ["maildir", "mbox"])
def test_what_is_exported_and_imported_is_the_same(
    store: StoreCommand, tmp_path: Path, form: str
) -> None:
    assert store("export", ALICE, tmp_path / "out", "--format", form) == 0, store.out
    assert store("import", BOB, tmp_path / "out") == 0, store.out
    assert facts(store.look(BOB)) == wanted(mails(12))
    assert facts(store.look(BOB, "Sent")) == wanted(mails(3, seed=2))
    assert store("check") == 0, store.out


def test_a_maildir_keeps_uids(store: StoreCommand, tmp_path: Path) -> None:
    store("export", ALICE, tmp_path / "out")
    store("import", BOB, tmp_path / "out")
    assert store.look(BOB) == store.look()
    assert store.uidvalidity(BOB) == store.uidvalidity()


@pytest.mark.parametrize("form", ["maildir", "mbox"])
def test_a_second_run_adds_what_is_new(store: StoreCommand, tmp_path: Path, form: str) -> None:
    store("export", ALICE, tmp_path / "out", "--format", form)
    store.put(mails(2, seed=7))
    assert store.json("export", ALICE, tmp_path / "out", "--format", form)["exported"] == 2
    assert store.json("export", ALICE, tmp_path / "out", "--format", form)["exported"] == 0
    store("import", BOB, tmp_path / "out")
    assert len(store.look(BOB)) == 14


def test_pythons_own_reader_understands_the_mbox(store: StoreCommand, tmp_path: Path) -> None:
    store("export", ALICE, tmp_path / "out", "--format", "mbox")
    box = mailbox.mbox(tmp_path / "out" / "INBOX.mbox")
    assert len(box) == 12
    seen = sum("R" in message.get_flags() for message in box)
    assert seen == sum("\\Seen" in each.flags for each in mails(12))


@pytest.mark.parametrize(
    ("form", "together"), [("maildir", 1), ("mbox", 1), ("mbox", 8000), ("mbox", 100_000)]
)
def test_stopped_anywhere_it_goes_on(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, together: int
) -> None:
    monkeypatch.setattr(mbox_target, "_TOGETHER", together)
    turns = iter(range(1000))
    copy, write = copying.copy, mbox_target._write

    def copy_slowly(*args: Any) -> Any:
        if next(turns) % 4 == 3:
            raise KeyboardInterrupt
        return copy(*args)

    def writing(fd: int, data: bytes) -> int:
        if next(turns) in (0, 2, 5, 9, 20):
            write(fd, data[: len(data) // 2])
            raise KeyboardInterrupt
        return write(fd, data)

    monkeypatch.setattr(copying, "copy", copy_slowly)
    monkeypatch.setattr(mbox_target, "_write", writing)
    for _ in range(30):
        code = store("export", ALICE, tmp_path / "out", "--format", form)
        if code == 0:
            break
        assert "goes on where it ended" in store.err
    assert code == 0
    store("import", BOB, tmp_path / "out")
    assert facts(store.look(BOB)) == wanted(mails(12))


def test_a_dry_run_counts_and_writes_nothing(store: StoreCommand, tmp_path: Path) -> None:
    assert store.json("export", ALICE, tmp_path / "out", "--dry-run")["exported"] == 15
    assert not (tmp_path / "out").exists()


def test_mailboxes_are_chosen_by_patterns(store: StoreCommand, tmp_path: Path) -> None:
    assert store.json("export", ALICE, tmp_path / "a", "--only", "S*")["exported"] == 3
    assert store.json("export", ALICE, tmp_path / "b", "--skip", "S*")["exported"] == 12


def test_names_that_would_leave_the_folder_stay_in_it(store: StoreCommand, tmp_path: Path) -> None:
    from twisted_mail.control.store import accounts

    with accounts.opened(store.config, ALICE) as tree:
        perform(tree, create, "../../x", "")
    store.put(mails(1), mailbox="../../x")
    assert store("export", ALICE, tmp_path / "out", "--format", "mbox") == 0
    assert (tmp_path / "out" / "_." / "_." / "x.mbox").exists()


@pytest.mark.parametrize("form", ["maildir", "mbox"])
def test_a_target_that_others_can_alter_is_refused(
    store: StoreCommand, tmp_path: Path, form: str
) -> None:
    store.put(mails(1))
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert store("export", ALICE, tmp_path / "open", "--format", form) == 1
    assert "can be altered by others" in store.err
    (tmp_path / "elsewhere").mkdir(0o700)
    os.symlink("elsewhere", tmp_path / "link")
    assert store("export", ALICE, tmp_path / "link", "--format", form) == 1
    assert "is a link" in store.err
    assert not any((tmp_path / "elsewhere").iterdir())
    assert not any((tmp_path / "open").iterdir())


@pytest.mark.parametrize("form", ["maildir", "mbox"])
def test_a_target_that_is_exchanged_meanwhile_leads_nowhere_else(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    store.put(mails(3))
    (tmp_path / "elsewhere").mkdir(0o700)
    run = exporter._run

    def exchange(*args: Any) -> Any:
        os.rename(tmp_path / "out", tmp_path / "away")
        os.symlink("elsewhere", tmp_path / "out")
        return run(*args)

    monkeypatch.setattr(exporter, "_run", exchange)
    assert store("export", ALICE, tmp_path / "out", "--format", form) == 0
    assert not any((tmp_path / "elsewhere").iterdir())
    assert any((tmp_path / "away").iterdir())


@pytest.mark.parametrize("file", ["../victim", "/victim", "a/../../victim", "", 7])
def test_notes_that_lead_elsewhere_are_refused(
    store: StoreCommand, tmp_path: Path, file: object
) -> None:
    store.put(mails(1))
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "out").mkdir(0o700)
    note = {"uidvalidity": store.uidvalidity(), "uid": 0, "size": 0, "file": file}
    (tmp_path / "out" / "export.journal").write_text(json.dumps({"INBOX": note}))
    assert store("export", ALICE, tmp_path / "out", "--format", "mbox") == 1
    assert "not as it was written" in store.err
    assert (tmp_path / "victim").read_text() == "precious"


def test_keywords_without_a_letter_are_reported(store: StoreCommand, tmp_path: Path) -> None:
    [sample] = mails(1, seed=9)
    store.put([sample._replace(flags=frozenset(f"word{number}" for number in range(40)))])
    assert store("export", ALICE, tmp_path / "out") == 1
    assert "keywords beyond the 26" in store.out


def test_the_servers_own_folder_is_no_target(store: StoreCommand) -> None:
    assert store("export", ALICE, store.folder / "state" / "x") == 1


def test_a_short_file_is_skipped_and_reported(store: StoreCommand, tmp_path: Path) -> None:
    with next((store.maildir() / "cur").iterdir()).open("r+b") as file:
        file.truncate(5)
    assert store("export", ALICE, tmp_path / "out") == 1
    assert "it has 5 octets and should have" in store.out
    assert store.json("export", ALICE, tmp_path / "out")["exported"] == 0


@pytest.mark.parametrize("form", ["maildir", "mbox"])
def test_messages_and_folders_that_cannot_be_read_are_named(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    (store.maildir() / "cur" / "900.restored.h:2,S").write_bytes(b"Subject: x\r\n\r\nx\r\n")
    disk = BadFilesDisk()
    disk.bad = {("open", b"900.restored"): errno.EACCES, ("files", b"/.Sent/"): errno.EIO}
    monkeypatch.setattr(accounts, "Disk", lambda: disk)
    assert store("export", ALICE, tmp_path / "out", "--format", form) == 1
    assert "900.restored.h:2,S: it cannot be read" in store.out
    assert "the folder .Sent: " in store.out
    assert "12 messages exported" in store.out
