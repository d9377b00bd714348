"""Transactions of an account: files and index together, all or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from twisted_mail.store.tree import other_processes
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import StoreEvent
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def transaction(tree: Tree) -> Iterator[UnitOfWork]:
    """Do a piece of work within a transaction; its events wait in ``tree.events`` at its end.

    The index's write lock is held meanwhile: no other process works on the account. What others did
    before is known from the beginning on, and published even if the work fails.
    """
    work = UnitOfWork(tree, tree.index)
    foreign: list[StoreEvent] = []
    try:
        with work.index.transaction():
            foreign = _follow_others(tree, work)
            yield work
            claimed = _claim_recent(work)
    except BaseException:
        work.roll_back()
        tree.queue_events(foreign)
        raise
    for folder, first, stop in claimed:
        folder.freshness.grant_recent(first, stop)
    for folder, state in work.states.items():
        folder.freshness.reach(state, tree.version)
    if work.events:
        tree.queue_events(work.events)
    for step in work.afterwards:
        step()


def _claim_recent(work: UnitOfWork) -> list[tuple[Folder, int, int]]:
    r"""Claim what is \Recent where sessions of this process have a mailbox selected.

    So the index never shows it as recent to another process, whose sessions hear of it, too.
    """
    claimed = []
    for folder, state in work.states.items():
        if folder.freshness.claimants and 0 < state.first_recent < state.uidnext:
            claimed.append((folder, state.first_recent, state.uidnext))
            state.first_recent = state.uidnext
    return claimed


def _follow_others(tree: Tree, work: UnitOfWork) -> list[StoreEvent]:
    """Follow mailboxes that other processes renamed or deleted; return what is to be published."""
    version = work.index.database.version()
    if version == tree.version:
        return []
    other_processes.follow(tree, work)
    tree.version = version
    return list(work.events)


def in_transaction(
    tree: Tree,
    function: Callable[Concatenate[Tree, UnitOfWork, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do a piece of work within a transaction of its own; not to be called within another."""
    with transaction(tree) as work:
        return function(tree, work, *args, **kwargs)
