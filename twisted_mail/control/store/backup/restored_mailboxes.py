"""What a restore asks of the mailboxes of an account, and does in them."""

import os
from contextlib import suppress

from twisted_mail.control.store.backup import manifest
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import filename
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work import set_flags
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.transfer import move


def present(tree: Tree, mailbox: str) -> set[bytes]:
    """Return the base names of the messages in a mailbox."""
    try:
        path = tree.path_of(mailbox)
    except Refused:
        return set()
    names = [
        name for place in (b"new", b"cur") for name in tree.disk.names(os.path.join(path, place))
    ]
    return {filename.split(name)[0] for name in names}


def is_restored(tree: Tree, work: UnitOfWork, box: manifest.SavedMailbox) -> bool:
    """Return whether a mailbox has all that the backup has, with the same numbers."""
    try:
        state = scan(tree.find(box.name), work)
    except Refused:
        return False
    if state.uidvalidity != box.uidvalidity or state.uidnext < box.uidnext:
        return False
    there = {row.base: row.uid for row in work.index.all_rows(state)}
    return all(base in there and uid in (0, there[base]) for base, uid in box.uids.items())


def move_aside(tree: Tree, mailbox: str, target: str) -> int:
    """Move all messages of a mailbox into another one; return how many there were."""
    with suppress(Refused):
        in_transaction(tree, create, target, "")
    return in_transaction(tree, _move_all, mailbox, target)


def _move_all(tree: Tree, work: UnitOfWork, mailbox: str, target: str) -> int:
    source = tree.find(mailbox)
    rows = work.index.all_rows(scan(source, work, is_forced=True))
    move.move(source, tree.find(target), work, [row.uid for row in rows])
    return len(rows)


def mark_again(tree: Tree, work: UnitOfWork, box: manifest.SavedMailbox) -> None:
    """Set the keywords of messages, for which file names have no room."""
    folder = tree.find(box.name)
    groups: dict[flag.Flags, list[int]] = {}
    has = {row.base: row for row in work.index.all_rows(scan(folder, work))}
    for line in box.lines:
        row = has.get(manifest.base_of(line))
        missing = flag.normal(line["flags"]) - row.flags if row else flag.NONE
        if row and missing:
            groups.setdefault(missing, []).append(row.uid)
    for flags, uids in groups.items():
        set_flags.mark(folder, work, uids, "add", flags, None)
