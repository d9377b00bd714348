"""Tests of twisted_mail.store.work.lookup: reading without a transaction, or within one after all."""

import os
import shutil

import apsw
import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from tests.store.shared_maildir import LATER, SharedMaildir, lose
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.index.database import Database
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work.lookup import find_unaltered, look_up
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


class Lookups:
    """The mailbox INBOX of Alice with three messages, and another process that has it open too."""

    def __init__(self, shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shared = shared
        finish(shared.account.append("INBOX", [draft(mail(n)) for n in "abc"]))
        finish(shared.account.create("Work"))
        for name in ("INBOX", "Work"):
            shared.open(name).close()
        self.tree = shared.account.lane.tree
        self.other = other_process(shared)
        self.transactions = 0
        begin = Database.begin

        def counting(database: Database) -> None:
            self.transactions += 1
            begin(database)

        monkeypatch.setattr(Database, "begin", counting)

    def uids(self, name: str = "INBOX") -> list[int]:
        folder = self.tree.find(name)
        return look_up(self.tree, folder, lambda index, row: sorted(index.uids(row)))

    def is_unaltered(self, name: str = "INBOX") -> bool:
        return find_unaltered(self.tree, name) is not None


def other_process(shared: SharedMaildir) -> MaildirAccount:
    services = StoreServices(disk=QuickDisk())
    store = MaildirStore(shared.root, InlineBlocking(), StillClock(LATER), FakeRenderer(), services)
    account = finish(store.account(ALICE))
    finish(account.mailboxes())
    return account


@pytest.fixture
def here(shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch) -> Lookups:
    return Lookups(shared, monkeypatch)


# ---------------------------------------------------------------- asking the index


def test_what_is_known_is_read_without_a_transaction(here: Lookups) -> None:
    assert here.uids() == [1, 2, 3]
    assert here.transactions == 0


def test_a_lookup_does_not_wait_for_another_process_at_work(here: Lookups) -> None:
    database = here.other.lane.tree.index.database
    database.connection.execute("BEGIN IMMEDIATE")
    assert here.uids() == [1, 2, 3]
    database.roll_back()


def test_after_another_process_altered_something_it_is_read_within_one(here: Lookups) -> None:
    inbox = finish(here.other.open("INBOX"))
    here.transactions = 0
    assert here.uids() == [1, 2, 3]
    assert here.transactions == 1  # as the other one opened it
    finish(inbox.expunge([2]))
    here.transactions = 0
    assert here.uids() == [1, 3]
    assert here.transactions == 1
    assert here.uids() == [1, 3]
    assert here.transactions == 1


def test_work_on_one_mailbox_makes_no_other_known(here: Lookups) -> None:
    finish(finish(here.other.open("INBOX")).expunge([2]))
    finish(here.shared.account.append("Work", [draft(mail("d"))]))
    assert here.uids() == [1, 3]


def test_what_another_process_does_meanwhile_is_not_missed(here: Lookups) -> None:
    inbox = finish(here.other.open("INBOX"))
    here.uids()
    asked = []

    def question(index, row):
        found = sorted(index.uids(row))
        asked.append(found)
        if len(asked) == 1:
            finish(inbox.expunge([2]))
        return found

    assert look_up(here.tree, here.tree.find("INBOX"), question) == [1, 3]
    assert asked == [[1, 2, 3], [1, 3]]


def test_a_mailbox_with_the_number_of_one_that_is_gone_is_not_taken_for_it(here: Lookups) -> None:
    folder = here.tree.find("Work")
    finish(here.other.delete("Work"))
    finish(here.other.create("Play"))
    finish(here.other.append("Play", [draft(mail("d"))]))
    with pytest.raises(Refused):
        look_up(here.tree, folder, lambda index, row: sorted(index.uids(row)))


def test_an_index_that_is_opened_again_is_asked_within_a_transaction_first(here: Lookups) -> None:
    folder: Folder = here.tree.find("INBOX")
    finish(here.shared.account.close())
    finish(finish(here.other.open("INBOX")).expunge([2]))
    here.tree.index  # noqa: B018 it opens the index
    assert look_up(here.tree, folder, lambda index, row: sorted(index.uids(row))) == [1, 3]


def test_an_error_of_the_index_is_dealt_with_within_a_transaction(here: Lookups) -> None:
    asked = []

    def question(index, row):
        asked.append(row)
        if len(asked) == 1:
            raise apsw.CorruptError
        return len(index.uids(row))

    assert look_up(here.tree, here.tree.find("INBOX"), question) == 3
    assert here.transactions == 1


def test_messages_that_are_no_rows_yet_are_made_rows_within_a_transaction(
    shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1100):
        shared.drop(f"cur/{number}.host:2,S")
    here = Lookups(shared, monkeypatch)
    folder = here.tree.find("INBOX")
    before = here.transactions
    rows = look_up(here.tree, folder, lambda index, row: [one.uid for one in index.rows(row, [5])])
    assert rows == [5]
    assert here.transactions == before + 1


# ---------------------------------------------------------------- mailboxes in which nothing happened


def test_a_mailbox_in_which_nothing_happened_is_unaltered(here: Lookups) -> None:
    assert here.is_unaltered()
    assert here.is_unaltered("Work")
    assert here.transactions == 0


def test_files_that_came_or_went_are_seen(here: Lookups) -> None:
    here.shared.drop("new/a.host")
    assert not here.is_unaltered()
    here.shared.open().close()
    (here.shared.maildir / "cur/b.host:2,").write_bytes(mail("b"))
    assert not here.is_unaltered()


def test_keywords_that_another_program_wrote_are_seen(here: Lookups) -> None:
    (here.shared.maildir / "dovecot-keywords").write_text("0 Word\n")
    assert not here.is_unaltered()


def test_what_another_process_did_is_seen(here: Lookups) -> None:
    finish(finish(here.other.open("Work")).refresh())
    finish(here.other.append("INBOX", [draft(mail("d"))]))
    assert not here.is_unaltered()
    assert not here.is_unaltered("Work")


def test_a_mailbox_that_is_gone_is_looked_at(here: Lookups) -> None:
    shutil.rmtree(here.shared.maildir / ".Work")
    assert not here.is_unaltered("Work")
    assert not here.is_unaltered("Nothing")


def test_recent_messages_that_were_claimed_are_noted_first(here: Lookups) -> None:
    here.shared.drop("new/a.host")
    inbox = here.shared.open()
    assert here.is_unaltered()
    inbox.claim_recent()
    assert not here.is_unaltered()  # the file moves to cur


def test_own_renames_may_hide_others_for_a_while_only(here: Lookups) -> None:
    os.utime(here.shared.maildir / "cur", (1_000_000_000, 1_000_000_000))
    inbox = here.shared.open()
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    here.shared.clock.seconds += 11
    assert not here.is_unaltered()


# ---------------------------------------------------------------- STATUS


def test_the_status_is_counted_once(here: Lookups) -> None:
    before = finish(here.shared.account.status("INBOX", False))
    here.transactions = 0
    assert finish(here.shared.account.status("INBOX", False)) == before
    assert here.transactions == 0
    assert (before.messages, before.unseen) == (3, 3)


def test_the_status_follows_what_happens(here: Lookups) -> None:
    def status() -> tuple[int, int, int, int]:
        found = finish(here.shared.account.status("INBOX", False))
        return found.messages, found.unseen, found.deleted, found.uidnext

    assert status() == (3, 3, 0, 4)
    inbox = here.shared.open()
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    assert status() == (3, 2, 0, 4)
    finish(finish(here.other.open("INBOX")).mark([2, 3], "add", normal(["\\Deleted"])))
    assert status() == (3, 2, 2, 4)
    finish(inbox.expunge([2]))
    here.shared.drop("cur/d.host:2,")
    assert status() == (3, 2, 1, 5)
    lose(here.shared)
    assert status()[:3] == (3, 2, 1)
