"""The contract holds where sessions of one account are in different processes."""

from pathlib import Path
from typing import Any

from tests.contracts.chance import Folder, Model
from tests.contracts.ground import ALICE, HELLO, FakeRenderer, draft, mail, rows
from tests.faults import HalfCachedDisk, QuickDisk
from tests.store.disk_contract import DiskContract
from tests.store.spread import SpreadStore
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock

PROCESSES = 3


class TestSpreadContract(DiskContract):
    """Each call comes to another process."""

    # Who watches an account, as no session does, hears of mailboxes that are not open in that process
    # what is done there.
    test_a_copy_is_rung_for_the_target_only = None
    test_a_delivery_is_rung = None
    test_the_same_account_is_seen_by_all_who_ask_for_it = None
    test_the_target_is_rung_before_the_source = None
    test_what_is_quarantined_goes_where_junk_lies = None

    disk: type[Disk] = QuickDisk

    def store_at(
        self, root: Path, settings: StoreSettings, clock: StillClock, render: FakeRenderer
    ) -> Any:
        main: MaildirStore | None = None
        stores = []
        for _ in range(PROCESSES):
            reserver = main and main.own_reserver
            services = StoreServices(settings=settings, disk=self.disk(), reserver=reserver)
            stores.append(MaildirStore(root, InlineBlocking(), clock, render, services))
            main = main or stores[0]
        return SpreadStore(stores, clock)

    def test_two_who_have_a_mailbox_open_see_the_same_columns(
        self, account: Account, inbox: Mailbox
    ) -> None:
        other = self.run(account.open("inbox"))
        self.put(account, "INBOX", draft(HELLO))
        assert other.columns == inbox.columns
        assert other.columns is not inbox.columns

    def play(self, store: Store, story: list[tuple[Any, ...]]) -> None:
        """Do random operations; compare all that is there, and what is open, with the model."""
        account = self.run(store.account(ALICE))
        model = Model()
        opened: list[Mailbox] = []
        for word, *arguments in story:
            expected = getattr(model, word)(*arguments)
            assert self.attempt(account, model, word, arguments, opened) == expected
            assert self.selectable(account) == sorted(model.folders)
            for name, folder in model.folders.items():
                self.compare_with_model(account, name, folder, opened)
        for mailbox in opened:
            mailbox.close()

    def compare_with_model(
        self, account: Account, name: str, folder: Folder, opened: list[Mailbox]
    ) -> None:
        mailbox = self.run(account.open(name))
        found = rows(mailbox)
        assert {row.uid: row.flags for row in found} == {
            uid: marks for uid, (_, marks) in folder.messages.items()
        }
        assert [self.whole(mailbox, uid) for uid in sorted(folder.messages)] == [
            mail(folder.messages[uid][0]) for uid in sorted(folder.messages)
        ]
        for other in opened:
            if other.id == mailbox.id:
                assert rows(other) == found
        mailbox.close()


class TestSpreadContractFromMemory(TestSpreadContract):
    """Some files of messages are in memory, and some only in part."""

    chance_examples = 10
    disk = HalfCachedDisk
