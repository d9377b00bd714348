"""What a transaction does at its end, however that is."""

import os
from pathlib import Path

import pytest

from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.change import MailboxCreated
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.quota import QuotaLedger
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.tree.lane_events import ChangeEvent
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.transaction import in_transaction, transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.testing.doubles import StillClock


class BrokenError(Exception):
    """What work raises here."""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    environment = StoreEnvironment(
        QuickDisk(), StillClock(2e9), Namer("host"), "boot", StoreSettings()
    )
    tree = Tree(environment, os.fsencode(tmp_path), QuotaLedger())
    os.makedirs(tree.maildir)
    return tree


def record(tree: Tree, work: UnitOfWork, name: str) -> None:
    work.record(tree.folder(b""), MailboxCreated(name))


def test_events_wait_in_the_tree_once_the_work_is_done(tree: Tree) -> None:
    with transaction(tree) as work:
        record(tree, work, "a")
        assert not tree.events
    assert list(tree.events) == [ChangeEvent(tree.folder(b""), MailboxCreated("a"))]


def test_work_that_fails_leaves_no_event_and_undoes_the_last_step_first(tree: Tree) -> None:
    undone: list[int] = []

    def fail(tree: Tree, work: UnitOfWork) -> None:
        record(tree, work, "a")
        work.undo += [lambda: undone.append(1), lambda: undone.append(2)]
        raise BrokenError

    with pytest.raises(BrokenError):
        in_transaction(tree, fail)
    assert undone == [2, 1]
    assert not tree.events


def test_work_that_fails_leaves_the_index_as_it_was(tree: Tree) -> None:
    def fail(tree: Tree, work: UnitOfWork) -> None:
        mailbox_row(tree.folder(b""), work)
        raise BrokenError

    with pytest.raises(BrokenError):
        in_transaction(tree, fail)
    with transaction(tree) as work:
        assert work.index.mailboxes.folders() == {}


def test_what_comes_afterwards_may_open_another_transaction(tree: Tree) -> None:
    done: list[str] = []

    def note(tree: Tree, work: UnitOfWork) -> None:
        done.append("second")

    with transaction(tree) as work:
        work.afterwards.append(lambda: in_transaction(tree, note))
        done.append("first")
    assert done == ["first", "second"]


def test_what_comes_afterwards_is_left_out_where_the_work_fails(tree: Tree) -> None:
    done: list[str] = []

    def fail(tree: Tree, work: UnitOfWork) -> None:
        work.afterwards.append(lambda: done.append("afterwards"))
        raise BrokenError

    with pytest.raises(BrokenError):
        in_transaction(tree, fail)
    assert done == []


def test_a_row_that_work_saw_is_reached_at_its_end(tree: Tree) -> None:
    folder = tree.folder(b"")
    with transaction(tree) as work:
        state = mailbox_row(folder, work)
        assert folder.freshness.row is None
    assert folder.freshness.row == state
    assert folder.freshness.is_row_of(tree.index.database.version())
