import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.control.store.commands import ALICE, BOB, Place, facts, wanted
from tests.corpus import mails
from twisted_mail.store.index import blocks
from twisted_mail.store.repair import check as looking
from twisted_mail.store.repair.repair import _SIZES


@pytest.fixture
def place(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path / "server", capsys, monkeypatch)
    made.put(mails(12))
    return made


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("index.sqlite3-")
    }


def files(place: Place) -> list[Path]:
    return sorted((place.maildir() / "cur").iterdir())


def kinds(place: Place) -> set[str]:
    [account] = place.json("check", ALICE)["accounts"]
    return {finding["kind"] for finding in account["findings"]}


def damage_by_size(place: Place) -> None:
    file = files(place)[0]
    file.rename(file.with_name(re.sub(r",S=\d+", ",S=99999", file.name)))


def damage_by_wire(place: Place) -> None:
    file = files(place)[0]
    file.rename(file.with_name(re.sub(r",W=\d+", ",W=3", file.name)))


def damage_by_cut(place: Place) -> None:
    with files(place)[3].open("r+b") as file:
        file.truncate(10)


def damage_by_twice(place: Place) -> None:
    path = place.maildir() / "dovecot-uidlist"
    path.write_bytes(path.read_bytes() + b"5 :1.M1.other\n")


def damage_by_falling(place: Place) -> None:
    path = place.maildir() / "dovecot-uidlist"
    header, *lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + b"".join(reversed(lines)))


def damage_by_torn(place: Place) -> None:
    path = place.maildir() / "dovecot-uidlist"
    path.write_bytes(path.read_bytes() + b"nonsense\n77 :1.M")


def damage_by_no_list(place: Place) -> None:
    (place.maildir() / "dovecot-uidlist").unlink()


def damage_by_no_header(place: Place) -> None:
    path = place.maildir() / "dovecot-uidlist"
    path.write_bytes(b"\0\0\0\n" + path.read_bytes())


def damage_by_other_uids(place: Place) -> None:
    path = place.maildir() / "dovecot-uidlist"
    path.write_bytes(re.sub(rb"(?m)^7 ", b"70 ", path.read_bytes()))


def damage_by_folder(place: Place) -> None:
    shutil.rmtree(place.maildir() / ".Sent" / "new")


def damage_by_tmp(place: Place) -> None:
    path = place.maildir() / "tmp" / "1.M1.host"
    path.write_bytes(b"half")
    os.utime(path, (1, 1))


def damage_by_index(place: Place) -> None:
    path = place.account() / "index.sqlite3"
    data = bytearray(path.read_bytes())
    data[4096 : 3 * 4096] = b"\xaa" * 8192
    path.write_bytes(data)


def damage_by_missing(place: Place) -> None:
    files(place)[2].unlink()


def damage_by_flags(place: Place) -> None:
    with apsw.Connection(str(place.account() / "index.sqlite3")) as connection:
        connection.execute("UPDATE entries SET flags = '\\Draft' WHERE uid = 2")


def damage_by_name(place: Place) -> None:
    for each in ("new", "cur", "tmp"):
        (place.maildir() / ".M&ll" / each).mkdir(parents=True)


def damage_by_line_end(place: Place) -> None:
    (place.maildir() / "cur" / "a\nb:2,").write_bytes(b"Subject: odd\r\n\r\nname\r\n")


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


def test_a_sound_account_has_no_findings(place: Place) -> None:
    assert place("check") == 0, place.out
    assert "12 messages, fine" in place.out
    assert "nothing was found" in place.out


def test_new_mail_and_mail_of_other_programs_are_no_findings(place: Place) -> None:
    (place.maildir() / "new" / "1.M1P1.host").write_bytes(b"Subject: x\n\ny\n")
    (place.maildir() / "cur" / "1.M2P1.host:2,S").write_bytes(b"Subject: x\n\ny\n")
    assert place("check", ALICE) == 0, place.out


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damage_is_found_mended_and_costs_no_mail(place: Place, damage: Any) -> None:
    before = place.look()
    damage(place)
    state = snapshot(place.account())
    assert place("check", ALICE) == 1
    assert place.out
    assert snapshot(place.account()) == state  # check changes nothing
    place("repair", ALICE)
    assert place("check", ALICE) == 0, place.out
    after = place.look()
    lost = {each.data for each in before} - {each.data for each in after}
    assert len(lost) == (damage in (damage_by_missing, damage_by_cut))
    if damage not in NEW_UIDS:
        kept = {(each.uid, each.data, each.flags) for each in after}
        assert {(each.uid, each.data, each.flags) for each in before} <= kept, place.out


