"""Other programs deliver, rename and remove messages and mailboxes at the same time."""

import os
import shutil
from pathlib import Path

import pytest

from tests.contracts.ground import draft, entry, listen, mail
from tests.faults import QuickDisk
from tests.store.shared_maildir import SharedMaildir, texts, uids
from twisted_mail.mail.mailbox.change import EntriesAdded, EntriesExpunged, FlagsChanged
from twisted_mail.mail.mailbox.entry import Contains, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.testing.doubles import finish


def test_a_file_dropped_into_new_is_found(shared: SharedMaildir) -> None:
    inbox = shared.open()
    heard = listen(inbox)
    shared.drop("new/1.a.host")
    finish(inbox.refresh())
    assert texts(inbox) == [mail("dropped")]
    assert heard == [EntriesAdded("INBOX", (entry(inbox, 1),))]
    assert entry(inbox, 1).date == 1_000_000_000


def test_files_get_uids_in_the_order_of_their_age(shared: SharedMaildir) -> None:
    for name in ("new/10.Q10", "new/9.Q11", "cur/10.Q9:2,"):
        shared.drop(name, mail(name))
    assert texts(shared.open()) == [
        mail(name) for name in ("new/9.Q11", "cur/10.Q9:2,", "new/10.Q10")
    ]


