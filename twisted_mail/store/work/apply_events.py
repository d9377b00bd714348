"""Looking at what was reported of a mailbox's folders: name by name, without reading the folders.

The names are looked at on the disk once more, for much may have happened since. Whatever is not plain,
such as a name that left and came nowhere, is left to a scan of the whole mailbox.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from twisted_mail.interfaces import FolderEvent
from twisted_mail.mail.mailbox.change import MailboxCreated, MailboxDeleted, MailboxRenamed
from twisted_mail.store.disk.durable import exists
from twisted_mail.store.format import filename, layout
from twisted_mail.store.format.uidlist import UidFile
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import mailboxes_after
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.newcomers import add, forget
from twisted_mail.store.work.reconcile import compare, scan, settle

HeardEvent = tuple[bytes, FolderEvent, bytes]  # new or cur, what was seen, the file's name
Tail = tuple[bytes, bool]  # the last one, or nothing and whether the file was deleted


def look(
    folder: Folder, work: UnitOfWork, heard: Sequence[HeardEvent] | None, is_lost: bool
) -> None:
    """Bring the index up to date with what was reported; None: with what is there."""
    if work.tree.notified is None:  # from now on, what happens to mailboxes is published
        work.tree.notified = work.tree.places()
    if is_lost or (heard and not _look_at(folder, work, heard)):
        scan(folder, work, is_forced=True)
        if any(_is_strange(name) for _, _, name in heard or ()):
            scan(folder, work, is_forced=True)  # the first one gave them other names
    elif heard is None or (folder.keywords.are_awaited and folder.keywords.is_stale()):
        scan(folder, work)
    else:
        settle(folder, work, mailbox_row(folder, work))


def _look_at(folder: Folder, work: UnitOfWork, heard: Sequence[HeardEvent]) -> bool:
    """Take in what happened to single names; return whether that was possible."""
    state = mailbox_row(folder, work)
    if folder.freshness.listed is not None or folder.keywords.is_stale() or folder.uids.is_stale():
        return False
    if any(_is_strange(name) for _, _, name in heard):
        return False
    times = folder.times()
    tails = _tails(heard)
    rows = {row.base: row for row in work.index.rows_of(state, tails)}
    seen = _compared(folder, rows, tails, _written(heard))
    if seen is None:
        return False
    present = {base: tail for base, (tail, _) in tails.items()}
    compare(folder, work, state, seen.altered, present, False)
    forget(folder, work, state, seen.gone)
    add(folder, work, state, seen.fresh)
    _see(folder, state, times, heard)
    settle(folder, work, state)
    return True


@dataclass(slots=True)
class _Seen:
    """What happened to messages: those with other names now, UIDs of those gone, names of new ones."""

    altered: list[Row] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    fresh: dict[bytes, bytes] = field(default_factory=dict)


def _compared(
    folder: Folder, rows: dict[bytes, Row], tails: dict[bytes, Tail], written: set[bytes]
) -> _Seen | None:
    """Return what happened to messages; None if that is not plain."""
    seen = _Seen()
    for base, (tail, is_deleted) in tails.items():
        row = rows.get(base)
        if row is None:
            if tail and _is_there(folder, base, tail):  # else another event is to come
                seen.fresh[base] = tail
        elif tail == row.tail or _is_there(folder, row.base, row.tail):
            if tail and tail != row.tail and _is_there(folder, base, tail):
                return None  # two files of one base name
            if base in written and not _is_whole(folder, row):
                seen.gone.append(row.uid)
                seen.fresh[base] = row.tail
        elif tail and _is_there(folder, base, tail):
            seen.altered.append(row)
        elif is_deleted:
            seen.gone.append(row.uid)
        else:
            return None
    return seen


def _written(heard: Sequence[HeardEvent]) -> set[bytes]:
    return {filename.split(name)[0] for _, sight, name in heard if sight is FolderEvent.WRITTEN}


def _is_strange(name: bytes) -> bool:
    """Return whether a scan gives files of this name another one."""
    is_renamed = not filename.is_listable(name) or filename.with_colon(name) != name
    return is_renamed and not name.startswith(b".")


def _tails(heard: Sequence[HeardEvent]) -> dict[bytes, Tail]:
    """Return for each base name its last tail, or nothing and whether it was deleted."""
    found: dict[bytes, Tail] = {}
    for place, sight, name in heard:
        if sight is FolderEvent.TOUCHED or not filename.is_listable(name):
            continue
        base, rest = filename.split(name)
        tail = place[:1] + rest
        if sight in (FolderEvent.CAME, FolderEvent.WRITTEN):
            found[base] = tail, False
        elif found.get(base, (tail,))[0] in (tail, b""):
            found[base] = b"", sight is FolderEvent.DELETED
    return found


def _is_there(folder: Folder, base: bytes, tail: bytes) -> bool:
    return exists(folder.disk, filename.path(folder.path, base, tail))


def _is_whole(folder: Folder, row: Row) -> bool:
    """Return whether a file is as long as it was when it was first seen.

    Else it is another message, with another UID: some program wrote it where it was to be moved.
    """
    found = folder.is_message(folder.file(row))
    return found is None or found.st_size == row.stored


def _see(
    folder: Folder, state: MailboxRow, times: tuple[int, int], heard: Sequence[HeardEvent]
) -> None:
    """Take the folders as read: what happened since will be heard of.

    But the next process must read them itself.
    """
    folder.freshness.take_times(times)
    state.new_seen = 0
    if any(place == b"cur" for place, _, _ in heard):
        state.cur_seen = 0


# ---------------------------------------------------------------- mailboxes


def look_at_tree(tree: Tree, work: UnitOfWork) -> None:
    """Publish which mailboxes other programs made, renamed or removed since the last look."""
    there = _places(tree)
    if tree.notified is None:
        tree.notified = there
        return
    last = mailboxes_after(tree.notified, work.events)
    made, gone = sorted(there - last), sorted(last - there)
    for old in gone:
        new = _new_place(tree, work, old, made)
        if new is None:
            _removed(tree, work, old)
        else:
            made.remove(new)
            _renamed(tree, work, old, new)
    for coded in made:
        work.record(tree.folder(coded), MailboxCreated(layout.mailbox_name(coded) or ""))


def _places(tree: Tree) -> frozenset[bytes]:
    """Return the folders of mailboxes. One that is renamed meanwhile may be missing in one listing."""
    first, second = tree.places(), tree.places()
    return frozenset(
        coded for coded in first | second if exists(tree.disk, os.path.join(tree.maildir, coded))
    )


def _new_place(tree: Tree, work: UnitOfWork, old: bytes, made: list[bytes]) -> bytes | None:
    """Return the folder that has the UIDVALIDITY of the one that is gone."""
    state = work.index.mailboxes.state(old)
    if state is None:
        return None
    for coded in made:
        found = UidFile(tree.disk, os.path.join(tree.maildir, coded)).load()
        if found is not None and found.uidvalidity == state.uidvalidity:
            return coded
    return None


def _renamed(tree: Tree, work: UnitOfWork, old: bytes, new: bytes) -> None:
    folder, state = tree.folder(old), work.index.mailboxes.state(old)
    name = folder.name
    tree.follow(folder, new)
    if state is not None:
        work.index.mailboxes.rename(state, new)
    work.record(folder, MailboxRenamed(name, folder.name))


def _removed(tree: Tree, work: UnitOfWork, old: bytes) -> None:
    folder, state = tree.folders.pop(old, None), work.index.mailboxes.state(old)
    if state is not None:
        tree.uidvalidities.note(state.uidvalidity)
        work.index.mailboxes.remove(state)
    if folder is None:
        folder = tree.folder(old)
        tree.folders.pop(old)
    folder.is_removed = True
    work.record(folder, MailboxDeleted(folder.name))
