"""Making, deleting and renaming mailboxes of an account. In its lane.

Folders first, synced, then the index. A mailbox is made out of sight and then given its name; one that
is deleted loses its name first. Whatever fails is taken back.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import apsw

from twisted_mail.mail.mailbox.change import MailboxCreated, MailboxDeleted, MailboxRenamed
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.durable import remove_tree
from twisted_mail.store.format import layout, mailbox_names, uidlist
from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.quota import Usage
from twisted_mail.store.trash.expunged_archive import NO_SPACE
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.transfer import move

MAX_MAILBOXES = 10_000  # of one account


# ---------------------------------------------------------------- making


def create(tree: Tree, work: UnitOfWork, name: str, use: str) -> None:
    """Make a mailbox and the levels above it."""
    name = mailbox_names.new(name.removesuffix("/"))
    layout.folder_name(name)
    there = tree.mailboxes()
    if name in there:
        raise Refused("There is a mailbox of this name already.", "ALREADYEXISTS")
    missing = _missing_above(name, there, 1)
    tree.special_uses.add({name: mailbox_names.use(use)}, there)
    _make_all(tree, work, [*missing, name])


def _missing_above(name: str, there: dict[str, bytes], others: int = 0) -> list[str]:
    missing = [level for level in mailbox_names.above(name) if level not in there]
    if len(there) + len(missing) + others > MAX_MAILBOXES:
        raise Refused("There are too many mailboxes.", "LIMIT")
    return missing


def _make_all(tree: Tree, work: UnitOfWork, made: list[str]) -> None:
    if not made:
        return
    for name, uidvalidity in zip(made, tree.new_uidvalidities(len(made)), strict=True):
        coded = layout.folder_name(name)
        work.undo.append(partial(_unmake, tree, coded))
        make(tree, name, uidvalidity)
        work.record(tree.folder(coded), MailboxCreated(name))
    tree.disk.sync_folder(tree.maildir)


def make(tree: Tree, name: str, uidvalidity: int | None = None) -> None:
    """Make a mailbox out of sight, then give it its name, which the caller is to sync.

    Without a UIDVALIDITY it is what another program would make: its list of UIDs is begun, and what a
    power cut took of its folders is made again, when somebody looks at it.
    """
    path = os.path.join(tree.maildir, layout.folder_name(name))
    hidden = _hidden(tree)
    tree.disk.make_folder(hidden)
    for place in layout.SUBFOLDERS:
        tree.disk.make_folder(os.path.join(hidden, place))
    tree.disk.close(tree.disk.create(os.path.join(hidden, b"maildirfolder")))
    if uidvalidity is not None:
        # The last thing that comes there: it syncs the names of all.
        list_of_uids = UidList(uidvalidity, guid=uidlist.new_guid())
        uidlist.UidFile(tree.disk, hidden).start(list_of_uids)
    tree.disk.rename(hidden, path)


def _hidden(tree: Tree) -> bytes:
    """Return a new path in the maildir that is no mailbox's."""
    return os.path.join(tree.maildir, b".." + _unique(tree))


def _unique(tree: Tree) -> bytes:
    return tree.environment.namer.base(tree.environment.clock.now(), 0, 0).partition(b",")[0]


def _unmake(tree: Tree, coded: bytes) -> None:
    """Take back a mailbox that was made, unless mail lies in it by now."""
    if not _has_messages(tree, tree.folder(coded)):
        _trash(tree, coded)


def _has_messages(tree: Tree, folder: Folder) -> bool:
    return any(_mail_in(tree, folder.path))


def _mail_in(tree: Tree, path: bytes) -> Iterator[list[bytes]]:
    return (tree.disk.names(os.path.join(path, place)) for place in (b"new", b"cur"))


# ---------------------------------------------------------------- deleting


def delete(tree: Tree, work: UnitOfWork, name: str) -> None:
    """Delete a mailbox, not its children."""
    name = mailbox_names.canonical(name)
    folder = _deletable(tree, name)
    state = mailbox_row(folder, work)
    tree.uidvalidities.note(state.uidvalidity)
    kept = _archive_path(tree, work, folder)
    hidden = _trash(tree, folder.folder, kept)
    work.undo.append(partial(tree.disk.rename, hidden, folder.path))
    work.index.mailboxes.remove(state)
    work.record(folder, MailboxDeleted(name))
    work.afterwards.append(partial(_forget_mailbox, tree, folder, name))
    if hidden != kept:
        work.afterwards.append(partial(_remove_hidden, tree, folder.folder, hidden))


def _forget_mailbox(tree: Tree, folder: Folder, name: str) -> None:
    folder.is_removed = True
    tree.folders.pop(folder.folder, None)
    _forget_use(tree, name)


