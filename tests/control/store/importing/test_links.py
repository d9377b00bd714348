"""What a user's links in his own mail may not do."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, BOB, StoreCommand
from twisted_mail.control.output import CommandError
from twisted_mail.control.store.importing import source_files
from twisted_mail.control.store.importing.mbox_source import MboxSource
from twisted_mail.control.store.importing.source_files import SourceFiles
from twisted_mail.control.store.skipped import BadItem

SECRET = b"Subject: secret\n\nof another\n"
LETTER = b"From a Mon Nov 23 10:00:00 2026\nSubject: mine\n\nx\n\n"


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    return StoreCommand(tmp_path / "server", capsys, monkeypatch)


def maildir(path: Path, text: bytes) -> Path:
    for place in ("cur", "new", "tmp"):
        (path / place).mkdir(parents=True)
    (path / "cur" / "1.M1.host:2,S").write_bytes(text)
    return path


def seen(store: StoreCommand) -> bytes:
    return b"".join(each.data for name in store.names() for each in store.look(mailbox=name))


def test_no_link_of_a_maildir_is_followed(store: StoreCommand, tmp_path: Path) -> None:
    other = maildir(tmp_path / "other", SECRET)
    (tmp_path / "hashes").write_bytes(SECRET)
    mine = maildir(tmp_path / "mine", b"Subject: mine\n\nx\n")
    os.symlink(other, mine / ".Folder")
    (mine / ".Half").mkdir()
    os.symlink(other / "cur", mine / ".Half" / "cur")
    os.symlink(tmp_path / "hashes", mine / "new" / "2.M2.host")
    os.symlink(tmp_path / "hashes", mine / "dovecot-uidlist")
    os.symlink("sieve/main.sieve", mine / ".dovecot.sieve")  # no mail is there
    os.mkfifo(mine / "new" / "3.M3.host")
    answer = store.json("import", ALICE, mine)
    assert answer["imported"] == 1
    assert b"secret" not in seen(store)
    told = {Path(each["where"]).name: each["why"] for each in answer["skipped"]}
    assert told["3.M3.host"] == "it is no file"
    assert {".Folder", "cur", "2.M2.host", "dovecot-uidlist"} <= {*told}
    assert ".dovecot.sieve" not in told
    assert not answer["ok"]


@pytest.mark.parametrize("place", ["cur", "new"])
def test_a_maildir_whose_own_folder_is_a_link_is_none(
    store: StoreCommand, tmp_path: Path, place: str
) -> None:
    other = maildir(tmp_path / "other", SECRET)
    mine = maildir(tmp_path / "mine", b"Subject: mine\n\nx\n")
    os.rename(mine / place, tmp_path / "away")
    os.symlink(other / "cur", mine / place)
    store("import", ALICE, mine)
    assert b"secret" not in seen(store)


def test_no_link_of_a_tree_of_mboxes_is_followed(store: StoreCommand, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "box").write_bytes(LETTER.replace(b"mine", b"secret"))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "box").write_bytes(LETTER)
    os.symlink(other / "box", mine / "link")
    os.symlink(other, mine / "folder")
    os.mkfifo(mine / "pipe")
    answer = store.json("import", ALICE, mine, "--into", "Old")
    assert (answer["imported"], answer["ok"]) == (1, False)
    assert b"secret" not in seen(store)
    assert {Path(each["where"]).name for each in answer["skipped"]} == {"link", "folder", "pipe"}


def test_files_of_another_user_are_skipped_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = maildir(tmp_path / "mine", b"Subject: mine\n\nx\n")
    there = SourceFiles(os.fsencode(mine))
    monkeypatch.setattr(there, "_owner", os.geteuid() + 1)
    with pytest.raises(BadItem, match="another user"):
        there.open(b"cur/1.M1.host:2,S")
    there.close()


def test_a_source_that_is_a_link_needs_a_maker_who_may_choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maildir(tmp_path / "other", SECRET)
    os.symlink("other", tmp_path / "link")
    there = SourceFiles(os.fsencode(tmp_path / "link"))
    assert there.names(b"cur") == [b"1.M1.host:2,S"]
    there.close()

    class Elsewhere:
        """The system as it is where another user made the link."""

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

        def stat(self, *args: Any, **kind: Any) -> Any:
            found = os.stat(*args, **kind)
            if args[0] != b"link":
                return found
            return os.stat_result((*found[:4], 4711, *found[5:10]))

    monkeypatch.setattr(source_files, "os", Elsewhere())
    with pytest.raises(CommandError, match="made by another user"):
        SourceFiles(os.fsencode(tmp_path / "link"))


def test_links_that_lead_nowhere_or_in_a_circle_are_named(
    store: StoreCommand, tmp_path: Path
) -> None:
    os.symlink("b", tmp_path / "a")
    os.symlink("a", tmp_path / "b")
    os.symlink("nowhere", tmp_path / "c")
    assert store("import", BOB, tmp_path / "a") == 1
    assert "too many links" in store.err
    assert store("import", BOB, tmp_path / "c") == 1
    assert "No such file" in store.err


def test_a_file_that_is_altered_meanwhile_is_skipped_and_the_others_come(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("first", "second", "third"):
        (mine / name).write_bytes(LETTER * 2)
    count = MboxSource.count

    def counted(self: MboxSource, mailbox: str) -> int:
        found = count(self, mailbox)
        if mailbox == "second":
            (mine / mailbox).write_bytes(LETTER)
        if mailbox == "third":
            (mine / mailbox).unlink()
        return found

    monkeypatch.setattr(MboxSource, "count", counted)
    answer = store.json("import", ALICE, mine)
    assert (answer["imported"], answer["ok"]) == (2, False)
    told = {each["where"]: each["why"] for each in answer["skipped"]}
    assert "altered meanwhile" in told["second"]
    assert "No such file" in told["third"]
