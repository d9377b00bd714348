"""Tests of twisted_mail.store.work.mailbox_operations; the contract of the stores has the rest."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, mail
from tests.faults import QuickDisk
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.repair import undelete
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class BusyDisk(QuickDisk):
    """Something happens just before a mailbox loses its name."""

    happens: Callable[[], None] | None = None

    def rename(self, path: bytes, new_path: bytes) -> None:
        happens, self.happens = self.happens, None
        if happens is not None and path.endswith(b"/.lists"):
            happens()
        super().rename(path, new_path)


@pytest.mark.parametrize("days", [14, 0])
def test_what_is_delivered_while_a_mailbox_is_deleted_is_deleted_with_it(
    tmp_path: Path, days: int
) -> None:
    disk = BusyDisk()
    services = StoreServices(settings=StoreSettings(undelete_days=days), disk=disk)
    store = MaildirStore(tmp_path, InlineBlocking(), StillClock(2e9), FakeRenderer(), services)
    account = finish(store.account(ALICE))
    finish(account.create("lists"))

    def deliver() -> None:
        message = Message(MemoryBlob(mail("late")))
        assert finish(store.deliver([ALICE], message, {ALICE: "lists"})) == {ALICE: None}

    disk.happens = deliver
    finish(account.delete("lists"))
    expunged = finish(account.lane.perform_steps(undelete.list_expunged))
    assert len(expunged) == (1 if days else 0)
    assert not [name for name in os.listdir(tmp_path / "example.org/alice/Maildir") if ".." in name]
    finish(store.close())