def _remove_hidden(tree: Tree, coded: bytes, hidden: bytes) -> None:
    """Remove a mailbox without a name; keep what was delivered there just before it lost that."""
    with suppress(OSError):
        if any(_mail_in(tree, hidden)):
            kept = tree.archive.mailbox_path(coded, _unique(tree))
            if kept:
                tree.disk.rename(hidden, kept)
                return
    with suppress(OSError):
        remove_tree(tree.disk, hidden)


def _deletable(tree: Tree, name: str) -> Folder:
    if name == mailbox_names.INBOX:
        raise Refused("INBOX cannot be deleted.", "CANNOT")
    there = tree.mailboxes()
    if name not in there and any(mailbox_names.below(name, there)):
        raise Refused("The name stands for the mailboxes below it.", "CANNOT")
    return tree.find(name)


def _archive_path(tree: Tree, work: UnitOfWork, folder: Folder) -> bytes:
    """Return where a mailbox that has messages goes as a whole, or nothing if it cannot."""
    if not _has_messages(tree, folder):
        return b""
    messages, octets = work.index.mailboxes.usage().get(folder.folder, (0, 0))
    tree.archive_quota.keep_within(tree.ledger.quota, Usage(octets, messages))
    return tree.archive.mailbox_path(folder.folder, _unique(tree))


def _trash(tree: Tree, coded: bytes, kept: bytes = b"") -> bytes:
    """Take a mailbox's name away, durably; return where it lies now: at ``kept`` if it can."""
    path, hidden = os.path.join(tree.maildir, coded), kept or _hidden(tree)
    try:
        tree.disk.rename(path, hidden)
    except OSError as error:
        if not kept or error.errno not in NO_SPACE:
            raise
        return _trash(tree, coded)
    try:
        for folder in dict.fromkeys((os.path.dirname(hidden), tree.maildir)):
            tree.disk.sync_folder(folder)
    except OSError:
        tree.disk.rename(hidden, path)
        raise
    return hidden


def _forget_use(tree: Tree, name: str) -> None:
    """Forget a use. What fails here does not undo what was done before."""
    with suppress(OSError, apsw.Error):
        if name in tree.special_uses.read():
            in_transaction(tree, _remove_use, name)


def _remove_use(tree: Tree, work: UnitOfWork, name: str) -> None:
    """The write lock keeps other processes from the file meanwhile."""
    uses = tree.special_uses.read()
    uses.pop(name, "")
    tree.special_uses.write(uses)


# ---------------------------------------------------------------- renaming


def rename(tree: Tree, work: UnitOfWork, name: str, new_name: str) -> None:
    """Rename a mailbox with its children; renaming INBOX moves its messages."""
    name, new_name = mailbox_names.canonical(name), mailbox_names.new(new_name)
    if name == mailbox_names.INBOX:
        _empty_inbox_into(tree, work, new_name)
        return
    there = tree.mailboxes()
    pairs = mailbox_names.renamed(name, new_name, there)
    coded = [(layout.folder_name(old), layout.folder_name(new)) for old, new in pairs]
    above = _missing_above(new_name, there)
    tree.special_uses.carry(pairs, there)
    _make_all(tree, work, above)
    for old, new in coded:
        _rename(tree, work, old, new)
    tree.disk.sync_folder(tree.maildir)
    for (old_name, next_name), (_, new) in zip(pairs, coded, strict=True):
        work.record(tree.folder(new), MailboxRenamed(old_name, next_name))
    work.afterwards.append(partial(_forget_old_uses, tree, pairs))


def _rename(tree: Tree, work: UnitOfWork, old: bytes, new: bytes) -> None:
    folder = tree.folder(old)
    state = work.index.mailboxes.state(old)
    tree.disk.rename(os.path.join(tree.maildir, old), os.path.join(tree.maildir, new))
    tree.follow(folder, new)
    work.undo.append(partial(_rename_back, tree, folder, old, new))
    if state is not None:
        work.index.mailboxes.rename(state, new)


def _rename_back(tree: Tree, folder: Folder, old: bytes, new: bytes) -> None:
    tree.disk.rename(os.path.join(tree.maildir, new), os.path.join(tree.maildir, old))
    tree.follow(folder, old)


def _forget_old_uses(tree: Tree, pairs: list[tuple[str, str]]) -> None:
    new_names = {new for _, new in pairs}
    for old, _ in pairs:
        if old not in new_names:
            _forget_use(tree, old)


def _empty_inbox_into(tree: Tree, work: UnitOfWork, new_name: str) -> None:
    layout.folder_name(new_name)
    there = tree.mailboxes()
    if new_name in there:
        raise Refused("There is a mailbox of this name already.", "ALREADYEXISTS")
    missing = _missing_above(new_name, there, 1)
    tree.special_uses.add({}, there)
    _make_all(tree, work, [*missing, new_name])
    source, target = tree.find(mailbox_names.INBOX), tree.find(new_name)
    rows = work.index.all_rows(scan(source, work))
    move.move(source, target, work, [row.uid for row in rows])
