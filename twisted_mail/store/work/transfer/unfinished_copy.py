"""Copying several messages all or none (RFC 9051 §6.4.7), thousands of them some at a time.

Their files come to cur, some in each piece of work. An empty file has a mark there until all have come,
and is locked while its process is at work:

    tmp/1795423000.M1P2QR4.host.copying     where whoever starts to serve the account finds it
    cur/.1795423000.M1P2QR4.host.copying    not all have come: what a crash left of them is removed

The names of the copies begin and go on as that of the mark. It lies in cur so that one sync makes
durable that the copies are there, and that it is gone.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists
from twisted_mail.store.format.filename import NameSeries
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.set_flags import admit
from twisted_mail.store.work.transfer.copy import copy_some, result
from twisted_mail.store.work.transfer.steps import changing, link_in_cur

_COPYING = b".copying"


@dataclass(frozen=True, slots=True)
class UnfinishedCopy:
    """A copy to a mailbox, which may have another name by now, or be gone; ``lock`` is a descriptor."""

    target: Folder
    names: NameSeries
    lock: int

    @property
    def listed(self) -> bytes:
        """Return the path of the file in tmp."""
        return self.target.subfolder(b"tmp") + b"/" + self.names.name + _COPYING

    @property
    def mark(self) -> bytes:
        """Return the path of the mark in cur."""
        return _mark_of(self.listed)

    def release(self) -> None:
        """Let another process take back what is not finished. To be called once."""
        with suppress(OSError):
            self.target.disk.close(self.lock)


def _mark_of(listed: bytes) -> bytes:
    folder, name = os.path.split(listed)
    return os.path.join(os.path.dirname(folder), b"cur", b"." + name)


def begin(source: Folder, work: UnitOfWork, name: str, flags: Flags) -> UnfinishedCopy:
    """Begin a copy to the mailbox of this name, of messages with these flags. Raises Refused."""
    mailbox_row(source, work)
    target = work.tree.target(name)
    state = scan(target, work)
    admit(target, work, state, flags)
    disk, names = target.disk, target.namer.series(target.clock.now())
    listed = target.subfolder(b"tmp") + b"/" + names.name + _COPYING
    begun = UnfinishedCopy(target, names, disk.create(listed))
    work.undo += [begun.release, partial(disk.unlink, listed)]
    if not disk.lock(begun.lock):  # by one that found the file already, and is about to remove it
        raise changing()
    with target.renaming(state):
        link_in_cur(disk, listed, begun.mark)
        work.undo.append(partial(disk.unlink, begun.mark))
    return begun


def finish(target: Folder, work: UnitOfWork, begun: UnfinishedCopy) -> None:
    """Make the copy durable: from now on it stays, also after a crash.

    Where the work fails, it is marked again, to be finished once more or withdrawn.
    """
    with target.renaming(mailbox_row(target, work)):
        target.disk.unlink(begun.mark)
    work.undo.append(partial(link_in_cur, target.disk, begun.listed, begun.mark))
    target.sync({b"cur"})
    work.afterwards.append(partial(_remove, target.disk, begun.listed))


def _remove(disk: Disk, path: bytes) -> None:
    """Remove a file, or leave that to the next process."""
    with suppress(OSError):
        disk.unlink(path)


def copy(
    source: Folder, work: UnitOfWork, name: str, uids: Sequence[int], flags: Flags
) -> CopyResult:
    """Copy messages in one piece of work, by the same steps: what fails takes all back."""
    begun = begin(source, work, name, flags)
    pairs = copy_some(source, work, begun.target, uids, begun.names)
    finish(begun.target, work, begun)
    work.afterwards.append(begun.release)
    return result(begun.target, pairs)


def withdraw(target: Folder, work: UnitOfWork, begun: UnfinishedCopy) -> None:
    """Take a copy back that failed."""
    mailbox_row(target, work)
    _take_back(target.disk, begun.mark, begun.names)
    scan(target, work, is_forced=True)
    work.afterwards.append(partial(_remove, target.disk, begun.listed))


def _take_back(disk: Disk, mark: bytes, names: NameSeries) -> None:
    """Remove the copies that came to cur, and the mark."""
    folder = os.path.dirname(mark)
    for name in disk.names(folder):
        if names.has(name):
            with suppress(FileNotFoundError):
                disk.unlink(os.path.join(folder, name))
    with suppress(FileNotFoundError):
        disk.unlink(mark)
    disk.sync_folder(folder)


# ---------------------------------------------------------------- after a crash


def is_listed(name: bytes) -> bool:
    """Return whether a name in tmp is that of an unfinished copy."""
    return name.endswith(_COPYING)


def clean(disk: Disk, listed: bytes) -> None:
    """Take back the copy whose file is found in tmp, unless a process is at work on it."""
    lock = disk.extend(listed)  # NFS locks no file that is open for reading alone
    try:
        if disk.lock(lock):
            if exists(disk, _mark_of(listed)):
                name = os.path.basename(listed).removesuffix(_COPYING)
                _take_back(disk, _mark_of(listed), NameSeries.named(name))
            disk.unlink(listed)
    finally:
        disk.close(lock)
