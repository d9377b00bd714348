from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.flags import NONE
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.index import expunged_log
from twisted_mail.store.index.index import Index
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(
        QuickDisk(), str(tmp_path / "index.sqlite3").encode(), "boot", StillClock(), DiskFaults()
    )
    yield made
    made.close()


def fill(index: Index, number: int) -> None:
    with index.transaction():
        state = index.mailboxes.add(b"", 1)
        index.add(
            state,
            [Row(uid, b"%d" % uid, b"c", NONE, 1, 0, 1, 1) for uid in range(1, number + 1)],
        )


def remove(index: Index, *uids: int) -> int:
    """Remove messages; return the mod-sequence of that."""
    with index.transaction():
        state = index.mailboxes.state(b"")
        assert state is not None
        index.remove(state, uids, state.next_modseq())
        return state.highest_modseq


def since(index: Index, modseq: int) -> tuple[list[int], int]:
    with index.transaction():
        state = index.mailboxes.state(b"")
        assert isinstance(state, MailboxRow)
        return index.gone.since(state, modseq), index.gone.forgotten(state)


def test_what_was_removed_since_a_mod_sequence_is_known(index: Index) -> None:
    fill(index, 5)
    first = remove(index, 2, 4)
    second = remove(index, 1)
    assert since(index, 0) == ([1, 2, 4], 0)
    assert since(index, first) == ([1], 0)
    assert since(index, second) == ([], 0)


def test_the_oldest_are_forgotten_and_that_is_known(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expunged_log, "GONE_KEPT", 100)
    fill(index, 1000)
    modseqs = [remove(index, uid) for uid in range(1, 1001)]
    vanished, forgotten = since(index, 0)
    assert 100 <= len(vanished) <= 100 + 64
    assert vanished == list(range(1001 - len(vanished), 1001))
    assert modseqs[-len(vanished)] == forgotten + 1
    assert since(index, forgotten)[0] == vanished


def test_what_happened_lately_is_not_forgotten_however_much_it_is(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expunged_log, "GONE_KEPT", 100)
    fill(index, 1000)
    while True:
        with index.transaction():
            state = index.mailboxes.state(b"")
            assert state is not None
            if state.next_modseq() % 64 == 63:
                break
    before = remove(index, *range(1, 901))
    assert before % 64 == 0
    assert since(index, before - 1) == (list(range(1, 901)), 0)


def test_a_new_index_knows_that_it_knows_nothing_of_the_past(tmp_path: Path) -> None:
    def forgotten(tree: Tree, work: UnitOfWork) -> tuple[int, int]:
        state = mailbox_row(tree.find("INBOX"), work)
        return work.index.gone.forgotten(state), state.highest_modseq

    def store() -> MaildirStore:
        return MaildirStore(
            tmp_path,
            InlineBlocking(),
            StillClock(2e9),
            FakeRenderer(),
            StoreServices(disk=QuickDisk()),
        )

    first = store()
    account = finish(first.account(ALICE))
    finish(account.append("INBOX", [draft(mail("one"))]))
    assert finish(account.lane.perform(forgotten))[0] == 0
    finish(first.close())
    for path in tmp_path.glob("*/*/index.sqlite3*"):
        path.unlink()
    account = finish(store().account(ALICE))
    known, highest = finish(account.lane.perform(forgotten))
    assert 0 < known <= highest
