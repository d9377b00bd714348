import errno
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.control.store.commands import ALICE, BOB, StoreCommand, facts, wanted
from tests.corpus import mails
from tests.faults import BadFilesDisk
from twisted_mail.control.store import accounts, checking
from twisted_mail.store.index import blocks
from twisted_mail.store.repair import check as looking
from twisted_mail.store.repair.sizes import _SIZES


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    made = StoreCommand(tmp_path / "server", capsys, monkeypatch)
    made.put(mails(12))
    return made


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("index.sqlite3-")
    }


def files(store: StoreCommand) -> list[Path]:
    return sorted((store.maildir() / "cur").iterdir())


def kinds(store: StoreCommand) -> set[str]:
    [account] = store.json("check", ALICE)["accounts"]
    return {finding["kind"] for finding in account["findings"]}


def damage_by_size(store: StoreCommand) -> None:
    file = files(store)[0]
    file.rename(file.with_name(re.sub(r",S=\d+", ",S=99999", file.name)))


def damage_by_wire(store: StoreCommand) -> None:
    file = files(store)[0]
    file.rename(file.with_name(re.sub(r",W=\d+", ",W=3", file.name)))


def damage_by_cut(store: StoreCommand) -> None:
    with files(store)[3].open("r+b") as file:
        file.truncate(10)


def damage_by_twice(store: StoreCommand) -> None:
    path = store.maildir() / "dovecot-uidlist"
    path.write_bytes(path.read_bytes() + b"5 :1.M1.other\n")


def damage_by_falling(store: StoreCommand) -> None:
    path = store.maildir() / "dovecot-uidlist"
    header, *lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + b"".join(reversed(lines)))


def damage_by_torn(store: StoreCommand) -> None:
    path = store.maildir() / "dovecot-uidlist"
    path.write_bytes(path.read_bytes() + b"nonsense\n77 :1.M")


def damage_by_no_list(store: StoreCommand) -> None:
    (store.maildir() / "dovecot-uidlist").unlink()


def damage_by_no_header(store: StoreCommand) -> None:
    path = store.maildir() / "dovecot-uidlist"
    path.write_bytes(b"\0\0\0\n" + path.read_bytes())


def damage_by_other_uids(store: StoreCommand) -> None:
    path = store.maildir() / "dovecot-uidlist"
    path.write_bytes(re.sub(rb"(?m)^7 ", b"70 ", path.read_bytes()))


def damage_by_folder(store: StoreCommand) -> None:
    shutil.rmtree(store.maildir() / ".Sent" / "new")


def damage_by_tmp(store: StoreCommand) -> None:
    path = store.maildir() / "tmp" / "1.M1.host"
    path.write_bytes(b"half")
    os.utime(path, (1, 1))


def damage_by_index(store: StoreCommand) -> None:
    path = store.account() / "index.sqlite3"
    data = bytearray(path.read_bytes())
    data[4096 : 3 * 4096] = b"\xaa" * 8192
    path.write_bytes(data)


def damage_by_missing(store: StoreCommand) -> None:
    files(store)[2].unlink()


def damage_by_flags(store: StoreCommand) -> None:
    with apsw.Connection(str(store.account() / "index.sqlite3")) as connection:
        connection.execute("UPDATE entries SET flags = '\\Draft' WHERE uid = 2")


def damage_by_name(store: StoreCommand) -> None:
    for each in ("new", "cur", "tmp"):
        (store.maildir() / ".M&ll" / each).mkdir(parents=True)


def damage_by_line_end(store: StoreCommand) -> None:
    (store.maildir() / "cur" / "a\nb:2,").write_bytes(b"Subject: odd\r\n\r\nname\r\n")


DAMAGES = {
    "size": damage_by_size,
    "wire": damage_by_wire,
    "cut": damage_by_cut,
    "twice": damage_by_twice,
    "falling": damage_by_falling,
    "torn": damage_by_torn,
    "no-list": damage_by_no_list,
    "no-header": damage_by_no_header,
    "other-uids": damage_by_other_uids,
    "folder": damage_by_folder,
    "tmp": damage_by_tmp,
    "index": damage_by_index,
    "missing": damage_by_missing,
    "flags": damage_by_flags,
    "name": damage_by_name,
    "line-end": damage_by_line_end,
}


