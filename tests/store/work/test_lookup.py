"""Tests of twisted_mail.store.work.lookup: reading without a transaction, or within one after all."""

import os
import shutil

import apsw
import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from tests.store.shared_maildir import LATER, SharedMaildir, lose, uids
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.account import account
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.index.database import Database
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.freshness import RACY_SECONDS
from twisted_mail.store.tree.index_freshness import KnownIndex
from twisted_mail.store.work.lookup import find_at_once, find_unaltered, look_up
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
        for name in ("INBOX", "Work"):
            assert find_unaltered(self.tree, name)  # from now on, the files of the index are known
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
        at_once = find_at_once(self.tree, name)
        found = find_unaltered(self.tree, name)
        assert at_once in (None, found)  # what is seen at once is what the lane sees
        return found is not None

    def is_seen_at_once(self, name: str = "INBOX") -> bool:
        return find_at_once(self.tree, name) is not None


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


@pytest.mark.parametrize("place", ["cur", "new"])
def test_a_folder_that_another_program_removed_is_not_made_on_the_way(
    here: Lookups, place: str
) -> None:
    shutil.rmtree(here.shared.maildir / ".Work" / place)
    assert not here.is_unaltered("Work")
    assert not (here.shared.maildir / ".Work" / place).exists()
    assert here.shared.open("Work").columns.uidnext == 1


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


# ---------------------------------------------------------------- at once


def test_a_mailbox_in_which_nothing_happened_is_seen_at_once(here: Lookups) -> None:
    assert here.is_seen_at_once()
    assert here.is_seen_at_once("Work")


@pytest.mark.parametrize("place", ["new/d.host", "cur/d.host:2,"])
def test_what_another_program_put_there_is_not_missed(here: Lookups, place: str) -> None:
    here.shared.drop(place)
    assert not here.is_seen_at_once()
    assert here.is_seen_at_once("Work")


def test_flags_that_another_program_altered_are_not_missed(here: Lookups) -> None:
    path = here.shared.maildir / "cur" / here.shared.files("cur")[0]
    path.rename(f"{path}S")
    assert not here.is_seen_at_once()


def test_what_another_process_wrote_into_the_index_alone_is_not_missed(here: Lookups) -> None:
    index = here.other.lane.tree.index
    with index.transaction():
        state = index.mailboxes.state(b"")
        assert state is not None
        state.next_modseq()
    assert not here.is_seen_at_once()
    assert not here.is_seen_at_once("Work")


def test_own_work_is_known_at_once_after_one_lookup(here: Lookups) -> None:
    finish(here.shared.account.append("Work", [draft(mail("d"))]))
    assert not here.is_seen_at_once()
    assert here.is_unaltered()
    assert here.is_seen_at_once()


def test_a_log_that_was_written_just_now_is_not_believed(here: Lookups) -> None:
    log = here.shared.maildir.parent / "index.sqlite3-wal"
    here.shared.clock.seconds = log.stat().st_mtime + RACY_SECONDS / 2
    assert here.is_unaltered()
    assert not here.is_seen_at_once()


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_an_index_whose_files_are_others_is_not_believed(here: Lookups, suffix: str) -> None:
    path = here.shared.maildir.parent / f"index.sqlite3{suffix}"
    shutil.copy2(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").rename(path)
    assert not here.is_seen_at_once()


def test_what_is_not_in_memory_is_left_to_the_lane(
    here: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting(path: bytes) -> os.stat_result:
        raise BlockingIOError

    monkeypatch.setattr(here.shared.disk, "stat_at_once", waiting)
    assert not here.is_seen_at_once()
    assert here.is_unaltered()


def test_on_a_file_system_of_other_machines_nothing_is_seen_at_once(
    here: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here.tree.disk, "is_local", lambda fd: False)
    here.tree.known_index = KnownIndex(here.tree.disk, here.tree.path, here.shared.clock)
    assert here.is_unaltered()
    assert not here.is_seen_at_once()


def test_a_mailbox_in_memory_is_opened_without_the_lane(
    here: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lane(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(here.shared.account.lane, "call", lane)
    assert uids(here.shared.open()) == [1, 2, 3]


def test_while_the_lane_is_at_work_nothing_is_looked_at_beside_it(
    here: Lookups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InlineBlocking, "is_idle", False)
    monkeypatch.setattr(account, "find_at_once", None)
    assert uids(here.shared.open()) == [1, 2, 3]


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
