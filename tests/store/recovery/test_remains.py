"""What an operation leaves that was cut short must not show in later ones."""

import errno
from contextlib import suppress
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail, refused
from tests.faults import FailDisk, QuickDisk, StopDisk, Stopped
from twisted_mail.interfaces import Account
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


def account_at(root: Path, disk: QuickDisk) -> MaildirAccount:
    store = MaildirStore(
        root, InlineBlocking(), StillClock(2e9), FakeRenderer(), StoreServices(disk=disk)
    )
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


# ---------------------------------------------------------------- what was seen in work that failed


def quota_account(root: Path, octets: int) -> tuple[MaildirStore, Account]:
    settings = StoreSettings(quota_bytes=octets)
    store = MaildirStore(
        root,
        InlineBlocking(),
        StillClock(2e9),
        FakeRenderer(),
        StoreServices(settings=settings, disk=QuickDisk()),
    )
    return store, finish(store.account(ALICE))


def messages(account: Account, name: str = "INBOX") -> int:
    return finish(account.status(name)).messages


def test_mail_that_came_before_an_append_without_room_is_shown(tmp_path: Path) -> None:
    store, account = quota_account(tmp_path, 100)
    assert messages(account) == 0
    finish(store.deliver([ALICE], Message(MemoryBlob(mail("one")))))
    with refused("OVERQUOTA"):
        finish(account.append("INBOX", [draft(b"x" * 200)]))
    assert messages(account) == 1


def test_mail_that_is_in_the_list_keeps_its_uid_when_the_first_work_after_a_crash_fails(
    tmp_path: Path,
) -> None:
    account = account_at(tmp_path, QuickDisk())
    assert messages(account) == 0
    for stop_at in range(20):  # until the file and its line are there, but not its row
        with suppress(Stopped):
            stopping = account_at(tmp_path, StopDisk(stop_at))
            finish(stopping.append("INBOX", [draft(mail("one"))]))
        if list(tmp_path.glob("*/*/Maildir/cur/*")):
            break
    account = account_at(tmp_path, FailDisk(0, errno.EIO, among=frozenset({"create"})))
    with pytest.raises(Unavailable):
        finish(account.append("INBOX", [draft(mail("two"))]))
    inbox = finish(account.open("INBOX"))
    assert list(inbox.columns.uids) == [inbox.columns.uidnext - 1] == [listed(tmp_path)]


def listed(root: Path) -> int:
    """Return the UID of the one message of the inbox, as the list tells it."""
    [path] = root.glob("*/*/Maildir/cur/*")
    base = path.name.partition(":")[0]
    [uid] = [
        int(line.split()[0])
        for each in root.glob("*/*/Maildir/dovecot-uidlist")
        for line in each.read_text().splitlines()
        if line.endswith(base)
    ]
    return uid