# A message whose file has another base name is another message.
NEW_UIDS = (
    damage_by_missing,
    damage_by_cut,
    damage_by_other_uids,
    damage_by_size,
    damage_by_wire,
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def test_a_sound_account_has_no_findings(store: StoreCommand) -> None:
    assert store("check") == 0, store.out
    assert "12 messages, fine" in store.out
    assert "nothing was found" in store.out


def test_the_file_of_a_lock_in_use_is_no_finding(store: StoreCommand) -> None:
    path = store.maildir() / "tmp" / "lock.1.0123456789abcdef"
    path.write_bytes(b"1:host")
    os.utime(path, (1, 1))
    assert store("check", ALICE) == 0, store.out


def test_new_mail_and_mail_of_other_programs_are_no_findings(store: StoreCommand) -> None:
    (store.maildir() / "new" / "1.M1P1.host").write_bytes(b"Subject: x\n\ny\n")
    (store.maildir() / "cur" / "1.M2P1.host:2,S").write_bytes(b"Subject: x\n\ny\n")
    assert store("check", ALICE) == 0, store.out


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damage_is_found_mended_and_costs_no_mail(store: StoreCommand, damage: Any) -> None:
    before = store.look()
    damage(store)
    state = snapshot(store.account())
    assert store("check", ALICE) == 1
    assert store.out
    assert snapshot(store.account()) == state  # check changes nothing
    store("repair", ALICE)
    assert store("check", ALICE) == 0, store.out
    after = store.look()
    lost = {each.data for each in before} - {each.data for each in after}
    assert len(lost) == (damage in (damage_by_missing, damage_by_cut))
    if damage not in NEW_UIDS:
        kept = {(each.uid, each.data, each.flags) for each in after}
        assert {(each.uid, each.data, each.flags) for each in before} <= kept, store.out


@pytest.mark.parametrize("sizes", [",S=5,W=6", ",S=5", ",W=9"])
def test_a_file_that_came_with_wrong_sizes_keeps_its_uid(store: StoreCommand, sizes: str) -> None:
    (store.maildir() / "cur" / f"1.M1P1.host{sizes}:2,F").write_bytes(b"Subject: x\n\ny\n")
    before = store.look()
    assert kinds(store) == {"size"}
    assert store("repair", ALICE) == 0, store.out
    assert "true sizes" in store.out
    after = store.look()
    assert after[-1].data == b"Subject: x\r\n\r\ny\r\n"  # W= says what the wire needs
    assert [each.uid for each in after] == [each.uid for each in before]
    assert (store.maildir() / "cur" / "1.M1P1.host,S=14,W=17:2,F").exists()


def test_no_uid_means_two_messages_after_a_repair(store: StoreCommand) -> None:
    before = {each.uid: each.data for each in store.look()}
    damage_by_other_uids(store)
    store("repair", ALICE)
    for each in store.look():
        assert before.get(each.uid, each.data) == each.data


def test_a_message_with_a_new_uid_keeps_keywords_that_have_no_letter(store: StoreCommand) -> None:
    many = frozenset(f"word{number}" for number in range(40))
    store.put([sample._replace(flags=many) for sample in mails(7, seed=9)])
    before = store.look()
    path = store.maildir() / "dovecot-uidlist"
    path.write_bytes(re.sub(rb"(?m)^15 ", b"70 ", path.read_bytes()))
    store("repair", ALICE)
    assert facts(store.look()) == facts(before)
    assert store.look()[-1].uid == 70, "the list is followed, as after Dovecot"


def test_a_repair_where_nothing_is_wrong_does_nothing(store: StoreCommand) -> None:
    assert store("repair", ALICE) == 0
    assert "nothing was to be done" in store.out


def test_a_new_uidvalidity_is_given_when_asked_for(store: StoreCommand) -> None:
    before, seen = store.uidvalidity(), store.look()
    assert store("repair", ALICE, "--new-uidvalidity", "--mailbox", "INBOX") == 0
    assert store.uidvalidity() > before
    assert "new UIDVALIDITY" in store.out
    assert facts(store.look()) == facts(seen)
    assert store("check", ALICE) == 0, store.out


def test_reindex_keeps_uids_flags_and_uidvalidity(store: StoreCommand) -> None:
    before, seen = store.uidvalidity(), store.look()
    assert store("reindex", ALICE) == 0
    assert "12 messages" in store.out
    assert (store.uidvalidity(), store.look()) == (before, seen)


def test_reindex_forgets_the_parcels_of_a_mailbox(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LEAST", 4)
    before, seen = store.uidvalidity(), store.look()  # which makes a parcel
    assert store("reindex", ALICE) == 0
    assert (store.uidvalidity(), store.look()) == (before, seen)


def test_reindex_keeps_keywords_that_have_no_letter(store: StoreCommand) -> None:
    many = frozenset(f"word{number}" for number in range(40))
    [sample] = mails(1, seed=9)
    store.put([sample._replace(flags=many)])
    store("reindex", ALICE)
    assert store.look()[-1].flags == many


def test_reindex_replaces_a_damaged_index(store: StoreCommand) -> None:
    seen = store.look()
    damage_by_index(store)
    assert store("reindex", ALICE) == 0
    assert store.look() == seen


def test_strange_and_unreadable_files_are_reported_and_left(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store.maildir() / "cur" / "1.dir:2,").mkdir()
    (store.maildir() / "cur" / "1.empty:2,").write_bytes(b"")
    assert store("repair", ALICE) == 1
    assert "left as it is, 2 findings" in store.out
    assert (store.maildir() / "cur" / "1.dir:2,").exists()


def test_an_unreadable_file_is_a_finding(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(disk: Any, fd: int) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(looking, "count_lone", failing)
    assert kinds(store) == {"unreadable"}
    assert store("check", ALICE, "--quick") == 0


@pytest.mark.parametrize(
    ("call", "word"),
    [
        ("names", b"/.Sent/cur"),
        ("names", b"/.Sent/tmp"),
        ("stat", b"/.Sent"),
        ("open", b"/Maildir/subscriptions"),
        ("open", b"/Maildir/dovecot-uidlist"),
        ("open", b"/.Sent/dovecot-keywords"),
    ],
)
def test_what_cannot_be_read_is_named_and_the_rest_is_checked(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch, call: str, word: bytes
) -> None:
    store.put(mails(2), mailbox="Sent")
    store.put(mails(2), BOB)
    damage_by_size(store)
    disk = BadFilesDisk()
    disk.bad = {(call, word): errno.EIO}
    monkeypatch.setattr(checking, "Disk", lambda: disk)
    found = store.json("check")
    kinds = {
        (finding["mailbox"], finding["kind"])
        for each in found["accounts"]
        for finding in each["findings"]
    }
    assert "unreadable" in {kind for _, kind in kinds}
    assert ("INBOX", "size") in kinds
    assert ("Sent", "missing") not in kinds
    assert [each["account"] for each in found["accounts"]] == [ALICE, BOB]


def test_a_domain_that_cannot_be_read_is_named_and_the_others_are_checked(
    store: StoreCommand,
) -> None:
    store.put(mails(2))
    secret = store.folder / "state" / "mail" / "secret.example"
    secret.mkdir()
    store.deny(secret)
    assert store("check") == 1
    assert f"{secret}: Permission denied" in store.out
    assert f"{ALICE}: " in store.out
    assert store("check", ALICE) == 0
    assert store("repair", ALICE) == 0


def test_a_repair_mends_the_other_mailboxes(
    store: StoreCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(mails(2), mailbox="Sent")
    damage_by_size(store)
    disk = BadFilesDisk()
    disk.bad = {(call, b"/.Sent/cur"): errno.EACCES for call in ("names", "files")}
    monkeypatch.setattr(checking, "Disk", lambda: disk)
    monkeypatch.setattr(accounts, "Disk", lambda: disk)
    assert store("repair", ALICE) == 1
    assert "left as it is, 1 finding" in store.out
    assert "/.Sent/cur: as told" in store.out
    disk.bad.clear()
    assert store("check", ALICE) == 0
    assert len(store.look(mailbox="Sent")) == 2


def test_other_accounts_are_left_alone(store: StoreCommand) -> None:
    store.put(mails(2), BOB)
    damage_by_size(store)
    assert store("check", BOB) == 0
    assert store("check") == 1
    assert store.json("check")["findings"] == 1 + ("missing" in store.out)


def test_accounts_may_be_named_without_their_domain(store: StoreCommand) -> None:
    assert store("check", "alice") == 0
    assert store("check", "carol") == 1
    assert "there is no account carol@example.org" in store.err
    assert store("check", BOB) == 1
    assert "has no mail yet" in store.err


def test_sizes_are_cut_out_of_names() -> None:
    assert _SIZES.sub(b"", b"1.M2.host,S=12,W=13") == b"1.M2.host"
    assert wanted([]) == []
