"""Files in a maildir whose names or kinds nobody expects."""

import os
from pathlib import Path

import pytest

from tests.contracts.ground import entry, mail
from tests.store.shared_maildir import LATER, Place, texts
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import finish


def test_what_is_no_message_is_passed_over(place: Place) -> None:
    place.account  # noqa: B018
    os.mkfifo(place.maildir / "new/fifo")
    os.mkdir(place.maildir / "cur/folder")
    os.symlink("/etc/passwd", place.maildir / "new/link")
    place.drop("new/.hidden")
    place.drop("tmp/unfinished")
    place.drop("cur/good:2,S")
    assert texts(place.open()) == [mail("dropped")]


def test_a_mailbox_that_is_a_link_is_passed_over(place: Place, tmp_path: Path) -> None:
    place.account  # noqa: B018
    os.mkdir(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", place.maildir / ".Evil")
    assert "Evil" not in [info.name for info in finish(place.account.mailboxes())]
    with pytest.raises(Refused):
        place.open("Evil")


def test_names_that_fit_on_no_line_are_mended(place: Place) -> None:
    place.drop("new/a\nb")
    place.drop("cur/:2,S")
    inbox = place.open()
    finish(inbox.refresh())
    assert texts(inbox) == [mail("dropped")] * 2


@pytest.mark.parametrize(
    "name", [b"new/\xff\xfe", b"new/x" + b"y" * 200, b"cur/a:foo", b"cur/b:2,Zz1"]
)
def test_names_of_any_octets_are_served(place: Place, name: bytes) -> None:
    place.account  # noqa: B018
    path = os.path.join(os.fsencode(place.maildir), name)
    with open(path, "wb") as file:
        file.write(mail("odd"))
    inbox = place.open()
    assert texts(inbox) == [mail("odd")]
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    assert texts(inbox) == [mail("odd")]
    place.restart()
    inbox = place.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("odd")], {"\\Seen"})


def test_letters_that_mean_nothing_here_stay(place: Place) -> None:
    place.drop("cur/a:2,PSz")
    inbox = place.open()
    finish(inbox.mark([1], "set", normal(["\\Flagged"])))
    assert place.files("cur") == ["a:2,FPz"]


def test_two_messages_of_one_name_are_both_served(place: Place) -> None:
    place.drop("new/a", mail("one"))
    place.drop("cur/a:2,S", mail("two"))
    inbox = place.open()
    assert sorted(texts(inbox), key=str) == [mail("one"), mail("two")]


def test_two_names_of_one_file_are_one_message(place: Place) -> None:
    place.account  # noqa: B018
    path = place.drop("new/a", mail("one"))
    os.link(path, place.maildir / "cur/a:2,S")
    inbox = place.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("one")], {"\\Seen"})


def test_no_file_is_overwritten_by_a_mark(place: Place) -> None:
    place.drop("cur/a:2,", mail("one"))
    inbox = place.open()
    place.drop("cur/a:2,S", mail("two"))
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    finish(inbox.refresh())
    assert sorted(texts(inbox), key=str) == [mail("one"), mail("two")]


def test_old_files_in_tmp_are_removed_and_young_ones_are_not(place: Place) -> None:
    place.drop("tmp/old")
    young = place.drop("tmp/young")
    os.utime(young, (LATER - 3600, LATER - 3600))
    place.account  # noqa: B018
    assert place.files("tmp") == ["young"]
