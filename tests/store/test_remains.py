"""What an operation leaves that was cut short must not show in later ones."""

import errno
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer
from tests.faults import FailDisk, QuickDisk
from tests.support import InlineBlocking, StillClock, finish
from twisted_mail.interfaces import Account
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.maildir import MaildirStore


def account_at(root: Path, disk: QuickDisk) -> Account:
    store = MaildirStore(root, InlineBlocking(), StillClock(2e9), FakeRenderer(), disk=disk)
    return finish(store.account(ALICE))


def use_of(account: Account, name: str) -> str:
    [use] = [info.use for info in finish(account.mailboxes()) if info.name == name]
    return use


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """An account for which Work, for archiving, was about to be made when the disk failed."""
    finish(account_at(tmp_path, QuickDisk()).create("Old"))
    disk = FailDisk(2, errno.EIO, among=frozenset({"make_folder"}))
    account = account_at(tmp_path, disk)
    with pytest.raises(Unavailable):
        finish(account.create("Work", "\\Archive"))
    return account


def test_the_use_of_a_mailbox_that_could_not_be_made_is_forgotten(account: Account) -> None:
    finish(account.create("Work/Old"))
    assert use_of(account, "Work") == ""


def test_a_renamed_mailbox_does_not_take_the_use_of_one_that_could_not_be_made(
    account: Account,
) -> None:
    finish(account.rename("Old", "Work"))
    assert use_of(account, "Work") == ""


def test_the_messages_of_the_inbox_do_not_go_where_one_with_a_use_could_not_be_made(
    account: Account,
) -> None:
    finish(account.rename("INBOX", "Work"))
    assert use_of(account, "Work") == ""
