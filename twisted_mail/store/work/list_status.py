"""What clients see of an account's mailboxes without opening them: the answers to LIST and STATUS."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import MailboxInfo, MailboxStatus
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.format import mailbox_names
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.lookup import find_unaltered
from twisted_mail.store.work.reconcile import scan

T = TypeVar("T")


def list_mailboxes(tree: Tree) -> list[MailboxInfo]:
    """Return the mailboxes, and names that are subscribed to and gone, sorted by name.

    It needs no transaction: all of it is in files. Where the subscriptions cannot be read, all mailboxes
    count as subscribed: a client that shows only those shows too many, and drops none.
    """
    mailboxes, none = tree.mailboxes(), dict[str, str]()
    uses = _read(tree, tree.special_uses.path, tree.special_uses.read, none)
    there = {name: uses.get(name, "") for name in mailboxes}
    subscribed = _read(tree, tree.subscriptions.path, tree.subscriptions.read, set(mailboxes))
    return mailbox_names.list_mailboxes(there, subscribed)


def _read(tree: Tree, path: bytes, read: Callable[[], T], instead: T) -> T:
    """Return what a file says, or something ``instead`` if this one file cannot be read."""
    try:
        return read()
    except OSError as error:
        if not is_of_one_file(error):
            raise
        tree.environment.faults.note(path, error)
        return instead


def known_status(tree: Tree, name: str) -> MailboxStatus:
    """Return the counts of a mailbox: those of the last time, where nothing happened since.

    It opens a transaction if it needs one.
    """
    found = find_unaltered(tree, name)
    if found is not None:
        folder, row = found
        if folder.counted is not None and folder.counted[0] == row:
            return folder.counted[1]
    folder, counts = in_transaction(tree, _count, name)
    folder.counted = folder.freshness.row, counts
    return counts


def _count(tree: Tree, work: UnitOfWork, name: str) -> tuple[Folder, MailboxStatus]:
    return tree.find(name), status(tree, work, name)


def status(tree: Tree, work: UnitOfWork, name: str) -> MailboxStatus:
    """Return the counts of a mailbox, looked at just now."""
    folder = tree.find(name)
    state = scan(folder, work)
    found = work.index.columns(state)
    sets = Counter(found.flags)
    return MailboxStatus(
        messages=len(found),
        recent=len(found) - bisect_left(found.uids, state.first_recent),
        unseen=sum(number for flags, number in sets.items() if flag.SEEN not in flags),
        deleted=sum(number for flags, number in sets.items() if flag.DELETED in flags),
        size=state.octets,
        uidnext=state.uidnext,
        uidvalidity=state.uidvalidity,
        highest_modseq=state.highest_modseq,
        id=folder.id,
    )
