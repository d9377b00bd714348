"""The file that holds an account's index, on disks that fail for a moment."""

import errno
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import FailDisk, QuickDisk
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


def highest_modseq(root: Path, disk: Disk) -> int:
    store = MaildirStore(
        root, InlineBlocking(), StillClock(2e9), FakeRenderer(), StoreServices(disk=disk)
    )
    account = finish(store.account(ALICE))
    inbox = finish(account.open("INBOX"))
    finish(inbox.mark([1], "add", normal([f"Word{inbox.columns.highest_modseq % 20}"])))
    highest = inbox.columns.highest_modseq
    inbox.close()
    finish(store.close())
    return highest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    store = MaildirStore(
        tmp_path, InlineBlocking(), StillClock(2e9), FakeRenderer(), StoreServices(disk=QuickDisk())
    )
    account = finish(store.account(ALICE))
    finish(account.append("INBOX", [draft(mail("one")), draft(mail("two"))]))
    finish(store.close())
    return tmp_path


def test_mod_sequences_rise_when_the_index_cannot_be_opened_for_a_moment(root: Path) -> None:
    modseqs = [
        highest_modseq(root, disk)
        for disk in (
            QuickDisk(),
            FailDisk(0, errno.EIO, among=frozenset({"connect"})),
            QuickDisk(),
        )
    ]
    assert modseqs == sorted(set(modseqs))


def test_mod_sequences_rise_when_a_left_index_cannot_be_renamed_for_a_moment(root: Path) -> None:
    full = FailDisk(2, errno.ENOSPC, for_good=frozenset({"commit"}))
    modseqs = [highest_modseq(root, QuickDisk()), highest_modseq(root, full)]
    assert list(root.glob("*/*/index.sqlite3.left"))
    once = FailDisk(0, errno.EIO, among=frozenset({"rename"}))
    modseqs += [highest_modseq(root, once), highest_modseq(root, QuickDisk())]
    assert modseqs == sorted(set(modseqs))
