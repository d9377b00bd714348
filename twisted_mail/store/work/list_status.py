"""What clients see of an account's mailboxes without opening them: the answers to LIST and STATUS."""

from bisect import bisect_left
from collections import Counter

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import MailboxInfo, MailboxStatus
from twisted_mail.store.format import mailbox_names
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.reconcile import scan


def list_mailboxes(tree: Tree) -> list[MailboxInfo]:
    """Return the mailboxes, and names that are subscribed to and gone, sorted by name.

    It needs no transaction: all of it is in files.
    """
    uses = tree.special_uses.read()
    there = {name: uses.get(name, "") for name in tree.mailboxes()}
    return mailbox_names.list_mailboxes(there, tree.subscriptions.read())


def status(tree: Tree, work: UnitOfWork, name: str) -> MailboxStatus:
    """Return the counts of a mailbox."""
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
