"""Files in a maildir whose names or kinds nobody expects."""

import os
from pathlib import Path

import pytest

from tests.contracts.ground import entry, mail
from tests.store.shared_maildir import LATER, SharedMaildir, texts
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import finish


def test_what_is_no_message_is_passed_over(shared: SharedMaildir) -> None:
    finish(shared.account.mailboxes())
    os.mkfifo(shared.maildir / "new/fifo")
    os.mkdir(shared.maildir / "cur/folder")
    os.symlink("/etc/passwd", shared.maildir / "new/link")
    shared.drop("new/.hidden")
    shared.drop("tmp/unfinished")
    shared.drop("cur/good:2,S")
    assert texts(shared.open()) == [mail("dropped")]


def test_a_mailbox_that_is_a_link_is_passed_over(shared: SharedMaildir, tmp_path: Path) -> None:
    finish(shared.account.mailboxes())
    os.mkdir(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", shared.maildir / ".Evil")
    assert "Evil" not in [info.name for info in finish(shared.account.mailboxes())]
    with pytest.raises(Refused):
        shared.open("Evil")


def test_names_that_fit_on_no_line_are_mended(shared: SharedMaildir) -> None:
    shared.drop("new/a\nb")
    shared.drop("cur/:2,S")
    inbox = shared.open()
    finish(inbox.refresh())
    assert texts(inbox) == [mail("dropped")] * 2


@pytest.mark.parametrize(
    "name", [b"new/\xff\xfe", b"new/x" + b"y" * 200, b"cur/a:foo", b"cur/b:2,Zz1"]
)
def test_names_of_any_octets_are_served(shared: SharedMaildir, name: bytes) -> None:
    finish(shared.account.mailboxes())
    path = os.path.join(os.fsencode(shared.maildir), name)
    with open(path, "wb") as file:
        file.write(mail("odd"))
    inbox = shared.open()
    assert texts(inbox) == [mail("odd")]
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    assert texts(inbox) == [mail("odd")]
    shared.restart()
    inbox = shared.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("odd")], {"\\Seen"})


def test_letters_that_mean_nothing_here_stay(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,PSz")
    inbox = shared.open()
    finish(inbox.mark([1], "set", normal(["\\Flagged"])))
    assert shared.files("cur") == ["a:2,FPz"]


# ---------------------------------------------------------------- names that Windows can have


@pytest.mark.parametrize("sign", "!;")
def test_flags_after_another_sign_than_the_colon_are_read(shared: SharedMaildir, sign: str) -> None:
    shared.drop(f"cur/1.a{sign}2,FSz")
    inbox = shared.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("dropped")], {"\\Flagged", "\\Seen"})
    finish(inbox.mark([1], "remove", normal(["\\Seen"])))
    assert shared.files("cur") == [f"1.a{sign}2,FSz:2,Fz"]
    shared.restart()
    assert entry(shared.open(), 1).flags == {"\\Flagged"}


def test_a_file_from_windows_keeps_the_uid_that_dovecot_gave_it(shared: SharedMaildir) -> None:
    shared.drop("cur/1.a!2,S")
    (shared.maildir / "dovecot-uidlist").write_text("3 V7 N50\n42 :1.a!2,S\n")
    inbox = shared.open()
    assert (inbox.uidvalidity, list(inbox.columns.uids)) == (7, [42])
    assert entry(inbox, 42).flags == {"\\Seen"}


def test_a_file_from_windows_that_cannot_be_renamed_is_served_without_its_flags(
    shared: SharedMaildir,
) -> None:
    shared.drop("cur/" + "a" * 250 + "!2,S")
    inbox = shared.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("dropped")], set())


@pytest.mark.parametrize("name", ["1.a!2", "1.a!2,S:2,F", "1.a!2,1", "!2,S"])
def test_no_other_name_is_taken_for_one_of_windows(shared: SharedMaildir, name: str) -> None:
    shared.drop(f"cur/{name}")
    assert texts(shared.open()) == [mail("dropped")]
    assert shared.files("cur") == [name]


def test_two_messages_of_one_name_are_both_served(shared: SharedMaildir) -> None:
    shared.drop("new/a", mail("one"))
    shared.drop("cur/a:2,S", mail("two"))
    inbox = shared.open()
    assert sorted(texts(inbox), key=str) == [mail("one"), mail("two")]


def test_two_names_of_one_file_are_one_message(shared: SharedMaildir) -> None:
    finish(shared.account.mailboxes())
    path = shared.drop("new/a", mail("one"))
    os.link(path, shared.maildir / "cur/a:2,S")
    inbox = shared.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("one")], {"\\Seen"})


def test_no_file_is_overwritten_by_a_mark(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,", mail("one"))
    inbox = shared.open()
    shared.drop("cur/a:2,S", mail("two"))
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    finish(inbox.refresh())
    assert sorted(texts(inbox), key=str) == [mail("one"), mail("two")]


def test_old_files_in_tmp_are_removed_and_young_ones_are_not(shared: SharedMaildir) -> None:
    shared.drop("tmp/old")
    young = shared.drop("tmp/young")
    os.utime(young, (LATER - 3600, LATER - 3600))
    finish(shared.account.mailboxes())
    left = [name for name in shared.files("tmp") if not name.startswith("lock.")]
    assert left == ["young"]