@pytest.mark.parametrize("sizes", [",S=5,W=6", ",S=5", ",W=9", ",S=14,W=14"])
def test_a_file_that_came_with_wrong_sizes_keeps_its_uid(place: Place, sizes: str) -> None:
    (place.maildir() / "cur" / f"1.M1P1.host{sizes}:2,F").write_bytes(b"Subject: x\n\ny\n")
    before = place.look()
    assert kinds(place) == {"size"}
    assert place("repair", ALICE) == 0, place.out
    assert "true sizes" in place.out
    after = place.look()
    assert after[-1].data == b"Subject: x\r\n\r\ny\r\n"  # W= says what the wire needs
    assert [each.uid for each in after] == [each.uid for each in before]
    assert (place.maildir() / "cur" / "1.M1P1.host,S=14,W=17:2,F").exists()


def test_no_uid_means_two_messages_after_a_repair(place: Place) -> None:
    before = {each.uid: each.data for each in place.look()}
    damage_by_other_uids(place)
    place("repair", ALICE)
    for each in place.look():
        assert before.get(each.uid, each.data) == each.data


def test_a_repair_where_nothing_is_wrong_does_nothing(place: Place) -> None:
    assert place("repair", ALICE) == 0
    assert "nothing was to be done" in place.out


def test_a_new_uidvalidity_is_given_when_asked_for(place: Place) -> None:
    before, seen = place.uidvalidity(), place.look()
    assert place("repair", ALICE, "--new-uidvalidity", "--mailbox", "INBOX") == 0
    assert place.uidvalidity() > before
    assert "new UIDVALIDITY" in place.out
    assert facts(place.look()) == facts(seen)
    assert place("check", ALICE) == 0, place.out


def test_reindex_keeps_uids_flags_and_uidvalidity(place: Place) -> None:
    before, seen = place.uidvalidity(), place.look()
    assert place("reindex", ALICE) == 0
    assert "12 messages" in place.out
    assert (place.uidvalidity(), place.look()) == (before, seen)


def test_reindex_forgets_the_parcels_of_a_mailbox(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "LEAST", 4)
    before, seen = place.uidvalidity(), place.look()  # which makes a parcel
    assert place("reindex", ALICE) == 0
    assert (place.uidvalidity(), place.look()) == (before, seen)


def test_reindex_keeps_keywords_that_have_no_letter(place: Place) -> None:
    many = frozenset(f"word{number}" for number in range(40))
    [sample] = mails(1, seed=9)
    place.put([sample._replace(flags=many)])
    place("reindex", ALICE)
    assert place.look()[-1].flags == many


def test_reindex_replaces_a_damaged_index(place: Place) -> None:
    seen = place.look()
    damage_by_index(place)
    assert place("reindex", ALICE) == 0
    assert place.look() == seen


def test_strange_and_unreadable_files_are_told_and_left(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.maildir() / "cur" / "1.dir:2,").mkdir()
    (place.maildir() / "cur" / "1.empty:2,").write_bytes(b"")
    assert place("repair", ALICE) == 1
    assert "left as it is, 2 findings" in place.out
    assert (place.maildir() / "cur" / "1.dir:2,").exists()


def test_an_unreadable_file_is_a_finding(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(disk: Any, fd: int) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(looking, "count_lone", failing)
    assert kinds(place) == {"unreadable"}
    assert place("check", ALICE, "--quick") == 0


def test_other_accounts_are_left_alone(place: Place) -> None:
    place.put(mails(2), BOB)
    damage_by_size(place)
    assert place("check", BOB) == 0
    assert place("check") == 1
    assert place.json("check")["findings"] == 1 + ("missing" in place.out)


def test_accounts_may_be_named_without_their_domain(place: Place) -> None:
    assert place("check", "alice") == 0
    assert place("check", "carol") == 1
    assert "there is no account carol@example.org" in place.err
    assert place("check", BOB) == 1
    assert "has no mail yet" in place.err


def test_sizes_are_cut_out_of_names() -> None:
    assert _SIZES.sub(b"", b"1.M2.host,S=12,W=13") == b"1.M2.host"
    assert wanted([]) == []
