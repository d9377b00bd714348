"""Tests of twisted_mail.store.search.indexing: whose turn it is, and how far it has come."""

import gc
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import ALICE, BOB, FakeRenderer, draft, mail
from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.search import indexing
from twisted_mail.store.search.indexing import IDLE_SECONDS, MAX_NOTED, MAX_WAIT_SECONDS, PIECE
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

HELLO = Contains("text", "hello")


class SlowDisk(Disk):
    """Lets time go by whenever a message is opened, and notes which."""

    def __init__(self, clock: StillClock) -> None:
        self.clock = clock
        self.seconds = 0.0
        self.opened: list[bytes] = []
        self.error: Exception | None = None
        self.on_open: Callable[[], object] = lambda: None

    def open(self, path: bytes) -> int:
        self.on_open()
        if b"/cur/" in path:
            self.clock.seconds += self.seconds
            self.opened.append(path)
            if self.error is not None:
                raise self.error
        return super().open(path)


class IndexedStore:
    def __init__(self, root: Path) -> None:
        self.clock = StillClock(2e9)
        self.disk = SlowDisk(self.clock)
        self.told: list[tuple[str, str, int, int]] = []
        self.store = MaildirStore(
            root,
            InlineBlocking(),
            self.clock,
            FakeRenderer(),
            StoreServices(progress=lambda *told: self.told.append(told), disk=self.disk),
        )
        self.alice = self.account(ALICE)

    def account(self, name: str) -> MaildirAccount:
        return finish(self.store.account(name))

    def put(self, account: MaildirAccount, *texts: str, name: str = "INBOX") -> tuple[int, ...]:
        return finish(account.append(name, [draft(mail(text)) for text in texts])).targets

    def work(self) -> int:
        """Do one round; return how many messages were read for it."""
        before = len(self.disk.opened)
        finish(self.store.indexing.work())
        return len(self.disk.opened) - before

    def idle(self) -> None:
        self.clock.seconds += IDLE_SECONDS

    @property
    def is_needed(self) -> bool:
        return self.store.indexing.is_needed

    def read_by_search(self, account: MaildirAccount) -> int:
        box = finish(account.open("INBOX"))
        before = len(self.disk.opened)
        finish(box.matching(list(box.columns.uids), HELLO))
        box.close()
        return len(self.disk.opened) - before


@pytest.fixture
def indexed(tmp_path: Path) -> IndexedStore:
    return IndexedStore(tmp_path)


def test_new_mail_is_indexed_once_the_account_is_idle(indexed: IndexedStore):
    indexed.put(indexed.alice, "hello", "other")
    assert indexed.is_needed
    assert indexed.work() == 0
    indexed.idle()
    assert indexed.work() == 2
    assert not indexed.is_needed
    assert indexed.read_by_search(indexed.alice) == 0


def test_an_account_that_is_never_idle_has_its_turn_too(indexed: IndexedStore):
    indexed.put(indexed.alice, "hello")
    for _ in range(int(MAX_WAIT_SECONDS / 0.5)):
        finish(indexed.alice.status("INBOX"))
        assert indexed.work() == 0
        indexed.clock.seconds += 0.5
    assert indexed.work() == 1


def test_a_round_ends_when_its_time_is_over_and_accounts_take_turns(indexed: IndexedStore):
    bob = indexed.account(BOB)
    indexed.put(indexed.alice, *["hello"] * 3 * PIECE)
    indexed.put(bob, *["hello"] * 3 * PIECE)
    indexed.idle()
    indexed.disk.seconds = 0.02
    read = [indexed.work() for _ in range(10)]
    assert max(read) <= 2 * PIECE
    owners = [b"alice" in path for path in indexed.disk.opened]
    changes = sum(one != two for one, two in itertools.pairwise(owners))
    assert len(owners) == 6 * PIECE
    assert changes >= 3
    assert not indexed.is_needed


def test_a_round_ends_when_the_account_is_used(indexed: IndexedStore):
    indexed.put(indexed.alice, *["hello"] * 3 * PIECE)
    indexed.idle()
    indexed.disk.on_open = indexed.alice.lane.note_use
    assert indexed.work() <= PIECE
    assert indexed.is_needed


def test_the_newest_messages_are_indexed_first(indexed: IndexedStore):
    uids = indexed.put(indexed.alice, *[f"text {number}" for number in range(PIECE + 50)])
    indexed.idle()
    indexed.work()
    folder = finish(indexed.alice.open("INBOX"))._folder
    files = {folder.file(row): row.uid for row in _rows(indexed.alice, folder)}
    order = [files[path] for path in indexed.disk.opened]
    assert sorted(order) == list(uids)
    assert min(order[:PIECE]) > max(order[PIECE:])


def _rows(account: MaildirAccount, folder: Any) -> Any:
    def rows(folder: Any, work: Any) -> Any:
        return work.index.all_rows(mailbox_row(folder, work))

    return finish(account.lane.perform_on(folder, rows))


