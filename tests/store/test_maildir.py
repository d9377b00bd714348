import itertools
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, mail
from tests.faults import HalfCachedDisk
from tests.store.disk_contract import DiskContract
from twisted_mail.interfaces import Blocking, Store
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Refused
from twisted_mail.store import maildir
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.format import layout
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.quota import over_quota
from twisted_mail.store.reservations import Reservations
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class TestMaildirContract(DiskContract):
    """A store in maildirs keeps what every store promises."""

    disk: type[Disk] = Disk

    def store_at(
        self, root: Path, settings: StoreSettings, clock: StillClock, render: FakeRenderer
    ) -> MaildirStore:
        services = StoreServices(settings=settings, disk=self.disk())
        return MaildirStore(root, InlineBlocking(), clock, render, services)

    @pytest.fixture
    def make_waiting_store(
        self, tmp_path: Path, clock: StillClock, render: FakeRenderer
    ) -> Callable[[Blocking], Store]:
        numbers = itertools.count()

        def make(blocking: Blocking) -> Store:
            return MaildirStore(tmp_path / f"w{next(numbers)}", blocking, clock, render)

        return make

    def reopened(self, store: Store) -> Store:
        assert isinstance(store, MaildirStore)
        self.run(store.close())
        return MaildirStore(
            store._root.decode(), InlineBlocking(), store._environment.clock, store._render
        )


class TestMaildirContractFromMemory(TestMaildirContract):
    """It keeps them where some files of messages are in memory, and some only in part."""

    chance_examples = 10
    disk = HalfCachedDisk


class CountingReserver:
    """Notes who asks for room, and has room for nobody."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def take(self, names: Iterable[str], size: int, messages: int = 1) -> Reservations:
        self.asked += names
        return dict.fromkeys(names, over_quota())


def delivered(store: MaildirStore) -> MailError | None:
    return finish(store.deliver([ALICE], Message(MemoryBlob(mail("x")))))[ALICE]


def test_room_is_asked_for_where_there_may_be_a_quota(tmp_path: Path) -> None:
    reserver = CountingReserver()
    store = MaildirStore(
        tmp_path, InlineBlocking(), StillClock(), FakeRenderer(), StoreServices(reserver=reserver)
    )
    assert isinstance(delivered(store), Refused)
    assert reserver.asked == [ALICE]


def test_nobody_is_asked_for_room_where_no_account_has_a_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MaildirStore(tmp_path, InlineBlocking(), StillClock(), FakeRenderer())
    reserver = CountingReserver()
    monkeypatch.setattr(store, "_reserver", reserver)
    assert delivered(store) is None
    assert reserver.asked == []


def test_an_account_that_is_removed_below_a_running_store_begins_anew(tmp_path: Path) -> None:
    clock = StillClock()
    store = MaildirStore(tmp_path, InlineBlocking(), clock, FakeRenderer())
    delivered(store)
    account = finish(store.account(ALICE))
    finish(account.create("Secret"))
    with closing(finish(account.open("INBOX"))) as mailbox:
        uidvalidity = mailbox.uidvalidity
    path = Path(os.fsdecode(layout.account_path(os.fsencode(tmp_path), ALICE)))
    path.rename(path.with_name(".gone"))
    shutil.rmtree(path.with_name(".gone"))
    clock.seconds += 60
    delivered(store)
    with closing(finish(account.open("INBOX"))) as mailbox:
        columns = mailbox.columns
        assert len(columns.uids) == 1
        assert mailbox.uidvalidity > uidvalidity
    names = {info.name for info in finish(account.mailboxes())}
    assert "Secret" not in names
    assert {"INBOX", "Sent", "Trash"} <= names


class TestManyAccounts:
    """Of many accounts the indexes of a few stay open, and those in use."""

    @pytest.fixture
    def clock(self) -> StillClock:
        return StillClock()

    @pytest.fixture
    def store(
        self, tmp_path: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch
    ) -> MaildirStore:
        monkeypatch.setattr(maildir, "OPEN_ACCOUNTS", 4)
        return MaildirStore(tmp_path, InlineBlocking(), clock, FakeRenderer())

    def use(self, store: MaildirStore, number: int) -> MaildirAccount:
        account: MaildirAccount = finish(store.account(f"u{number}@example.org"))
        finish(account.status("INBOX"))
        return account

    def test_the_indexes_used_least_recently_are_closed(self, store: MaildirStore) -> None:
        accounts = [self.use(store, number) for number in range(10)]
        self.use(store, 6)
        assert [each.lane.tree.has_open_index for each in accounts] == [False] * 6 + [True] * 4

    def test_those_in_use_stay_open(self, store: MaildirStore) -> None:
        accounts = [self.use(store, number) for number in range(4)]
        opened = [finish(each.open("INBOX")) for each in accounts]
        others = [self.use(store, number) for number in range(4, 30)]
        assert all(each.lane.tree.has_open_index for each in accounts)
        assert sum(each.lane.tree.has_open_index for each in others) == 1  # the last one
        for mailbox in opened:
            mailbox.close()

    def test_those_used_least_recently_are_closed_where_descriptors_are_short(
        self, store: MaildirStore, clock: StillClock
    ) -> None:
        accounts = []
        for number in range(4):
            accounts.append(self.use(store, number))
            clock.seconds += 1
        opened = [finish(each.open("INBOX")) for each in (accounts[1], accounts[0])]
        clock.seconds += 1
        finish(accounts[1].status("INBOX"))
        finish(store.close_accounts(3))
        has_files = [each.has_open_files for each in accounts]
        assert has_files == [False, True, False, False]
        finish(store.deliver([accounts[0].name], Message(MemoryBlob(b"Subject: x\r\n\r\n"))))
        assert finish(accounts[0].status("INBOX")).messages == 1  # and it is opened again
        assert accounts[0].has_open_files
        for mailbox in opened:
            mailbox.close()

    def test_those_that_nobody_uses_are_closed_after_a_while(
        self, store: MaildirStore, clock: StillClock
    ) -> None:
        idle = self.use(store, 0)
        clock.seconds += maildir.IDLE_SECONDS / 2
        used = self.use(store, 1)
        finish(store.close_accounts(0))
        assert idle.has_open_files
        clock.seconds += maildir.IDLE_SECONDS / 2
        finish(store.close_accounts(0))
        assert (idle.has_open_files, used.has_open_files) == (False, True)

    def test_few_are_looked_at_however_many_are_in_use(
        self, store: MaildirStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accounts = [self.use(store, number) for number in range(30)]
        looked: list[MaildirAccount] = []
        monkeypatch.setattr(
            MaildirAccount, "is_open", property(lambda account: not looked.append(account))
        )
        store._recent.update({each.name: each for each in accounts})
        self.use(store, 30)
        assert 0 < len(looked) <= 8
