"""Tests of twisted_mail.store.delivery.detail_mailboxes."""

import errno
from collections.abc import Mapping

import pytest

from tests.contracts.ground import ALICE, BOB
from tests.store.delivery.inboxes import CAROL, Inboxes
from twisted_mail.store.delivery.detail_mailboxes import find_detail_mailboxes


def found(inboxes: Inboxes, details: Mapping[str, str]) -> dict[str, str]:
    return find_detail_mailboxes(inboxes.environment, bytes(inboxes.root), details)


def test_a_folder_that_another_program_made_is_a_mailbox(inboxes: Inboxes) -> None:
    inboxes.make_folder(ALICE, ".lists.python")
    inboxes.make_folder(ALICE, ".&AMQ-rger")
    assert found(inboxes, {ALICE: "lists/python", BOB: "lists/python"}) == {ALICE: "lists/python"}
    assert found(inboxes, {ALICE: "ärger"}) == {ALICE: "Ärger"}


def test_what_is_no_folder_is_no_mailbox(inboxes: Inboxes) -> None:
    inboxes.folder(ALICE, ".lists").write_text("a file")
    inboxes.folder(BOB, ".lists").symlink_to(inboxes.folder(CAROL))
    assert found(inboxes, {ALICE: "lists", BOB: "lists"}) == {}


def test_special_uses_are_those_of_the_account(inboxes: Inboxes) -> None:
    inboxes.make_folder(ALICE, ".lists")
    (inboxes.folder(ALICE).parent / "special-use").write_bytes(b"\\Archive .lists\n\\Junk .gone\n")
    assert found(inboxes, {ALICE: "lists"}) == found(inboxes, {ALICE: "gone"}) == {}


def test_an_account_without_mail_has_no_mailboxes(inboxes: Inboxes) -> None:
    assert found(inboxes, {"dora@example.org": "lists"}) == {}


def test_an_account_that_cannot_be_looked_at_keeps_nobody_waiting(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (ALICE, BOB):
        inboxes.make_folder(name, ".lists")
    real = inboxes.disk.names

    def names(path: bytes) -> list[bytes]:
        if b"alice" in path:
            raise OSError(errno.EACCES, "as told")
        return real(path)

    monkeypatch.setattr(inboxes.disk, "names", names)
    assert found(inboxes, {ALICE: "lists", BOB: "lists"}) == {BOB: "lists"}
