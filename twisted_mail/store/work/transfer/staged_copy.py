"""Copying several messages all or none (RFC 3501 §6.4.7), thousands of them some at a time.

Links to all files are made in a folder in the target's tmp, where nobody looks, some in each piece of
work. Then the folder is renamed, which no crash does by halves, and the files go to cur, some at a time:

    tmp/1795423000.M1P2Q3R4.host.linked/    links that may be incomplete: a copy that nobody finishes
    tmp/1795423000.M1P2Q3R4.host.copied/    all links: whoever finds it after a crash moves them to cur

If that fails, what is in cur already is removed. The links have the names that they are to have in cur:
where a crash comes in between, only keywords without a letter are lost.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, remove_tree
from twisted_mail.store.index.rows import Row
from twisted_mail.store.quota import Usage
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.loading import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.append import publish_some
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.set_flags import admit
from twisted_mail.store.work.transfer.copy import NOTHING, Linked, link

_LINKED, _COPIED = b".linked", b".copied"


def is_stage(name: bytes) -> bool:
    """Return whether a name in tmp is that of a folder of links."""
    return name.endswith((_LINKED, _COPIED))


@dataclass(frozen=True, slots=True)
class Stage:
    """A folder of links in the tmp of a mailbox, which may have another name by now, or be gone."""

    source: Folder
    target: Folder
    name: bytes

    @property
    def linked(self) -> bytes:
        """Return the folder's path while links are made."""
        return self.target.subfolder(b"tmp") + b"/" + self.name + _LINKED

    @property
    def copied(self) -> bytes:
        """Return the folder's path once all links are made."""
        return self.target.subfolder(b"tmp") + b"/" + self.name + _COPIED


def begin(source: Folder, work: UnitOfWork, name: str, flags: Flags) -> Stage:
    """Begin a copy to the mailbox of this name, of messages with these flags. Raises Refused."""
    mailbox_row(source, work)
    target = work.tree.target(name)
    admit(target, work, scan(target, work), flags)
    stage = Stage(source, target, target.namer.base(target.clock.now(), 0, 0).partition(b",")[0])
    target.disk.make_folder(stage.linked)
    work.undo.append(partial(target.disk.remove_folder, stage.linked))
    return stage


def link_some(
    source: Folder, work: UnitOfWork, stage: Stage, uids: Sequence[int], before: Usage = NOTHING
) -> list[Linked]:
    """Make links to some of the messages; ``before`` was linked earlier."""
    return link(source, stage.target, work, uids, stage.linked, before)


def seal(target: Folder, work: UnitOfWork, stage: Stage) -> None:
    """Make the links durable, and commit them."""
    mailbox_row(target, work)
    target.disk.sync_folder(stage.linked)
    commit(target, work, stage)


def commit(target: Folder, work: UnitOfWork, stage: Stage) -> None:
    """Have all links made: from now on the copy is finished, also after a crash, or withdrawn."""
    target.disk.rename(stage.linked, stage.copied)
    work.undo.append(partial(target.disk.rename, stage.copied, stage.linked))


def publish(
    target: Folder, work: UnitOfWork, stage: Stage, links: Sequence[Linked]
) -> list[tuple[int, int]]:
    """Move some of the files to cur; return their UIDs in the source and here."""
    state = scan(target, work)
    if exists(target.disk, stage.copied):
        files = [file.moved(stage.copied) for _, file in links]
        rows = publish_some(target, work, state, files)
    else:  # another process, which took us for crashed, has finished the copy
        scan(target, work, is_forced=True)
        rows = work.index.rows_of(state, (file.base for _, file in links))
    uids = {row.base: row.uid for row in rows}
    pairs = [(uid, uids[file.base]) for uid, file in links if file.base in uids]
    origin = work.index.mailboxes.state(stage.source.folder)
    if origin is not None and origin.uidvalidity == stage.source.uidvalidity:
        work.index.rendered.copy(origin, state, pairs)
    return pairs


def finish(target: Folder, work: UnitOfWork, stage: Stage) -> None:
    """Make the copy durable, and remove the folder of links."""
    target.sync({b"cur"})
    work.afterwards.append(partial(_remove_empty, target.disk, stage.copied))


def _remove_empty(disk: Disk, path: bytes) -> None:
    """Remove a folder, or leave that to the next process."""
    with suppress(OSError):
        disk.remove_folder(path)


def copy(
    source: Folder, work: UnitOfWork, name: str, uids: Sequence[int], flags: Flags
) -> CopyResult:
    """Copy messages in one piece of work, by the same steps: what fails takes all back."""
    stage = begin(source, work, name, flags)
    links = link_some(source, work, stage, uids)
    commit(stage.target, work, stage)
    pairs = publish(stage.target, work, stage, links)
    finish(stage.target, work, stage)
    return result(stage, pairs)


def result(stage: Stage, pairs: Sequence[tuple[int, int]]) -> CopyResult:
    """Return the UIDs of what was copied, from pairs of them."""
    sources, targets = tuple(here for here, _ in pairs), tuple(there for _, there in pairs)
    return CopyResult(stage.target.uidvalidity, sources, targets)


def withdraw(target: Folder, work: UnitOfWork, stage: Stage, links: Sequence[Linked]) -> None:
    """Take a copy back that failed: the links, and what is in cur already."""
    with suppress(FileNotFoundError):
        target.disk.rename(stage.copied, stage.linked)
    with suppress(FileNotFoundError):
        remove_tree(target.disk, stage.linked)
    state = scan(target, work, is_forced=True)
    rows = work.index.rows_of(state, (file.base for _, file in links))
    if rows:
        with target.renaming(state):
            _remove_all(target, rows)
        uids = tuple(sorted(row.uid for row in rows))
        work.index.remove(state, uids, state.next_modseq())
        work.record(target, EntriesExpunged(target.name, uids, state.highest_modseq))


def _remove_all(target: Folder, rows: Sequence[Row]) -> None:
    for row in rows:
        with suppress(FileNotFoundError):
            target.disk.unlink(target.file(row))
    target.sync({row.place for row in rows})


# ---------------------------------------------------------------- after a crash


def clean(disk: Disk, path: bytes, is_old: bool) -> None:
    """Finish the copy whose folder of links is found; remove an incomplete one that is old."""
    if path.endswith(_COPIED):
        cur = os.path.join(os.path.dirname(os.path.dirname(path)), b"cur")
        for name in disk.names(path):
            disk.rename(os.path.join(path, name), os.path.join(cur, name))
        disk.sync_folder(cur)
        disk.remove_folder(path)
    elif is_old:
        remove_tree(disk, path)
