"""Expunged messages: which there are, and bringing them back.

All of it is work of an account's lane:

    found = perform_steps(tree, list_expunged)
    copied = perform_steps(tree, restore, found, "INBOX")
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, read_file
from twisted_mail.store.disk.message_file import link_or_copy
from twisted_mail.store.format import filename, layout, mailbox_names
from twisted_mail.store.format.keywords import FILE as KEYWORDS
from twisted_mail.store.format.keywords import parse as parse_keywords
from twisted_mail.store.format.uidlist import FILE as UIDS
from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.format.uidlist import parse as parse_uids
from twisted_mail.store.quota import Usage
from twisted_mail.store.trash import expunged_archive
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work import append
from twisted_mail.store.work.append import TmpFile
from twisted_mail.store.work.mailbox_operations import create
from twisted_mail.store.work.measure import wire_size
from twisted_mail.store.work.reconcile import scan
from twisted_mail.store.work.set_flags import admit
from twisted_mail.store.work.usage import claim


@dataclass(frozen=True, slots=True)
class ExpungedMessage:
    """One message that can be brought back.

    ``path`` is where it lies within the folder of expunged files. ``mailbox`` and ``uid`` (0: unknown)
    are those it had, ``expunged`` and ``date`` seconds since 1970, ``size`` octets.
    """

    path: bytes
    mailbox: str
    uid: int
    expunged: int
    date: int
    size: int
    flags: Flags

    @property
    def base(self) -> bytes:
        """Return the base name that its file had in the mailbox."""
        label = os.path.basename(self.path)
        found = expunged_archive.parse(label)
        return found.base if found else filename.split(label)[0]


# ---------------------------------------------------------------- listing


def list_expunged(
    tree: Tree, mailbox: str | None = None, since: float = 0
) -> list[ExpungedMessage]:
    """Return what can be brought back, of one mailbox or all, and expunged since then.

    Sorted by mailbox, time and UID.
    """
    name = None if mailbox is None else mailbox_names.canonical(mailbox)
    found = [
        each
        for each in _all(tree.disk, tree.archive.path)
        if (name is None or each.mailbox == name) and each.expunged >= since
    ]
    return sorted(found, key=lambda each: (each.mailbox, each.expunged, each.uid, each.path))


def _all(disk: Disk, path: bytes) -> Iterator[ExpungedMessage]:
    for day in _names(disk, path):
        for inner in _names(disk, os.path.join(path, day)):
            within = os.path.join(day, inner)
            if inner == expunged_archive.INBOX or inner.startswith(b"."):
                yield from _files(disk, path, within)
            else:
                for folder in _names(disk, os.path.join(path, within)):
                    yield from _mailbox(disk, path, within, folder)


def _names(disk: Disk, path: bytes) -> list[bytes]:
    """Return the names in a folder; none if it is gone, or no folder."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return disk.names(path)
    return []


def _files(disk: Disk, path: bytes, within: bytes) -> Iterator[ExpungedMessage]:
    """Yield messages that were expunged one by one."""
    mailbox = layout.mailbox_name(_folder(os.path.basename(within)))
    for name in _names(disk, os.path.join(path, within)):
        label = expunged_archive.parse(name)
        if mailbox is None or label is None:
            continue
        file = os.path.join(within, name)
        described = _describe(disk, os.path.join(path, file))
        if described is not None:
            date, size = described.st_mtime_ns // 1_000_000_000, _size(label.base, described)
            yield ExpungedMessage(file, mailbox, label.uid, label.when, date, size, label.flags)


def _folder(name: bytes) -> bytes:
    return layout.INBOX if name == expunged_archive.INBOX else name


def _mailbox(disk: Disk, path: bytes, within: bytes, folder: bytes) -> Iterator[ExpungedMessage]:
    """Yield the messages of a mailbox that was deleted."""
    mailbox = layout.mailbox_name(folder)
    when = os.path.basename(within).partition(b".")[0]
    if mailbox is None or not when.isdigit():
        return
    root = os.path.join(path, within, folder)
    uids = parse_uids(read_file(disk, os.path.join(root, UIDS)) or b"") or UidList(0)
    keywords = parse_keywords(read_file(disk, os.path.join(root, KEYWORDS)) or b"")
    for place in (b"new", b"cur"):
        for name in _names(disk, os.path.join(root, place)):
            described = _describe(disk, os.path.join(root, place, name))
            if described is None or not filename.is_listable(name):
                continue
            base, tail = filename.split(name)
            yield ExpungedMessage(
                os.path.join(within, folder, place, name),
                mailbox,
                uids.uid(base) or 0,
                int(when),
                described.st_mtime_ns // 1_000_000_000,
                _size(base, described),
                filename.flags_of(b"c" + tail, keywords),
            )


