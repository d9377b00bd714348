"""The beginning of work on an account: its first mailboxes, and cleaning up after a crash."""

import os
from contextlib import suppress
from functools import partial
from stat import S_ISREG

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import (
    exists,
    make_folders,
    overwrite_file,
    remove,
    remove_tree,
    replace_files,
)
from twisted_mail.store.format import (
    layout,
    mailbox_names,
    special_use,
    subscriptions,
    uidlist,
    uidvalidity,
)
from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.mailbox_operations import make
from twisted_mail.store.work.transfer import unfinished_copy

TMP_SECONDS = 36 * 3600  # maildir(5): older files in tmp belong to nobody


def make_maildir(disk: Disk, path: bytes) -> None:
    """Make a maildir where it is missing or incomplete."""
    for place in layout.SUBFOLDERS:
        make_folders(disk, os.path.join(path, place))


def prepare(tree: Tree, work: UnitOfWork) -> None:
    """Clean up, and make the first mailboxes: the beginning of all work on an account."""
    _clean(tree)
    _make_first_mailboxes(tree)


def _clean(tree: Tree) -> None:
    """Remove what a crash or another program left."""
    for name in tree.disk.names(tree.maildir):
        path = os.path.join(tree.maildir, name)
        if name.startswith(b".."):
            with suppress(OSError):
                remove_tree(tree.disk, path)
        elif layout.mailbox_name(name) is not None and name.startswith(b"."):
            _clean_tmp(tree, os.path.join(path, b"tmp"))
    _clean_tmp(tree, os.path.join(tree.maildir, b"tmp"))


def _clean_tmp(tree: Tree, path: bytes) -> None:
    oldest = tree.environment.clock.now() - TMP_SECONDS
    try:
        names = tree.disk.names(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:  # whoever uses this folder hears of it
        tree.environment.faults.note(path, error)
        return
    for name in names:
        with suppress(OSError):
            file = os.path.join(path, name)
            found = tree.disk.stat(file)
            if unfinished_copy.is_listed(name) and S_ISREG(found.st_mode):
                _clean_copy(tree, file)
            elif found.st_mtime < oldest:
                remove(tree.disk, file)


def _clean_copy(tree: Tree, path: bytes) -> None:
    try:
        unfinished_copy.clean(tree.disk, path)
    except OSError as error:  # the next start goes on with it
        tree.environment.faults.note(path, error)


def _make_first_mailboxes(tree: Tree) -> None:
    """Make the first mailboxes; the file of special uses, written last, says that it is done.

    A maildir that another server served has the mailboxes that its user wants, and their subscriptions.
    """
    if tree.special_uses.are_written:
        return
    with tree.folder(layout.INBOX).uids.lock.held():
        if _was_served(tree):
            tree.special_uses.write(mailbox_names.SPECIAL)
        else:
            _begin(tree)


def _begin(tree: Tree) -> None:
    """Make the mailboxes of a new account, INBOX with its list of UIDs.

    The others are not looked at soon: each begins its list when it is. The sync of the names of both
    files of INBOX makes theirs durable, too. The name of the file of special uses need not be: where it
    is lost the file is written again.
    """
    [value] = tree.uidvalidities.next(tree.index.mailboxes.highest_uidvalidity())
    contents = {
        tree.uidvalidities.path: uidvalidity.write(value),
        tree.subscriptions.path: subscriptions.write({mailbox_names.INBOX, *mailbox_names.SPECIAL}),
        os.path.join(tree.maildir, uidlist.FILE): uidlist.write(
            UidList(value, guid=uidlist.new_guid())
        ),
    }
    replace_files(tree.disk, contents, partial(_make_others, tree))
    tree.disk.rename(tree.special_uses.path + b".new", tree.special_uses.path)


def _make_others(tree: Tree) -> None:
    """Make all but INBOX, and write what their special uses are, under another name yet."""
    there = tree.mailboxes()
    for name in mailbox_names.SPECIAL:
        if name not in there:
            make(tree, name)
    written = special_use.write(mailbox_names.SPECIAL)
    overwrite_file(tree.disk, tree.special_uses.path + b".new", [written])


def _was_served(tree: Tree) -> bool:
    files = (subscriptions.FILE, uidlist.FILE)
    return any(exists(tree.disk, os.path.join(tree.maildir, file)) for file in files)