def test_messages_that_are_gone_are_forgotten(indexed: IndexedStore):
    uids = indexed.put(indexed.alice, "hello", "hello")
    indexed.idle()
    indexed.work()
    box = finish(indexed.alice.open("INBOX"))
    finish(box.expunge(uids[:1]))
    assert indexed.is_needed
    indexed.idle()
    indexed.work()
    assert not indexed.is_needed
    assert _indexed(indexed) == {uids[1]}


def _indexed(indexed: IndexedStore) -> set[int]:
    index = indexed.alice.search._index
    assert index is not None
    return {
        number % 2**32 for (number,) in index.file.connection.execute("SELECT id FROM messages")
    }


def _rows_of_texts(indexed: IndexedStore) -> int:
    index = indexed.alice.search._index
    assert index is not None
    [(number,)] = index.file.connection.execute("SELECT count(*) FROM messages").fetchall()
    return int(number)


def test_a_deleted_mailbox_is_forgotten(indexed: IndexedStore):
    finish(indexed.alice.create("A"))
    indexed.put(indexed.alice, "hello", name="A")
    indexed.put(indexed.alice, "hello")
    indexed.idle()
    indexed.work()
    assert _rows_of_texts(indexed) == 2
    finish(indexed.alice.delete("A"))
    indexed.idle()
    indexed.work()
    assert not indexed.is_needed
    assert _rows_of_texts(indexed) == 1


def test_very_many_changes_are_not_remembered_one_by_one(indexed: IndexedStore):
    uids = indexed.put(indexed.alice, "hello", "hello")
    indexed.idle()
    indexed.work()
    box = finish(indexed.alice.open("INBOX"))
    for _ in range(MAX_NOTED + 10):
        indexed.store.indexing.note(
            indexed.alice.search, box._folder, EntriesExpunged("INBOX", uids[:1], 9)
        )
    [waiting] = indexed.store.indexing._waiting.values()
    [job] = waiting.jobs.values()
    assert job.must_compare
    assert len(job.gone) < MAX_NOTED
    indexed.idle()
    indexed.work()
    assert not indexed.is_needed
    assert _indexed(indexed) == set(uids)


def test_mail_that_comes_while_the_index_is_asked_is_indexed(indexed: IndexedStore):
    indexed.put(indexed.alice, "hello")
    indexed.idle()
    real = indexed.alice.search.missing

    async def missing(folder: Any) -> list[int]:
        found = await real(folder)
        await indexed.alice.append("INBOX", [draft(mail("hello"))])
        return found

    indexed.alice.search.missing = missing  # type: ignore[method-assign]
    while indexed.is_needed:
        indexed.work()
        indexed.idle()
    assert _indexed(indexed) == {1, 2}


def test_an_index_that_nobody_uses_is_closed(indexed: IndexedStore):
    indexed.put(indexed.alice, "hello")
    indexed.idle()
    indexed.work()
    index = indexed.alice.search._index
    assert index is not None
    assert not index.file.is_open


def test_a_long_indexing_is_told_and_a_short_one_is_not(
    indexed: IndexedStore, monkeypatch: pytest.MonkeyPatch
):
    indexed.put(indexed.alice, *["hello"] * 10)
    indexed.idle()
    indexed.work()
    assert indexed.told == []
    monkeypatch.setattr(indexing, "REPORTED", 50)
    indexed.put(indexed.alice, *["hello"] * 300)
    indexed.disk.seconds = 0.2
    indexed.idle()
    while indexed.is_needed:
        indexed.work()
    done = [each[2] for each in indexed.told]
    assert indexed.told[-1] == (ALICE, "INBOX", 300, 300)
    assert done == sorted(done)
    assert 3 <= len(done) <= 8


@pytest.mark.parametrize(
    "act", [lambda indexed: finish(indexed.alice.delete("A")), lambda indexed: None]
)
def test_trouble_puts_off_and_bugs_are_raised(
    indexed: IndexedStore, act: Callable[[IndexedStore], None]
):
    finish(indexed.alice.create("A"))
    indexed.put(indexed.alice, "hello", name="A")
    act(indexed)
    indexed.disk.error = OSError(5, "Input/output error")
    indexed.idle()
    while indexed.is_needed:
        indexed.work()
    indexed.disk.error = None
    indexed.put(indexed.alice, "hello")
    indexed.disk.error = ZeroDivisionError()
    indexed.idle()
    with pytest.raises(ZeroDivisionError):
        indexed.work()
    assert not indexed.is_needed


def test_an_account_that_nobody_has_is_not_kept_for_it(tmp_path: Path):
    indexed = IndexedStore(tmp_path)
    indexed.put(indexed.alice, "hello")
    finish(indexed.store.close())
    del indexed.alice
    gc.collect()
    assert not indexed.is_needed
    indexed.idle()
    assert indexed.work() == 0


def test_a_mailbox_that_was_never_indexed_is_when_it_is_opened(tmp_path: Path):
    indexed = IndexedStore(tmp_path)
    indexed.put(indexed.alice, "hello", "hello")
    finish(indexed.store.close())
    later = IndexedStore(tmp_path)
    finish(later.alice.open("INBOX"))
    later.idle()
    assert later.work() == 2
