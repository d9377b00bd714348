import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, BOB, StoreCommand, facts, wanted
from tests.corpus import mails
from twisted_mail.control.store import mbox
from twisted_mail.control.store.importing import batch, importer
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.repair.import_stage import ImportStaging
from twisted_mail.store.work import mailbox_operations


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    return StoreCommand(tmp_path / "server", capsys, monkeypatch)


def maildir(path: Path, number: int = 20) -> Path:
    """A Maildir as Dovecot keeps it, with LF line ends."""
    for store in ("new", "cur", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (path / store).mkdir(parents=True)
    lines = ["3 V1234567 N900 G3085f01b7f11094c501100008c4a11c1"]
    for uid, each in enumerate(mails(number), 100):
        base = f"{int(each.date.timestamp())}.M{uid}P1.host"
        letters = "".join(
            letter
            for letter, flag in (
                ("D", "\\Draft"),
                ("F", "\\Flagged"),
                ("R", "\\Answered"),
                ("S", "\\Seen"),
                ("a", "$Forwarded"),
                ("b", "work"),
                ("c", "NonJunk"),
            )
            if flag in each.flags
        )
        file = path / "cur" / f"{base}:2,{letters}"
        file.write_bytes(each.data.replace(b"\r\n", b"\n"))
        os.utime(file, (each.date.timestamp(),) * 2)
        lines.append(f"{uid * 2} :{base}")
    (path / "dovecot-uidlist").write_text("\n".join(lines) + "\n")
    (path / "dovecot-keywords").write_text("0 $Forwarded\n1 work\n2 NonJunk\n")
    (path / "subscriptions").write_text("V\t2\n\nINBOX\nSent\n")
    (path / ".Sent" / "new" / "1.M1.host").write_bytes(b"Subject: sent\n\nIt was.\n")
    return path


def mbox_file(path: Path, number: int = 20) -> Path:
    path.write_bytes(
        b"".join(
            mbox.write(each.data, each.flags, int(each.date.timestamp())) for each in mails(number)
        )
    )
    return path


def test_a_maildir_comes_with_uids_flags_keywords_dates_and_subscriptions(
    store: StoreCommand, tmp_path: Path
) -> None:
    assert store("import", ALICE, maildir(tmp_path / "old")) == 0
    seen = store.look()
    assert facts(seen) == wanted(mails(20))
    assert [each.uid for each in seen] == list(range(200, 240, 2))
    assert store.uidvalidity() == 1234567
    assert "Sent" in store.subscribed()
    [sent] = store.look(mailbox="Sent")
    assert sent.data == b"Subject: sent\r\n\r\nIt was.\r\n"
    assert store("check", ALICE) == 0, store.out


def test_folders_in_folders_are_mailboxes(store: StoreCommand, tmp_path: Path) -> None:
    source = maildir(tmp_path / "old", 1)
    for folder in ("Work/cur", "Work/2024/new", "Caf&AOk-/cur", "sieve/tmp"):
        (source / folder).mkdir(parents=True)
        (source / folder / "5.M5.host").write_bytes(b"Subject: x\n\ny\n")
    answer = store.json("import", ALICE, source)
    took = {each["mailbox"]: each["imported"] for each in answer["mailboxes"]}
    assert took == {"INBOX": 1, "Sent": 1, "Work": 1, "Work/2024": 1, "Café": 1}


def test_folders_that_lie_too_deep_are_named(store: StoreCommand, tmp_path: Path) -> None:
    source = maildir(tmp_path / "old", 1)
    (source / "/".join(["a"] * 22) / "cur").mkdir(parents=True)
    answer = store.json("import", ALICE, source)
    assert (answer["ok"], answer["imported"]) == (False, 2)
    assert [each["why"] for each in answer["skipped"]] == ["folders below it lie too deep"]


def test_two_messages_with_one_base_name_both_come(store: StoreCommand, tmp_path: Path) -> None:
    source = maildir(tmp_path / "old", 1)
    for name, text in (("5.M5.host:2,", b"a"), ("5.M5.host:2,S", b"b"), ("5.M5.host:2,F", b"a")):
        (source / "cur" / name).write_bytes(b"Subject: " + text + b"\n\ny\n")
    assert store.json("import", ALICE, source)["imported"] == 4
    assert store.json("import", ALICE, source)["imported"] == 0
    texts = [each.data[:10] for each in store.look()]
    assert texts.count(b"Subject: a") == texts.count(b"Subject: b") == 1


def test_messages_with_one_base_name_whose_flags_change_come_once(
    store: StoreCommand, tmp_path: Path
) -> None:
    source = maildir(tmp_path / "old", 1)
    one, other = source / "cur" / "5.M5.host:2,", source / "cur" / "5.M5.host:2,S"
    one.write_bytes(b"Subject: a\n\ny\n")
    other.write_bytes(b"Subject: b\n\ny\n")
    assert store.json("import", ALICE, source)["imported"] == 4
    one.rename(source / "cur" / "5.M5.host:2,T")
    other.rename(one)
    assert store.json("import", ALICE, source)["imported"] == 0


@pytest.mark.parametrize("sign", "!;")
def test_flags_of_a_maildir_of_windows_come_and_may_change_between_two_runs(
    store: StoreCommand, tmp_path: Path, sign: str
) -> None:
    source = maildir(tmp_path / "old", 0)
    file = source / "cur" / f"5.M5.host{sign}2,FS"
    file.write_bytes(b"Subject: a\n\ny\n")
    assert store.json("import", ALICE, source)["imported"] == 2
    file.rename(file.with_name(f"5.M5.host{sign}2,S"))
    assert store.json("import", ALICE, source)["imported"] == 0
    [imported] = (store.maildir() / "cur").iterdir()
    assert imported.name.endswith(":2,FS")


def test_a_message_that_gets_the_base_name_of_another_is_not_taken_for_it(
    store: StoreCommand, tmp_path: Path
) -> None:
    source = maildir(tmp_path / "old", 1)
    (source / "cur" / "5.M5.host:2,S").write_bytes(b"Subject: a\n\ny\n")
    store("import", ALICE, source)
    (source / "cur" / "5.M5.host:2,").write_bytes(b"Subject: b\n\ny\n")
    store("import", ALICE, source)
    assert b"Subject: b" in {each.data[:10] for each in store.look()}


@pytest.mark.parametrize("is_of_the_store", [True, False])
def test_an_import_that_a_full_disk_ends_tells_what_is_here_and_what_is_missing(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_of_the_store: bool
) -> None:
    source = mbox_file(tmp_path / "old.mbox")
    monkeypatch.setattr(batch, "MAX_MESSAGES", 8)
    append = importer.Import._append
    turns = iter(range(100))

    def filling(*args: Any) -> None:
        if next(turns) == 1:
            if is_of_the_store:
                raise Unavailable("There is no space left")
            raise OSError(errno.ENOSPC, "No space left on device")
        append(*args)

    monkeypatch.setattr(importer.Import, "_append", filling)
    assert store("import", ALICE, source) == 1
    assert "INBOX: 8 messages imported" in store.err
    assert "not finished: INBOX, 8 of 20 messages are here" in store.err
    assert "space left" in store.err
    assert "goes on where it ended" in store.err
    assert store("import", ALICE, source) == 0
    assert "not finished" not in store.out


def test_a_second_run_imports_nothing_twice_and_what_is_new(
    store: StoreCommand, tmp_path: Path
) -> None:
    source = maildir(tmp_path / "old")
    store("import", ALICE, source)
    (source / "new" / "9.M9.host").write_bytes(b"Subject: late\n\nHello\n")
    assert store.json("import", ALICE, source)["imported"] == 1
    assert len(store.look()) == 21
    assert store.json("import", ALICE, source)["imported"] == 0


def test_what_users_removed_does_not_come_back(store: StoreCommand, tmp_path: Path) -> None:
    source = mbox_file(tmp_path / "old.mbox")
    store("import", ALICE, source)
    for file in (store.maildir() / "cur").iterdir():
        file.unlink()
    assert store.json("import", ALICE, source)["imported"] == 0


def test_uids_are_not_forced_into_a_mailbox_with_mail(store: StoreCommand, tmp_path: Path) -> None:
    store.put(mails(3, seed=2))
    before = store.look()
    assert store("import", ALICE, maildir(tmp_path / "old")) == 0
    assert store.look()[:3] == before
    assert facts(store.look()[3:]) == wanted(mails(20))


def test_mboxes_come_with_flags_and_dates(store: StoreCommand, tmp_path: Path) -> None:
    assert store("import", ALICE, mbox_file(tmp_path / "old"), "--into", "Old") == 0
    assert facts(store.look(mailbox="Old")) == wanted(mails(20))


def test_a_tree_of_mboxes_becomes_mailboxes(store: StoreCommand, tmp_path: Path) -> None:
    tree = tmp_path / "Mail"
    (tree / "Lists.sbd").mkdir(parents=True)
    mbox_file(tree / "inbox", 3)
    mbox_file(tree / "Lists", 2)
    mbox_file(tree / "Lists.sbd" / "Ketchup.mbox", 4)
    (tree / "notes.txt").write_text("no mail")
    assert store("import", ALICE, tree) == 1
    assert "notes.txt: it is no mbox" in store.out
    assert len(store.look()) == 3
    assert len(store.look(mailbox="Lists/Ketchup")) == 4


def test_equal_messages_of_an_mbox_all_come_once(store: StoreCommand, tmp_path: Path) -> None:
    source = mbox_file(tmp_path / "old", 2)
    source.write_bytes(source.read_bytes() * 3)
    assert store.json("import", ALICE, source)["imported"] == 6
    assert store.json("import", ALICE, source)["imported"] == 0


def test_a_dry_run_counts_and_changes_nothing(store: StoreCommand, tmp_path: Path) -> None:
    source = maildir(tmp_path / "old")
    answer = store.json("import", ALICE, source, "--dry-run")
    assert (answer["imported"], answer["dry_run"]) == (21, True)
    assert not (store.maildir() / "cur").exists() or store.look() == []


def test_bad_items_are_listed_and_do_not_stop(store: StoreCommand, tmp_path: Path) -> None:
    source = maildir(tmp_path / "old")
    (source / "cur" / "1.empty.host:2,").write_bytes(b"")
    (source / "cur" / "2.folder.host:2,").mkdir()
    os.symlink("nowhere", source / "cur" / "3.link.host:2,")
    assert store("import", ALICE, source) == 1
    assert "3 items skipped" in store.out
    assert "it is empty" in store.out
    assert len(store.look()) == 20


@pytest.mark.parametrize("how", [[], ["--dry-run"]])
def test_a_mailbox_whose_name_is_too_long_here_stops_no_other(
    store: StoreCommand, tmp_path: Path, how: list[str]
) -> None:
    source = maildir(tmp_path / "old", 1)
    for place in ("cur", "new"):
        (source / f".{'L' * 250}" / place).mkdir(parents=True)
    assert store("import", ALICE, source, "--into", "Older", *how) == 1
    assert f"{'L' * 250}: The mailbox name is empty or too long." in store.out
    assert "Older/Sent: 1 message" in store.out


def test_mailboxes_beyond_the_most_of_an_account_are_named(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = maildir(tmp_path / "old", 1)
    for place in ("cur", "new"):
        (source / ".Another" / place).mkdir(parents=True)
    monkeypatch.setattr(mailbox_operations, "MAX_MAILBOXES", 6)
    assert store("import", ALICE, source) == 1
    assert "Another: There are too many mailboxes." in store.out
    assert "Sent: 1 message imported" in store.out


@pytest.mark.parametrize("stopped", ["before", "after"])
@pytest.mark.parametrize("kind", ["mbox", "maildir"])
def test_stopped_anywhere_it_goes_on(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: str, kind: str
) -> None:
    source = mbox_file(tmp_path / "m") if kind == "mbox" else maildir(tmp_path / "m")
    monkeypatch.setattr(batch, "MAX_MESSAGES", 3)
    append, put = importer.Import._append, ImportStaging.put
    turns = iter(range(100))

    def stopping(act: Any) -> Any:
        def run(*args: Any) -> None:
            if stopped == "after":
                act(*args)
            if next(turns) % 2 == 1:
                raise KeyboardInterrupt
            if stopped == "before":
                act(*args)

        return run

    monkeypatch.setattr(importer.Import, "_append", stopping(append))
    monkeypatch.setattr(ImportStaging, "put", stopping(put))
    for _ in range(30):
        code = store("import", ALICE, source)
        if code == 0:
            break
        assert "goes on where it ended" in store.err
    assert code == 0
    assert facts(store.look()) == wanted(mails(20))
    assert store("check") == 0, store.out


def test_unknown_accounts_and_sources_are_refused(store: StoreCommand, tmp_path: Path) -> None:
    assert store("import", "nobody", tmp_path) == 1
    assert store("import", ALICE, tmp_path / "nothing") == 1
    (tmp_path / "file").write_text("no mbox")
    assert store("import", ALICE, tmp_path / "file") == 1
    store.type("secret\n")
    assert store("import", ALICE, "imap://alice@example.org/", "--password-stdin") == 2
    assert store("import", ALICE, "imaps://alice:secret@example.org/") == 2
    assert store("import", BOB, "ftp://x/") == 2


def test_messages_without_a_date_of_the_source_have_their_own(
    store: StoreCommand, tmp_path: Path
) -> None:
    """Its Date field, else its first Received field; only then the time of the import."""
    received = b"Received: from a (b; c)\n by d; Thu, 22 Aug 2019 15:20:08 +0000\n"
    mails = [
        b"From \nSubject: one\nDate: Thu, 22 Aug 2019 17:20:08 +0200\n\nx\n\n",
        b"From \n" + received + b"Subject: two\n\nx\n\n",
        b"From \n" + received + b"Date: soon\nSubject: three\n\nx\n\n",
        b"From 1@xxx Thu Apr 16 09:53:04 +0000 2015\nDate: Thu, 22 Aug 2019 17:20:08 +0200\n\nx\n\n",
    ]
    (tmp_path / "old").write_bytes(b"".join(mails).replace(b"\n", b"\r\n"))
    assert store("import", ALICE, tmp_path / "old", "--into", "Old") == 0
    assert [each.date for each in store.look(mailbox="Old")] == [1566487208] * 3 + [1429177984]


def test_a_line_that_may_hide_a_message_makes_the_command_fail(
    store: StoreCommand, tmp_path: Path
) -> None:
    data = (
        b"From a Mon Nov 23 10:00:00 2026\nSubject: x\n\ny\n\nFrom me to you:\nFrom: a\nTo: b\n\n"
    )
    (tmp_path / "old").write_bytes(data)
    assert store("import", ALICE, tmp_path / "old") == 1
    assert "old, line 6: was taken as text" in store.out


def test_the_progress_is_shown_on_standard_error_only(store: StoreCommand, tmp_path: Path) -> None:
    store("import", ALICE, mbox_file(tmp_path / "old"), "--json")
    assert store.err == ""
    shutil.rmtree(store.maildir())
