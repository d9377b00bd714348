"""Other programs deliver, rename and remove messages and mailboxes at the same time."""

import os

import pytest

from tests.contracts.ground import draft, entry, listen, mail
from tests.store.shared_maildir import Place, texts, uids
from twisted_mail.mail.mailbox.change import EntriesAdded, EntriesExpunged, FlagsChanged
from twisted_mail.mail.mailbox.entry import Contains, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import finish


def test_a_file_dropped_into_new_is_found(place: Place) -> None:
    inbox = place.open()
    heard = listen(inbox)
    place.drop("new/1.a.host")
    finish(inbox.refresh())
    assert texts(inbox) == [mail("dropped")]
    assert heard == [EntriesAdded("INBOX", (entry(inbox, 1),))]
    assert entry(inbox, 1).date == 1_000_000_000


def test_files_get_uids_in_the_order_of_their_age(place: Place) -> None:
    for name in ("new/10.Q10", "new/9.Q11", "cur/10.Q9:2,"):
        place.drop(name, mail(name))
    assert texts(place.open()) == [
        mail(name) for name in ("new/9.Q11", "cur/10.Q9:2,", "new/10.Q10")
    ]


def test_a_renamed_file_has_other_flags(place: Place) -> None:
    place.drop("cur/a:2,S")
    inbox = place.open()
    heard, before = listen(inbox), inbox.columns.highest_modseq
    os.rename(place.maildir / "cur/a:2,S", place.maildir / "cur/a:2,FT")
    finish(inbox.refresh())
    assert entry(inbox, 1).flags == {"\\Flagged", "\\Deleted"}
    assert heard == [FlagsChanged("INBOX", ((1, entry(inbox, 1).flags, before + 1),))]


def test_a_file_moved_from_new_to_cur_is_the_same_message(place: Place) -> None:
    place.drop("new/a")
    inbox = place.open()
    heard = listen(inbox)
    os.rename(place.maildir / "new/a", place.maildir / "cur/a:2,")
    finish(inbox.refresh())
    assert (heard, texts(inbox)) == ([], [mail("dropped")])


def test_a_removed_file_is_gone(place: Place) -> None:
    path = place.drop("cur/a:2,S")
    inbox = place.open()
    heard = listen(inbox)
    path.unlink()
    finish(inbox.refresh())
    assert [type(change) for change in heard] == [EntriesExpunged]
    assert uids(inbox) == []


def test_a_file_that_comes_back_is_another_message(place: Place) -> None:
    path = place.drop("cur/a:2,S")
    inbox = place.open()
    path.unlink()
    finish(inbox.refresh())
    place.drop("cur/a:2,S")
    finish(inbox.refresh())
    assert uids(inbox) == [2]


def test_nothing_is_heard_where_nothing_happened(place: Place) -> None:
    place.drop("cur/a:2,S")
    inbox = place.open()
    heard = listen(inbox)
    finish(inbox.refresh())
    assert heard == []


def test_reading_follows_a_rename_nobody_told_of(place: Place) -> None:
    place.drop("cur/a:2,")
    inbox = place.open()
    os.rename(place.maildir / "cur/a:2,", place.maildir / "cur/a:2,S")
    assert texts(inbox) == [mail("dropped")]
    assert entry(inbox, 1).flags == {"\\Seen"}


def test_marking_follows_a_rename_and_keeps_what_it_said(place: Place) -> None:
    place.drop("cur/a:2,")
    inbox = place.open()
    os.rename(place.maildir / "cur/a:2,", place.maildir / "cur/a:2,S")
    finish(inbox.mark([1], "add", normal(["\\Flagged"])))
    assert entry(inbox, 1).flags == {"\\Seen", "\\Flagged"}
    assert place.files("cur") == ["a:2,FS"]


def test_expunging_follows_a_rename(place: Place) -> None:
    place.drop("cur/a:2,")
    place.drop("cur/b:2,")
    inbox = place.open()
    os.rename(place.maildir / "cur/b:2,", place.maildir / "cur/b:2,S")
    assert finish(inbox.expunge([1, 2])) == (1, 2)
    assert place.files("cur", "new") == []
    assert uids(inbox) == []


@pytest.mark.parametrize("act", ["copy", "move"])
def test_copying_and_moving_follow_a_rename(place: Place, act: str) -> None:
    place.drop("cur/a:2,")
    inbox, sent = place.open(), place.open("Sent")
    os.rename(place.maildir / "cur/a:2,", place.maildir / "cur/a:2,S")
    finish(getattr(inbox, act)([1], "Sent"))
    assert texts(sent) == [mail("dropped")]
    assert entry(sent, 1).flags == {"\\Seen"}
    assert len(inbox.columns) == (act == "copy")


def test_what_vanished_is_passed_over(place: Place) -> None:
    path = place.drop("cur/a:2,")
    inbox = place.open()
    path.unlink()
    assert finish(inbox.copy([1], "Sent")).targets == ()
    assert finish(inbox.read([MessageRange(1)])) == [None]
    assert finish(inbox.items([1])) == [None]
    assert finish(inbox.matching([1], Contains("text", "dropped"))) == frozenset()


def test_deliveries_of_others_get_uids_after_our_own(place: Place) -> None:
    inbox = place.open()
    finish(place.account.append("INBOX", [draft(mail("ours"))]))
    place.drop("new/1.theirs", age=10**6)
    finish(inbox.refresh())
    assert texts(inbox) == [mail("ours"), mail("dropped")]


def test_a_mailbox_removed_by_another_program_does_not_exist(place: Place) -> None:
    inbox = place.open("Sent")
    for folder in ("cur", "new", "tmp"):
        (place.maildir / ".Sent" / folder).rmdir()
    for path in (place.maildir / ".Sent").iterdir():
        path.unlink()
    (place.maildir / ".Sent").rmdir()
    for act in (
        inbox.refresh(),
        inbox.mark([1], "add", normal(["\\Seen"])),
        place.account.open("Sent"),
    ):
        with pytest.raises(Refused) as caught:
            finish(act)
        assert caught.value.condition == "NONEXISTENT"


def test_a_mailbox_made_by_another_program_is_found(place: Place) -> None:
    place.drop(".Lists.py&AOQ-x/new/1.a")
    assert texts(place.open("Lists/pyäx")) == [mail("dropped")]
    assert place.files(".Lists.py&AOQ-x")[:1] == ["cur"]
