"""Doing work in an account's lane: prepared, within a transaction, and again where the index failed."""

from collections.abc import Callable
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.index.database import DAMAGED, NO_DISK
from twisted_mail.store.tree import other_processes
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.transaction import in_transaction, transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.tree.unusable import FolderUnusable
from twisted_mail.store.work.prepare import make_maildir, prepare
from twisted_mail.store.work.reconcile import columns, scan

P = ParamSpec("P")
T = TypeVar("T")


def perform(
    tree: Tree,
    function: Callable[Concatenate[Tree, UnitOfWork, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do a piece of work on an account within a transaction. Raises Refused, Unavailable.

    When the index turns out to be damaged it is made again from the files, and when the disk takes no
    more it is kept in memory; then the work is done once more.
    """

    def attempt() -> T:
        with transaction(tree) as work:
            return function(tree, work, *args, **kwargs)

    return _persist(tree, attempt)


def perform_on(
    tree: Tree,
    folder: Folder,
    function: Callable[Concatenate[Folder, UnitOfWork, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Do a piece of work on one mailbox as ``perform`` does."""

    def attempt() -> T:
        with transaction(tree) as work:
            return function(folder, work, *args, **kwargs)

    return _persist(tree, attempt)


def perform_steps(
    tree: Tree, function: Callable[Concatenate[Tree, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Do work that needs no transaction, or several: it calls ``in_transaction`` for each.

    As in ``perform``, all of it is done once more where the index failed.
    """

    def attempt() -> T:
        if tree.index.database.version() != tree.version:
            in_transaction(tree, _do_nothing)
        return function(tree, *args, **kwargs)

    return _persist(tree, attempt)


def _do_nothing(tree: Tree, work: UnitOfWork) -> None:
    """The beginning of a transaction publishes what other processes did."""


def _persist(tree: Tree, attempt: Callable[[], T]) -> T:
    with tree.environment.faults.converted(tree.path):
        while True:  # each time without one folder more
            with suppress(FolderUnusable):
                return _attempt(tree, attempt)


def _attempt(tree: Tree, attempt: Callable[[], T]) -> T:
    try:
        if tree.is_prepared and tree.index.database.was_replaced():
            tree.is_prepared = False  # all of it may be another account's by now
        if not tree.is_prepared:
            _prepare(tree)
        tree.record_subscriptions()
        return attempt()
    except DAMAGED as error:
        tree.index.database.note_fault(error)
        _rebuild(tree)
    except NO_DISK as error:
        tree.index.database.note_fault(error)
        tree.index.database.leave_disk()
    if not tree.is_prepared:
        _prepare(tree)
    return attempt()


def _prepare(tree: Tree) -> None:
    make_maildir(tree.disk, tree.maildir)
    if tree.index.database.was_replaced():
        _replace_index(tree)
    in_transaction(tree, prepare)
    _compare(tree)  # at the first time nothing is known yet
    tree.is_prepared = True


def _rebuild(tree: Tree) -> None:
    """Make the index again, and have sessions that have mailboxes open compare."""
    _replace_index(tree)
    _compare(tree)


def _replace_index(tree: Tree) -> None:
    tree.index.database.replace()
    tree.lose_index()


def _compare(tree: Tree) -> None:
    for folder in [each for each in tree.folders.values() if each.uidvalidity]:
        try:
            in_transaction(tree, _compare_all, folder)
        except Refused:
            continue
        except OSError as error:
            folder.note_fault(folder.path, error)


def _compare_all(tree: Tree, work: UnitOfWork, folder: Folder) -> None:
    uidvalidity = folder.uidvalidity
    others = len(work.events)  # what other processes did to mailboxes
    state = scan(folder, work, is_forced=True)
    del work.events[others:]  # the columns say it all
    if state.uidvalidity == uidvalidity:
        work.record_columns(folder, columns(folder, work, state))
    else:  # UIDs mean other messages now
        other_processes.remove(tree, work, folder)


def close(tree: Tree) -> None:
    """Close the index of an account; it is opened again when it is needed."""
    if tree.has_open_index:
        with suppress(Refused, OSError, apsw.Error):
            in_transaction(tree, _save_recent)
        tree.close_index()


def _save_recent(tree: Tree, work: UnitOfWork) -> None:
    """Write down what sessions claimed."""
    for folder in tree.folders.values():
        if folder.uidvalidity and not folder.is_removed:
            mailbox_row(folder, work)
