import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.numbers import MAX_NUMBER
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import uidlist
from twisted_mail.store.format.uidlist import UidFile, UidList

DOVECOT = b"""3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,
25017 W2481 :1276533073.M242911P3632.kurkku:2,F
25020 S1 P=odd Gabc :with space
"""

BASE = st.binary(min_size=1, max_size=12).map(
    lambda raw: raw.translate(bytes.maketrans(b":\n", b"xx"))
)


@pytest.fixture(autouse=True)
def tmp(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()


def started(folder: Path, found: UidList) -> UidFile:
    file = UidFile(Disk(), os.fsencode(folder))
    file.start(found)
    return file


def test_a_list_of_dovecot_is_read() -> None:
    found = uidlist.parse(DOVECOT)
    assert found is not None
    assert (found.uidvalidity, found.uidnext) == (1275660208, 25022)
    assert found.guid == b"3085f01b7f11094c501100008c4a11c1"
    assert found.uid(b"1276528487.M364837P9451.kurkku,S=1355,W=1394") == 25006
    assert found.uid(b"1276533073.M242911P3632.kurkku") == 25017
    assert found.uid(b"with space") == 25020
    assert found.is_sound


def test_extensions_are_kept() -> None:
    found = uidlist.parse(DOVECOT)
    assert found is not None
    assert b"\n25020 S1 P=odd Gabc :with space\n" in uidlist.write(found)


def test_a_list_of_the_first_version_is_read() -> None:
    found = uidlist.parse(b"1 77 5\n3 one\n4 two,S=3:2,S\n")
    assert found is not None
    assert (found.uidvalidity, found.uidnext, found.uid(b"two,S=3")) == (77, 5, 4)
    assert not found.is_sound


@given(st.dictionaries(BASE, st.integers(1, MAX_NUMBER), max_size=8), st.integers(1, MAX_NUMBER))
def test_lists_round_trip(files: dict[bytes, int], uidvalidity: int) -> None:
    unique = {uid: base for base, uid in files.items()}
    records = {base: (uid, b"") for uid, base in unique.items()}
    found = UidList(uidvalidity, max([0, *unique]) + 1, b"abc", records)
    assert uidlist.parse(uidlist.write(found)) == found


@given(st.integers(60, len(DOVECOT) - 1))
def test_a_torn_line_is_left_out_and_the_rest_is_read(length: int) -> None:
    found = uidlist.parse(DOVECOT[:length])
    whole = uidlist.parse(DOVECOT)
    assert found is not None
    assert whole is not None
    assert found.records.items() <= whole.records.items()
    assert found.is_sound == (DOVECOT[length - 1 : length] == b"\n")


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reader(junk: bytes) -> None:
    found = uidlist.parse(b"3 V5 N3\n" + junk)
    assert found is not None
    assert found.uidnext >= 3
    assert uidlist.parse(junk) is None or junk[:1] in b"13"


@pytest.mark.parametrize(
    "data",
    [b"", b"3\n", b"3 V0 N1\n", b"3 Vx N1\n", b"4 V1 N1\n", b"3 V99999999999 N1\n", b"3 V1\n"],
)
def test_without_a_uidvalidity_there_is_no_list(data: bytes) -> None:
    assert uidlist.parse(data) is None


def test_a_number_is_believed_once() -> None:
    found = uidlist.parse(b"3 V5 N3\n1 :a\n1 :b\n")
    assert found is not None
    assert found.records == {b"a": (1, b"")}
    assert not found.is_sound


def test_numbers_go_on_where_the_last_line_ends(tmp_path: Path) -> None:
    started(tmp_path, UidList(9, 1)).append([b"a", b"b"])
    file = UidFile(Disk(), os.fsencode(tmp_path))
    assert file.load() is not None
    assert file.append([b"c"]) == [3]
    assert (tmp_path / "dovecot-uidlist").read_bytes() == b"3 V9 N1\n1 :a\n2 :b\n3 :c\n"


def test_a_torn_list_is_mended_before_the_next_line(tmp_path: Path) -> None:
    path = tmp_path / "dovecot-uidlist"
    path.write_bytes(b"3 V9 N1\n1 :a\n2 :b")
    file = UidFile(Disk(), os.fsencode(tmp_path))
    assert file.load() is not None
    assert file.append([b"c"]) == [2]
    assert path.read_bytes() == b"3 V9 N2\n1 :a\n2 :c\n"


class FullDisk(Disk):
    """Has space for the first octets of a line."""

    def write(self, fd: int, data: bytes) -> None:
        super().write(fd, data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_list_is_not_trusted_after_a_failure_and_no_number_is_given_twice(tmp_path: Path) -> None:
    file = started(tmp_path, UidList(9, 1))
    disk, file._disk = file._disk, FullDisk()
    with pytest.raises(OSError, match="No space"):
        file.append([b"a"])
    assert file.seen == ""
    file._disk = disk
    assert file.append([b"b"]) == [2]
    assert (tmp_path / "dovecot-uidlist").read_bytes() == b"3 V9 N2\n2 :b\n"
    assert file.seen == file.current_stamp()


def test_lines_of_another_program_are_respected(tmp_path: Path) -> None:
    file = started(tmp_path, UidList(9, 1))
    path = tmp_path / "dovecot-uidlist"
    path.write_bytes(path.read_bytes() + b"7 :theirs\n")
    assert file.append([b"ours"]) == [8]


def test_nothing_is_appended_to_another_mailbox(tmp_path: Path) -> None:
    file = started(tmp_path, UidList(9, 1))
    (tmp_path / "dovecot-uidlist").write_bytes(b"3 V10 N1\n")
    with pytest.raises(Unavailable, match=r"^The mailbox is being changed by another program\.$"):
        file.append([b"ours"])


def test_compacting_keeps_the_next_number(tmp_path: Path) -> None:
    file = started(tmp_path, UidList(9, 1))
    file.append([b"a", b"b", b"c"])
    file.compact({b"a"}, 4)
    assert (tmp_path / "dovecot-uidlist").read_bytes() == b"3 V9 N4\n1 :a\n"
    assert file.append([b"d"]) == [4]


def test_compacting_leaves_what_is_not_known_yet(tmp_path: Path) -> None:
    file = started(tmp_path, UidList(9, 1))
    file.append([b"a", b"b", b"c"])
    file.compact(set(), 3)
    assert (tmp_path / "dovecot-uidlist").read_bytes() == b"3 V9 N4\n3 :c\n"


def test_numbers_end_at_the_last_one(tmp_path: Path) -> None:
    file = started(tmp_path, UidList(9, MAX_NUMBER - 1))
    assert file.append([b"a"]) == [MAX_NUMBER - 1]
    with pytest.raises(Unavailable, match=r"^The mailbox has no more numbers for messages\.$"):
        file.append([b"b"])


@pytest.mark.parametrize(
    ("header", "id"),
    [
        (b"3 V9 N1 G3085f01b", "3085f01b"),
        (b"3 V9 N1 G3085f01b X", "3085f01b"),
        (b"3 V9 N1 G" + b"x" * 255, "x" * 255),
        (b"3 V9 N1 G" + b"x" * 256, "V9"),
        (b"3 V9 N1 G", "V9"),
        (b"3 V9 N1 G(", "V9"),
        (b"3 V9 N1", "V9"),
    ],
)
def test_a_mailbox_has_the_identifier_of_its_list(tmp_path: Path, header: bytes, id: str) -> None:
    (tmp_path / "dovecot-uidlist").write_bytes(header + b"\n1 Gfile :a\n")
    file = UidFile(Disk(), os.fsencode(tmp_path))
    assert file.load() is not None
    assert file.id() == id
