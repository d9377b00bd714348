import errno
import os
import shutil
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import FailDisk, QuickDisk, StopDisk, Stopped
from twisted_mail.mail.mailbox.entry import CopyResult, MessageRange
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

TEXTS = [mail(text) for text in ("one", "two", "three")]


def account_at(root: Path, disk: QuickDisk | None = None) -> MaildirAccount:
    disk = disk or QuickDisk()
    store = MaildirStore(
        root, InlineBlocking(), StillClock(2e9), FakeRenderer(), StoreServices(disk=disk)
    )
    return finish(store.account(ALICE))


def texts(account: MaildirAccount, *names: str) -> list[bytes]:
    found = []
    for name in names:
        mailbox = finish(account.open(name))
        found += finish(mailbox.read([MessageRange(uid) for uid in mailbox.columns.uids]))
        mailbox.close()
    return found


def move(account: MaildirAccount, uids: list[int], target: str) -> CopyResult:
    inbox = finish(account.open("INBOX"))
    try:
        return finish(inbox.move(uids, target))
    finally:
        inbox.close()


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """An account whose inbox has three messages."""
    root = tmp_path / "before"
    account = account_at(root)
    finish(account.append("INBOX", [draft(text, "Own") for text in TEXTS]))
    finish(account.close())
    return root


class ApartDisk(FailDisk):
    """A mailbox, Sent, is on a file system of its own."""

    def rename(self, path: bytes, new_path: bytes) -> None:
        self.check(path, new_path)
        super().rename(path, new_path)

    def link(self, path: bytes, new_path: bytes) -> None:
        self.check(path, new_path)
        super().link(path, new_path)

    def check(self, path: bytes, new_path: bytes) -> None:
        if (b"/.Sent/" in path) != (b"/.Sent/" in new_path):
            raise OSError(errno.EXDEV, "as told")


@pytest.mark.parametrize("target", ["INBOX", "Sent"])
def test_wherever_a_move_stops_each_message_is_in_one_place(
    before: Path, tmp_path: Path, target: str
) -> None:
    names = dict.fromkeys(["INBOX", target])
    for stop_at in range(100):
        root = tmp_path / str(stop_at)
        shutil.copytree(before, root)
        try:
            move(account_at(root, StopDisk(stop_at)), [1, 3], target)
        except Stopped:
            assert sorted(texts(account_at(root), *names)) == sorted(TEXTS)
        else:
            return
    raise AssertionError("it does not end")


@pytest.mark.parametrize("target", ["INBOX", "Sent"])
def test_a_move_gives_new_uids_and_keeps_flags(before: Path, target: str) -> None:
    account = account_at(before)
    copied = move(account, [3, 1, 7], target)
    assert copied.sources == (1, 3)
    mailbox = finish(account.open(target))
    assert mailbox.columns.uids[-2:].tolist() == list(copied.targets)
    assert mailbox.columns.flags[-2:] == [frozenset({"Own"})] * 2
    assert finish(mailbox.read([MessageRange(uid) for uid in copied.targets])) == [
        TEXTS[0],
        TEXTS[2],
    ]


def test_messages_move_to_a_mailbox_on_another_file_system(before: Path) -> None:
    account = account_at(before, ApartDisk(-1, 0))
    move(account, [1, 3], "Sent")
    assert texts(account, "INBOX") == [TEXTS[1]]
    assert texts(account, "Sent") == [TEXTS[0], TEXTS[2]]


def test_whatever_fails_on_the_way_to_another_file_system_nothing_is_lost_or_doubled(
    before: Path, tmp_path: Path
) -> None:
    for fail_at in range(100):
        root = tmp_path / str(fail_at)
        shutil.copytree(before, root)
        disk = ApartDisk(fail_at, errno.EIO)
        try:
            move(account_at(root, disk), [1, 3], "Sent")
        except Unavailable:
            assert texts(account_at(root), "INBOX") == TEXTS
        if not disk.has_failed:
            return
    raise AssertionError("it does not end")


def test_a_message_that_another_program_marks_meanwhile_is_moved(before: Path) -> None:
    class Meanwhile(QuickDisk):
        def rename(self, path: bytes, new_path: bytes) -> None:
            if path.endswith(b":2,a") and b"/.Sent/" in new_path:
                os.rename(path, path[:-1] + b"Sa")
            super().rename(path, new_path)

    account = account_at(before, Meanwhile())
    copied = move(account, [1, 2, 3], "Sent")
    assert (copied.sources, len(copied.targets)) == ((1, 2, 3), 3)
    sent = finish(account.open("Sent"))
    assert list(sent.columns.flags) == [frozenset({"\\Seen", "Own"})] * 3
    assert texts(account, "INBOX", "Sent") == TEXTS
    assert texts(account_at(before), "INBOX", "Sent") == TEXTS