def test_a_renamed_file_has_other_flags(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,S")
    inbox = shared.open()
    heard, before = listen(inbox), inbox.columns.highest_modseq
    os.rename(shared.maildir / "cur/a:2,S", shared.maildir / "cur/a:2,FT")
    finish(inbox.refresh())
    assert entry(inbox, 1).flags == {"\\Flagged", "\\Deleted"}
    assert heard == [FlagsChanged("INBOX", ((1, entry(inbox, 1).flags, before + 1),))]


def test_a_file_moved_from_new_to_cur_is_the_same_message(shared: SharedMaildir) -> None:
    shared.drop("new/a")
    inbox = shared.open()
    heard = listen(inbox)
    os.rename(shared.maildir / "new/a", shared.maildir / "cur/a:2,")
    finish(inbox.refresh())
    assert (heard, texts(inbox)) == ([], [mail("dropped")])


def test_a_removed_file_is_gone(shared: SharedMaildir) -> None:
    path = shared.drop("cur/a:2,S")
    inbox = shared.open()
    heard = listen(inbox)
    path.unlink()
    finish(inbox.refresh())
    assert [type(change) for change in heard] == [EntriesExpunged]
    assert uids(inbox) == []


def test_a_file_that_comes_back_is_another_message(shared: SharedMaildir) -> None:
    path = shared.drop("cur/a:2,S")
    inbox = shared.open()
    path.unlink()
    finish(inbox.refresh())
    shared.drop("cur/a:2,S")
    finish(inbox.refresh())
    assert uids(inbox) == [2]


def test_nothing_is_heard_where_nothing_happened(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,S")
    inbox = shared.open()
    heard = listen(inbox)
    finish(inbox.refresh())
    assert heard == []


def test_reading_follows_a_rename_nobody_told_of(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,")
    inbox = shared.open()
    os.rename(shared.maildir / "cur/a:2,", shared.maildir / "cur/a:2,S")
    assert texts(inbox) == [mail("dropped")]
    assert entry(inbox, 1).flags == {"\\Seen"}


def test_marking_follows_a_rename_and_keeps_what_it_said(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,")
    inbox = shared.open()
    os.rename(shared.maildir / "cur/a:2,", shared.maildir / "cur/a:2,S")
    finish(inbox.mark([1], "add", normal(["\\Flagged"])))
    assert entry(inbox, 1).flags == {"\\Seen", "\\Flagged"}
    assert shared.files("cur") == ["a:2,FS"]


def test_what_others_mark_while_messages_are_marked_is_shown(tmp_path: Path) -> None:
    class Meanwhile(QuickDisk):
        def rename_to_free(self, path: bytes, new_path: bytes) -> None:
            super().rename_to_free(path, new_path)
            if path.endswith(b"/cur/a:2,"):
                for old, new in ("a:2,S", "a:2,FS"), ("b:2,", "b:2,F"):
                    os.rename(shared.maildir / "cur" / old, shared.maildir / "cur" / new)

    shared = SharedMaildir(tmp_path, Meanwhile())
    for name in "ab":
        shared.drop(f"cur/{name}:2,")
    inbox = shared.open()
    finish(inbox.mark([1, 2], "add", normal(["\\Seen"])))
    assert [entry(inbox, uid).flags for uid in (1, 2)] == [{"\\Seen", "\\Flagged"}] * 2
    assert shared.files("cur") == ["a:2,FS", "b:2,FS"]


def test_expunging_follows_a_rename(shared: SharedMaildir) -> None:
    shared.drop("cur/a:2,")
    shared.drop("cur/b:2,")
    inbox = shared.open()
    os.rename(shared.maildir / "cur/b:2,", shared.maildir / "cur/b:2,S")
    assert finish(inbox.expunge([1, 2])) == (1, 2)
    assert shared.files("cur", "new") == []
    assert uids(inbox) == []


@pytest.mark.parametrize("act", ["copy", "move"])
def test_copying_and_moving_follow_a_rename(shared: SharedMaildir, act: str) -> None:
    shared.drop("cur/a:2,")
    inbox, sent = shared.open(), shared.open("Sent")
    os.rename(shared.maildir / "cur/a:2,", shared.maildir / "cur/a:2,S")
    finish(getattr(inbox, act)([1], "Sent"))
    assert texts(sent) == [mail("dropped")]
    assert entry(sent, 1).flags == {"\\Seen"}
    assert len(inbox.columns) == (act == "copy")


@pytest.mark.parametrize("target", ["INBOX", "Sent"])
def test_messages_that_others_rename_while_they_are_moved_keep_their_order(
    tmp_path: Path, target: str
) -> None:
    class Meanwhile(QuickDisk):
        def rename(self, path: bytes, new_path: bytes) -> None:
            super().rename(path, new_path)
            if path.endswith(b"/cur/a:2,"):
                os.rename(shared.maildir / "cur/b:2,", shared.maildir / "cur/b:2,S")
                shared.drop("new/d", mail("d"))

    shared = SharedMaildir(tmp_path, Meanwhile())
    for name in "abc":
        shared.drop(f"cur/{name}:2,", mail(name))
    inbox, there = shared.open(), shared.open(target)
    moved = finish(inbox.move([1, 2, 3], target))
    assert moved.sources == (1, 2, 3)
    assert uids(there)[:3] == list(moved.targets)
    assert uids(there) == sorted(uids(there))
    assert texts(there)[:3] == [mail(name) for name in "abc"]
    assert len(inbox.columns) == (4 if target == "INBOX" else 1)


def test_what_vanished_is_passed_over(shared: SharedMaildir) -> None:
    path = shared.drop("cur/a:2,")
    inbox = shared.open()
    path.unlink()
    assert finish(inbox.copy([1], "Sent")).targets == ()
    assert finish(inbox.read([MessageRange(1)])) == [None]
    assert finish(inbox.items([1])) == [None]
    assert finish(inbox.matching([1], Contains("text", "dropped"))) == frozenset()


def test_deliveries_of_others_get_uids_after_our_own(shared: SharedMaildir) -> None:
    inbox = shared.open()
    finish(shared.account.append("INBOX", [draft(mail("ours"))]))
    shared.drop("new/1.theirs", age=10**6)
    finish(inbox.refresh())
    assert texts(inbox) == [mail("ours"), mail("dropped")]


def test_a_mailbox_removed_by_another_program_does_not_exist(shared: SharedMaildir) -> None:
    inbox = shared.open("Sent")
    shutil.rmtree(shared.maildir / ".Sent")
    for act in (
        inbox.refresh(),
        inbox.mark([1], "add", normal(["\\Seen"])),
        shared.account.open("Sent"),
    ):
        with pytest.raises(Refused) as caught:
            finish(act)
        assert caught.value.condition == "NONEXISTENT"


@pytest.mark.parametrize("name", ["INBOX", "Work"])
@pytest.mark.parametrize("places", [["cur"], ["new"], ["cur", "new", "tmp"]])
def test_a_mailbox_is_served_whose_subfolders_another_program_removed(
    shared: SharedMaildir, name: str, places: list[str]
) -> None:
    finish(shared.account.create("Work"))
    finish(shared.account.append(name, [draft(mail("one"))]))
    folder = shared.maildir if name == "INBOX" else shared.maildir / ".Work"
    for place in places:  # else it might be made again within the same tick of the clock
        os.utime(folder / place, (1_000_000_000, 1_000_000_000))
    opened = shared.open(name)
    for place in places:
        shutil.rmtree(folder / place)
    finish(opened.refresh())
    assert uids(opened) == ([1] if places == ["new"] else [])
    finish(shared.account.append(name, [draft(mail("two"))]))
    assert texts(shared.open(name))[-1] == mail("two")


def test_a_mailbox_made_by_another_program_is_found(shared: SharedMaildir) -> None:
    shared.drop(".Lists.py&AOQ-x/new/1.a")
    assert texts(shared.open("Lists/pyäx")) == [mail("dropped")]
    assert shared.files(".Lists.py&AOQ-x")[:1] == ["cur"]
