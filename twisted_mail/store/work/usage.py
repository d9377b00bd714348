"""How much an account holds, by its index, and whether more has room. In the account's lane."""

from contextlib import suppress
from functools import partial

from twisted_mail.mail.outcome import Refused
from twisted_mail.store import quota
from twisted_mail.store.format import layout
from twisted_mail.store.quota import Usage
from twisted_mail.store.tree.skip_unusable import unless_unusable
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.measure import measure_all, measure_next
from twisted_mail.store.work.reconcile import scan

LOOK_SECONDS = 10.0  # how often APPEND and COPY look for what other programs put elsewhere


def count(tree: Tree, work: UnitOfWork, is_fresh: bool = True) -> Usage:
    """Return how much the account holds.

    INBOX is looked at each time, the others if they are not in the index yet, or if ``is_fresh``. What
    came since ``measure_piece`` was at work is measured here.
    """
    there = tree.mailboxes()
    known = work.index.mailboxes.usage()
    for name, coded in there.items():
        if is_fresh or coded == layout.INBOX or coded not in known:
            _look(tree, work, name)
    if is_fresh:
        tree.counted_at = tree.environment.clock.monotonic()
    if tree.ledger.quota.octets:
        for coded in {*there.values()} & work.index.mailboxes.unmeasured():
            folder = tree.folder(coded)
            unless_unusable(tree, folder, partial(measure_all, folder, work))
    found = work.index.mailboxes.usage()
    held = [found[coded] for coded in there.values() if coded in found]
    return Usage(sum(octets for _, octets in held), sum(messages for messages, _ in held))


def _look(tree: Tree, work: UnitOfWork, name: str) -> None:
    """Look at one of the mailboxes, unless it is being deleted or its folder cannot be used."""
    with suppress(Refused):
        folder = tree.find(name)
        unless_unusable(tree, folder, partial(scan, folder, work))


def is_due(tree: Tree) -> bool:
    """Return whether the next claim looks at all mailboxes anew."""
    return not 0 <= tree.environment.clock.monotonic() - tree.counted_at < LOOK_SECONDS


def unmeasured(tree: Tree, work: UnitOfWork) -> list[bytes]:
    """Look at all mailboxes; return the folders of those that have messages to be measured."""
    there = tree.mailboxes()
    for name in there:
        _look(tree, work, name)
    return sorted({*there.values()} & work.index.mailboxes.unmeasured())


def measure_piece(tree: Tree, work: UnitOfWork, coded: bytes, after: int) -> int | None:
    """Measure the next messages of a mailbox after a UID; return how far that went, None: to the end."""
    folder = tree.folder(coded)
    return unless_unusable(tree, folder, partial(measure_next, folder, work, after))


def claim(work: UnitOfWork, size: Usage) -> None:
    """Make sure that the account has room for more. Raises Refused, or Unavailable, with OVERQUOTA."""
    tree, ledger = work.tree, work.tree.ledger
    if not ledger.quota.is_set:
        return
    ledger.claims += 1
    flying = ledger.in_flight
    for is_fresh in (True,) if is_due(tree) else (False, True):
        wanted = count(tree, work, is_fresh).plus(size)
        if ledger.quota.holds(wanted.plus(flying)):
            return
    raise quota.over_quota(is_certain=not ledger.quota.holds(wanted))


def survey(tree: Tree, work: UnitOfWork) -> tuple[Usage, int]:
    """Count anew; return the number of claims, too."""
    return count(tree, work), tree.ledger.claims


def measure_named(tree: Tree, work: UnitOfWork, name: str, after: int) -> int | None:
    """Measure the next messages of a mailbox as ``measure_piece`` does, after a look at it at first.

    Raises Refused: NONEXISTENT.
    """
    folder = tree.find(name)
    if after == 0:
        scan(folder, work)
    return measure_next(folder, work, after)
