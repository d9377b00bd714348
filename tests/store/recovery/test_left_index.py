"""An index that the disk keeps from being used, and that is used again later."""

import errno
import shutil
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, entry, mail
from tests.faults import FailDisk
from twisted_mail.mail.mailbox.change import Change, MailboxDeleted, MailboxRenamed
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

FOREVER = 10**9  # steps


class LeftIndex:
    """An account with two mailboxes, on a disk where databases may not be opened."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.disk = FailDisk(FOREVER, errno.EIO, frozenset({"connect", "rename"}))
        self.store = MaildirStore(
            root, InlineBlocking(), StillClock(2e9), FakeRenderer(), StoreServices(disk=self.disk)
        )
        self.account = finish(self.store.account(ALICE))
        finish(self.account.create("Work"))
        for name in ("Work", "Sent"):
            finish(self.account.append(name, [draft(mail(name), "$Own")]))
        self.heard: list[Change] = []
        self.account.watch(self.heard.append)

    def break_disk(self, *steps: str) -> None:
        self.disk.for_good = self.disk.counted = frozenset(steps)
        self.disk.left = 0

    def mend_disk(self) -> None:
        self.disk.left = FOREVER

    def look(self) -> None:
        for name in ("Sent", "INBOX", "Work"):
            finish(self.account.status(name))

    def modseqs(self, name: str) -> list[int]:
        box = finish(self.account.open(name))
        modseqs = list(box.columns.modseqs)
        box.close()
        return modseqs

    def uids(self, name: str) -> list[int]:
        box = finish(self.account.open(name))
        uids = list(box.columns.uids)
        box.close()
        return uids

    def renamed_and_deleted(self) -> list[Change]:
        return [each for each in self.heard if isinstance(each, MailboxDeleted | MailboxRenamed)]


@pytest.fixture
def left(tmp_path: Path) -> LeftIndex:
    return LeftIndex(tmp_path)


def test_no_mailbox_seems_renamed_or_deleted_without_it_and_with_it_again(left: LeftIndex) -> None:
    for _ in range(2):
        finish(left.store.close())
        left.break_disk("connect")
        left.look()
        finish(left.store.close())
        left.mend_disk()
        left.look()
    assert left.renamed_and_deleted() == []


def test_what_it_says_counts_while_it_cannot_come_back(left: LeftIndex) -> None:
    finish(left.store.close())
    left.break_disk("connect")
    left.look()
    finish(left.store.close())
    left.break_disk("rename")
    given = left.modseqs("Work")
    finish(left.store.close())
    left.mend_disk()
    assert left.modseqs("Work") == given


def test_it_is_opened_again_when_it_could_not_be_once(left: LeftIndex) -> None:
    finish(left.store.close())
    left.break_disk("connect", "rename")
    with pytest.raises(Unavailable):
        left.look()
    left.mend_disk()
    left.look()


def test_another_one_in_its_place_is_opened_as_soon_as_that_can_be(left: LeftIndex) -> None:
    box = finish(left.account.open("Work"))
    [path] = left.root.glob("*/*/index.sqlite3")
    shutil.copy(path, path.with_suffix(".other"))
    path.with_suffix(".other").replace(path)
    left.break_disk("connect", "rename")
    for _ in range(2):
        with pytest.raises(Unavailable):
            left.look()
    left.mend_disk()
    left.look()
    assert entry(box, 1).flags == {"$Own"}
    assert left.renamed_and_deleted() == []


def test_a_message_keeps_the_last_uid_that_it_was_sent_with(left: LeftIndex) -> None:
    """While the index was left, it went and came back: the list says so, the index does not."""
    finish(left.account.append("Work", [draft(mail("second"))]))
    finish(left.store.close())
    left.break_disk("connect")
    [first, _] = sorted((left.root / "example.org/alice/Maildir/.Work/cur").iterdir())
    first.rename(left.root / "aside")
    assert left.uids("Work") == [2]
    (left.root / "aside").rename(first)
    assert left.uids("Work") == [2, 3]
    finish(left.store.close())
    left.mend_disk()
    assert left.uids("Work") == [2, 3]


def test_a_message_with_another_uid_keeps_keywords_that_no_name_holds(left: LeftIndex) -> None:
    words = {f"word{number}" for number in range(40)}
    finish(left.account.append("Work", [draft(mail("many"), *words)]))
    finish(left.store.close())
    left.break_disk("connect")
    cur = left.root / "example.org/alice/Maildir/.Work/cur"
    [_, many] = sorted(cur.iterdir())
    many.rename(left.root / "aside")
    assert left.uids("Work") == [1]
    (left.root / "aside").rename(many)
    assert left.uids("Work") == [1, 3]
    finish(left.store.close())
    left.mend_disk()
    box = finish(left.account.open("Work"))
    assert entry(box, 3).flags == words
