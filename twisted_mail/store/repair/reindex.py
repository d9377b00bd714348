"""Making the index of one account again from its files, or the UIDs of a mailbox anew."""

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import uidlist
from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.index import read_only
from twisted_mail.store.repair.sizes import repair_sizes
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.list_status import list_mailboxes
from twisted_mail.store.work.newcomers import carry_keywords
from twisted_mail.store.work.reconcile import scan


def selectable_mailboxes(tree: Tree) -> list[str]:
    """Return the names of an account's mailboxes."""
    return [info.name for info in list_mailboxes(tree) if info.is_selectable]


def reindex(tree: Tree, work: UnitOfWork, mailbox: str) -> int:
    """Make again what the index knows of a mailbox; return how many messages it has.

    UIDs, UIDVALIDITY and mod-sequences go on, and keywords that no file holds are carried over, so
    that sessions may have it open. Only a file that is longer or shorter than it was gets a new UID.
    """
    folder = tree.find(mailbox)
    state = scan(folder, work, is_forced=True)
    with folder.uids.lock.held():  # sizes that clients have seen are known only now
        list(repair_sizes(folder, work, state, frozenset()))
    rows = work.index.all_rows(state)
    uidnext = state.uidnext
    work.index.mailboxes.clear(state)
    state.uidnext = 1  # so that those of the list are taken again
    folder.freshness.compare_list(folder.uids.load())
    scan(folder, work, is_forced=True)
    state.uidnext = max(state.uidnext, uidnext)
    again = work.index.all_rows(state)
    gone = {row.uid for row in rows}.difference(row.uid for row in again)
    if gone:
        work.index.remove(state, sorted(gone), state.next_modseq())
    carry_keywords(folder, work, state, rows)
    return len(again)


def renumber(tree: Tree, work: UnitOfWork, mailbox: str) -> None:
    """Give a mailbox a new UIDVALIDITY, and its messages new UIDs: clients load it again."""
    folder = tree.find(mailbox)
    old = scan(folder, work, is_forced=True)
    rows = work.index.all_rows(old)
    fresh = UidList(work.tree.new_uidvalidity(), guid=uidlist.new_guid())
    with folder.uids.lock.held():
        uidlist.UidFile(folder.disk, folder.path).start(fresh)
    work.index.mailboxes.remove(old)
    tree.folders.pop(folder.folder, None)
    folder = tree.find(mailbox)
    state = scan(folder, work, is_forced=True)
    carry_keywords(folder, work, state, rows)


def reindex_all(tree: Tree) -> dict[str, int]:
    """Make the whole index again; return the messages of each mailbox.

    To be called by ``perform_steps``.
    """
    if read_only.read_index(tree.disk, tree.path).fault:
        tree.index.database.replace()
    found: dict[str, int] = {}
    for mailbox in selectable_mailboxes(tree):
        try:
            found[mailbox] = in_transaction(tree, reindex, mailbox)
        except Refused:
            continue  # removed just now
    return found
