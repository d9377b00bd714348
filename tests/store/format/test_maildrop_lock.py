import asyncio
import errno
import multiprocessing
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, refused
from tests.faults import FailDisk, QuickDisk
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


def account(root: Path, disk: Disk | None = None) -> MaildirAccount:
    store = MaildirStore(
        root,
        InlineBlocking(),
        StillClock(),
        FakeRenderer(),
        StoreServices(disk=disk or QuickDisk()),
    )
    return finish(store.account(ALICE))


def test_stores_on_one_root_keep_each_other_out(tmp_path: Path) -> None:
    one, other = account(tmp_path), account(tmp_path)
    give_up = finish(one.lock_maildrop())
    with refused("IN-USE"):
        finish(other.lock_maildrop())
    give_up()
    give_up = finish(other.lock_maildrop())
    with refused("IN-USE"):
        finish(one.lock_maildrop())
    give_up()


def hold_and_die(root: Path, held: object) -> None:
    finish(account(root).lock_maildrop())
    held.set()  # type: ignore[attr-defined]
    multiprocessing.Event().wait()


def test_a_process_that_dies_gives_it_up(tmp_path: Path) -> None:
    mine = account(tmp_path)
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=hold_and_die, args=(tmp_path, held))
    process.start()
    try:
        assert held.wait(20)
        with refused("IN-USE"):
            finish(mine.lock_maildrop())
    finally:
        process.kill()
        process.join()
    finish(mine.lock_maildrop())()


def test_trouble_with_the_disk_is_told_and_leaves_no_lock(tmp_path: Path) -> None:
    account(tmp_path)
    mine = account(tmp_path, FailDisk(0, errno.ENOSPC, among=frozenset({"overwrite"})))
    with pytest.raises(Unavailable):
        finish(mine.lock_maildrop())
    finish(mine.lock_maildrop())()


class LateBlocking(InlineBlocking):
    """Does the work, but whoever waits for it is gone by then."""

    is_late = False

    async def run(self, work, *args, **kwargs):  # type: ignore[no-untyped-def]
        if not self.is_late:
            return work(*args, **kwargs)
        work(*args, **kwargs)
        raise asyncio.CancelledError


def test_a_session_that_ends_meanwhile_leaves_no_lock(tmp_path: Path) -> None:
    blocking = LateBlocking()
    store = MaildirStore(
        tmp_path, blocking, StillClock(), FakeRenderer(), StoreServices(disk=QuickDisk())
    )
    mine = finish(store.account(ALICE))
    blocking.is_late = True
    with pytest.raises(asyncio.CancelledError):
        finish(mine.lock_maildrop())
    blocking.is_late = False
    finish(mine.lock_maildrop())()
