"""SUBSCRIBE and UNSUBSCRIBE."""

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import layout, mailbox_names
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork

MAX_SUBSCRIPTIONS = 10_000  # of one account


def subscribe(tree: Tree, work: UnitOfWork, name: str, is_subscribed: bool) -> None:
    """Subscribe to a name, or no longer. Raises Refused: LIMIT, CANNOT."""
    name = mailbox_names.new(name) if is_subscribed else mailbox_names.canonical(name)
    tree.record_subscriptions()  # what another process did just before
    work.afterwards.append(tree.record_subscriptions)
    found = tree.subscriptions.read()
    if (name in found) == is_subscribed:
        return
    if is_subscribed:
        if len(found) >= MAX_SUBSCRIPTIONS:
            raise Refused("There are too many subscriptions.", "LIMIT")
        layout.folder_name(name)
    tree.subscriptions.write(found | {name} if is_subscribed else found - {name})