def _describe(disk: Disk, path: bytes) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        described = disk.stat(path)
        return described if stat.S_ISREG(described.st_mode) else None
    return None


def _size(base: bytes, described: os.stat_result) -> int:
    """Return the size on the wire as far as it is known without reading the file."""
    stored, wire = filename.sizes(base)
    return wire if wire is not None and stored == described.st_size else described.st_size


def head(tree: Tree, message: ExpungedMessage, octets: int = 16_384) -> bytes:
    """Return the beginning of a message as its file has it; nothing if it is gone."""
    return read_file(tree.disk, _path(tree, message), octets) or b""


def _path(tree: Tree, message: ExpungedMessage) -> bytes:
    parts = message.path.split(b"/")
    if any(part in (b"", b".", b"..") for part in parts):
        raise Refused("There is no such message.", "NONEXISTENT")
    return os.path.join(tree.archive.path, message.path)


# ---------------------------------------------------------------- restoring


def restore(
    tree: Tree, found: Sequence[ExpungedMessage], target: str = ""
) -> Mapping[str, CopyResult]:
    r"""Bring messages back into ``target``, or each into the mailbox it was in, made if it is gone.

    They have their flags, without ``\Deleted``, and dates, and new UIDs. Returns old and new UIDs by
    mailbox; messages that are not kept any more are passed over. What goes into one mailbox goes as a
    whole or not at all. Raises Refused: OVERQUOTA, LIMIT, TRYCREATE (``target`` is not there), CANNOT.
    """
    groups: dict[str, list[ExpungedMessage]] = {}
    for message in found:
        groups.setdefault(mailbox_names.canonical(target or message.mailbox), []).append(message)
    done = {}
    for name, group in groups.items():
        path = os.path.join(tree.maildir, layout.folder_name(name))
        if not target and not exists(tree.disk, path):
            in_transaction(tree, create, name, "")
        done[name] = in_transaction(tree, _restore, group, name)
    return done


def _restore(
    tree: Tree, work: UnitOfWork, group: Sequence[ExpungedMessage], name: str
) -> CopyResult:
    folder = tree.target(name)
    state = scan(folder, work)
    admit(folder, work, state, flag.NONE.union(*map(_flags, group)))
    claim(work, Usage(sum(each.size for each in group), len(group)))
    linked = [(each, _linked(tree, work, folder.subfolder(b"tmp"), each)) for each in group]
    there = [each for each, arrival in linked if arrival]
    rows = append.publish(folder, work, state, [arrival for _, arrival in linked if arrival])
    work.afterwards.append(partial(_forget, tree, there))
    uids = tuple(each.uid for each in there), tuple(row.uid for row in rows)
    return CopyResult(folder.uidvalidity, *uids)


def _forget(tree: Tree, restored: Sequence[ExpungedMessage]) -> None:
    """They are safe in the mailbox; one that stays here as well can merely come back twice."""
    for each in restored:
        with suppress(OSError):
            tree.disk.unlink(_path(tree, each))


def _flags(message: ExpungedMessage) -> Flags:
    return message.flags - {flag.DELETED}


def _linked(tree: Tree, work: UnitOfWork, tmp: bytes, message: ExpungedMessage) -> TmpFile | None:
    """Put a link to a message into the target's tmp; None if it is not kept any more."""
    path = _path(tree, message)
    described = _describe(tree.disk, path)
    if described is None:
        return None
    stored = described.st_size
    size = wire_size(tree.disk, path, message.base, stored)
    base = tree.environment.namer.base(
        tree.environment.clock.now(), stored, size, original=message.base
    )
    linked = os.path.join(tmp, base)
    link_or_copy(tree.disk, path, linked)
    work.undo.append(lambda: tree.disk.unlink(linked))
    return TmpFile(linked, base, _flags(message), message.date, size, stored)
