"""A quota bounds what is kept of expunged mail, too."""

import os
from pathlib import Path

import pytest

from tests.contracts.ground import FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.trash import archive_quota
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

ALICE = "alice@example.org"
MAIL = mail("y" * 450)  # some 930 octets


class Account:
    """An account with a quota; each message has about a thousand octets."""

    def __init__(self, root: Path, octets: int = 0, messages: int = 0) -> None:
        self.root, self.clock = root, StillClock()
        settings = StoreSettings(quota_bytes=octets, quota_messages=messages)
        self.faults: list[str] = []
        self.store = MaildirStore(
            root,
            InlineBlocking(),
            self.clock,
            FakeRenderer(),
            StoreServices(
                settings=settings,
                disk=QuickDisk(),
                report_fault=lambda where, error: self.faults.append(where),
            ),
        )
        self.account = finish(self.store.account(ALICE))

    def expunge(self, number: int = 1) -> None:
        inbox = finish(self.account.open("INBOX"))
        drafts = [draft(MAIL) for _ in range(number)]
        finish(inbox.expunge(finish(self.account.append("INBOX", drafts)).targets))
        inbox.close()
        self.clock.seconds += 1

    def delete_mailbox(self, number: int) -> None:
        finish(self.account.create("Old"))
        finish(self.account.append("Old", [draft(MAIL) for _ in range(number)]))
        finish(self.account.delete("Old"))
        self.clock.seconds += 1

    @property
    def kept(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("expunged/*/INBOX/*"))

    @property
    def octets(self) -> int:
        folders = self.root.rglob("expunged")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return sum(path.stat().st_size for path in files)


def test_no_more_octets_are_kept_than_the_quota(tmp_path: Path) -> None:
    account = Account(tmp_path, octets=10_000)
    for _ in range(50):
        account.expunge()
        assert account.octets <= 10_000
    assert account.octets > 7_000


def test_no_more_messages_are_kept_than_the_quota(tmp_path: Path) -> None:
    account = Account(tmp_path, messages=10)
    for _ in range(50):
        account.expunge()
        assert len(account.kept) <= 10
    assert len(account.kept) >= 9


def test_the_oldest_go_first(tmp_path: Path) -> None:
    account = Account(tmp_path, messages=4)
    names = []
    for _ in range(6):
        account.expunge()
        names.append(account.kept[-1].name)
    assert {path.name for path in account.kept} == set(names[2:])


def test_many_at_once_displace_many(tmp_path: Path) -> None:
    account = Account(tmp_path, messages=10)
    account.expunge(9)
    account.expunge(9)
    assert len(account.kept) == 9


def test_mailboxes_that_were_deleted_count_and_go(tmp_path: Path) -> None:
    account = Account(tmp_path, octets=10_000)
    for _ in range(5):
        account.delete_mailbox(7)
        assert account.octets <= 10_000
    assert account.octets > 0


def test_without_a_quota_all_is_kept(tmp_path: Path) -> None:
    account = Account(tmp_path)
    for _ in range(30):
        account.expunge()
    assert len(account.kept) == 30


def test_what_is_there_already_is_measured(tmp_path: Path) -> None:
    before = Account(tmp_path)
    before.expunge(30)
    finish(before.store.close())
    account = Account(tmp_path, messages=10)
    account.expunge()
    assert len(account.kept) <= 10


def test_what_the_purge_removed_makes_room_after_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(tmp_path, messages=10)
    account.expunge(9)
    for path in account.kept:
        path.unlink()
    account.clock.seconds += archive_quota.MEASURE_SECONDS
    account.expunge(9)
    assert len(account.kept) == 9


def test_a_folder_that_cannot_be_read_keeps_nobody_from_expunging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(tmp_path, messages=2)
    account.expunge()

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(archive_quota.ArchiveQuota, "_names", broken)
    account.clock.seconds += archive_quota.MEASURE_SECONDS
    account.expunge(2)
    assert len(account.kept) == 3
    assert [os.path.basename(where) for where in account.faults] == ["expunged"]
