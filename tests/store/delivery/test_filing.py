"""Tests of twisted_mail.store.delivery.inbound: messages for mailboxes other than INBOX."""

import errno
import os
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, BOB, mail
from tests.store.delivery.inboxes import CAROL, Inboxes, message
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.environment import StoreEnvironment


@pytest.fixture
def filing(inboxes: Inboxes) -> Inboxes:
    for name in (ALICE, BOB):
        inboxes.make_folder(name, ".lists")
    return inboxes


def test_copies_in_mailboxes_and_inboxes_share_their_octets(filing: Inboxes) -> None:
    filed = {ALICE: "lists", BOB: "lists"}
    [answers] = filing.deliver(([ALICE, BOB, CAROL], message("one"), filed))
    assert answers == {ALICE: None, BOB: None, CAROL: None}
    assert filing.texts(ALICE, ".lists") == filing.texts(BOB, ".lists") == [mail("one")]
    assert (filing.texts(ALICE), filing.texts(CAROL)) == ([], [mail("one")])
    found = list(filing.root.glob("*/*/Maildir/**/new/*"))
    assert len({path.stat().st_ino for path in found}) == 1
    assert filing.left == []


def test_a_message_alone_syncs_its_file_and_the_folder_of_the_mailbox(filing: Inboxes) -> None:
    synced: list[bytes] = []
    real = filing.disk.sync_folder
    filing.disk.sync_folder = lambda path: (synced.append(path), real(path))[1]  # type: ignore[method-assign]
    assert filing.deliver(([ALICE], message("one"), {ALICE: "lists"})) == [{ALICE: None}]
    assert synced == [bytes(filing.folder(ALICE, ".lists") / "new")]
    assert filing.disk.syncs == ["file", "folder"]


def test_messages_together_are_synced_together(filing: Inboxes) -> None:
    one, two = (([ALICE], message(text), {ALICE: "lists"}) for text in ("one", "two"))
    assert filing.deliver(one, two) == [{ALICE: None}, {ALICE: None}]
    assert filing.disk.syncs == ["all", "all"]
    assert filing.texts(ALICE, ".lists") == [mail("one"), mail("two")]


def test_a_mailbox_that_is_gone_keeps_nobody_from_theirs(filing: Inboxes) -> None:
    filing.folder(ALICE, ".lists").rename(filing.folder(ALICE, "..gone"))
    filed = {ALICE: "lists", BOB: "lists"}
    [answers] = filing.deliver(([ALICE, BOB, CAROL], message("one"), filed))
    assert isinstance(answers[ALICE], Refused)
    assert answers[ALICE].condition == "NONEXISTENT"
    assert (answers[BOB], answers[CAROL]) == (None, None)
    assert not filing.folder(ALICE, ".lists").exists()
    assert filing.left == []


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EACCES, Refused), (errno.EIO, Refused), (errno.ENOSPC, Unavailable)]
)
def test_a_mailbox_that_cannot_be_used_is_noted_and_a_full_disk_is_no_fault_of_it(
    filing: Inboxes, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    noted: list[tuple[str, int | None]] = []
    faults = DiskFaults(lambda where, error: noted.append((where, getattr(error, "errno", None))))
    known = filing.environment
    filing.environment = StoreEnvironment(
        known.disk, known.clock, known.namer, known.boot, known.settings, faults
    )

    def fail(path: bytes, new_path: bytes) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filing.disk, "link", fail)
    monkeypatch.setattr(filing.disk, "create", real_but_in(filing, b"/.lists/", fail))
    [answers] = filing.deliver(([ALICE], message("one"), {ALICE: "lists"}))
    assert type(answers[ALICE]) is kind
    assert [one for _, one in noted] == [number]
    assert filing.left == []


def real_but_in(filing: Inboxes, part: bytes, fail: object) -> object:
    real = filing.disk.create

    def create(path: bytes) -> int:
        if part in path:
            fail(path, b"")  # type: ignore[operator]
        return real(path)

    return create


def test_a_mailbox_on_another_file_system_gets_a_copy_that_is_synced(
    filing: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EXDEV, "another mount")

    monkeypatch.setattr(filing.disk, "link", no_links)
    assert filing.deliver(([ALICE], message("one"), {ALICE: "lists"})) == [{ALICE: None}]
    assert filing.texts(ALICE, ".lists") == [mail("one")]
    assert filing.disk.syncs == ["file", "file", "folder"]
    assert list(filing.folder(ALICE, ".lists/tmp").iterdir()) == []


def test_an_account_without_a_maildir_has_no_such_mailbox(filing: Inboxes, tmp_path: Path) -> None:
    dora = "dora@example.org"
    [answers] = filing.deliver(([dora], message("one"), {dora: "lists"}))
    assert isinstance(answers[dora], Refused)
    assert filing.left == []
