"""Tests of twisted_mail.store.format.keywords."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.ground import refused
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.format import keywords
from twisted_mail.store.format.dotlock import Dotlock
from twisted_mail.store.format.filename import KEYWORD_LETTERS
from twisted_mail.store.format.keywords import Keywords
from twisted_mail.testing.doubles import StillClock

NAMES = st.text("abcXYZ$_-0123456789", min_size=1, max_size=8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    return tmp_path


def opened(folder: Path) -> Keywords:
    disk, path = QuickDisk(), bytes(folder)
    lock = Dotlock(disk, path + b"/dovecot-uidlist")
    found = Keywords(disk, StillClock(2e9), path, lock, lambda where, error: None)
    found.catch_up()
    return found


@given(st.dictionaries(st.sampled_from(KEYWORD_LETTERS), NAMES))
def test_what_is_written_is_read(letters: dict[str, str]) -> None:
    assert keywords.parse(keywords.write(letters)) == letters


def test_lines_that_make_no_sense_are_left_out() -> None:
    data = b"0 $Junk\n26 late\nx\n1 \\Seen\n2 two words\n3 \xff\n0 again\n4 ok\n"
    found = keywords.parse(data)
    assert (found["a"], found["e"]) == ("$Junk", "ok")
    assert not {"b", "c"} & found.keys()


def test_a_new_keyword_gets_the_next_letter_and_is_there_after_a_restart(folder: Path) -> None:
    opened(folder).admit(["$Junk", "Work", "\\Seen"])
    assert (folder / keywords.FILE.decode()).read_bytes() == b"0 $Junk\n1 Work\n"
    assert opened(folder).letter_of == {"$Junk": "a", "Work": "b"}


def test_names_show_keywords_from_the_moment_they_have_letters(folder: Path) -> None:
    found = opened(folder)
    flags = normal(["Work", "\\Seen"])
    assert found.written(flags) == (flags, b"c:2,S")
    found.admit(["WORK"])
    assert found.written(flags) == (normal(["WORK", "\\Seen"]), b"c:2,Sa")
    (folder / keywords.FILE.decode()).write_bytes(b"0 other\n1 WORK\n")
    found.catch_up()
    assert found.written(flags) == (normal(["WORK", "\\Seen"]), b"c:2,Sb")


def test_only_a_few_sets_of_flags_are_remembered(folder: Path) -> None:
    found = opened(folder)
    for number in range(1000):
        flags = normal([f"word{number}", "\\Seen"])
        assert found.written(flags) == (flags, b"c:2,S")
    assert len(found._written) < 100


def test_keywords_keep_their_first_spelling(folder: Path) -> None:
    found = opened(folder)
    found.admit(["Work"])
    found.admit(["WORK"])
    assert found.names == ("Work",)
    assert found.spelled(["wOrK", "\\recent"]) == normal(["Work"])


def test_beyond_the_letters_keywords_are_known_without_one(folder: Path) -> None:
    found = opened(folder)
    found.admit([f"k{number:02}" for number in range(30)])
    assert len(found.by_letter) == 26
    assert len(found.names) == 30


def test_where_all_letters_are_given_nobody_is_waited_for(folder: Path) -> None:
    found = opened(folder)
    found.admit([f"k{number:02}" for number in range(26)])
    (folder / "dovecot-uidlist.lock").write_text(f"1:{socket.gethostname()}")
    found.admit(["more"])
    assert "more" in found.names


def test_letters_of_another_program_are_kept(folder: Path) -> None:
    found = opened(folder)
    (folder / "dovecot-keywords").write_bytes(b"5 theirs\n")
    assert found.is_stale()
    found.admit(["ours"])
    assert found.by_letter == {"f": "theirs", "a": "ours"}
    assert found.is_stale()  # until the files are compared with them


def test_a_file_is_read_once_for_each_time_that_it_was_written(folder: Path) -> None:
    found = opened(folder)
    for octets in (b"5 theirs\n", b"5 theirs\n6 more\n"):
        (folder / "dovecot-keywords").write_bytes(octets)
        assert [found.catch_up(), found.catch_up()] == [True, False]
        assert not found.is_stale()
    assert found.by_letter == {"f": "theirs", "g": "more"}


def test_keywords_follow_their_mailbox_to_another_folder(folder: Path) -> None:
    found = opened(folder)
    there = folder / "there"
    there.mkdir()
    (there / "dovecot-keywords").write_bytes(b"5 theirs\n")
    found.move(bytes(there))
    assert found.catch_up()
    assert found.by_letter == {"f": "theirs"}


def test_what_is_no_keyword_is_refused(folder: Path) -> None:
    with refused("CANNOT", "No message can have this flag."):
        opened(folder).admit(["two words"])


def test_the_number_of_keywords_is_bounded_and_unused_ones_make_space(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keywords, "LIMIT", 28)
    found = opened(folder)
    found.admit([f"k{number:02}" for number in range(28)])
    assert not found.has_room
    assert found.needs_room(["more"])
    with refused("LIMIT", "There is no room for more keywords in this mailbox."):
        found.admit(["more"], in_use=normal(found.names))
    found.admit(["more"], in_use=normal(["k00"]))
    assert "more" in found.names
