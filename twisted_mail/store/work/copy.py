"""Copying messages from one mailbox to another, by links."""

from collections.abc import Sequence
from functools import partial

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, CopyResult
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.message_file import link_or_copy
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.quota import Usage
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.append import TmpFile, publish
from twisted_mail.store.work.measure import all_measured
from twisted_mail.store.work.reconcile import ready, scan
from twisted_mail.store.work.set_flags import admit
from twisted_mail.store.work.usage import claim

_ATTEMPTS = 8  # at finding files that other programs rename meanwhile


def faulty_messages() -> Unavailable:
    """Return the error for messages that cannot be copied or moved all, so that none is."""
    return Unavailable("Some of the messages cannot be read from the disk.", "CONTACTADMIN")


def require_usable(source: Folder, count: int, uids: Sequence[int] | set[int]) -> None:
    """Raise Unavailable if any of these messages had a fault since there were ``count``."""
    if source.faulty.since(count, uids):
        raise faulty_messages()


def copy(source: Folder, target: Folder, work: UnitOfWork, uids: Sequence[int]) -> CopyResult:
    """Copy messages, all or none."""
    state = scan(target, work)
    origin = ready(source, work)
    there = all_measured(source, work, work.index.rows(origin, set(uids)))
    claim(work, Usage(sum(row.size for row in there), len(there)))
    linked = _link_all(source, target, work, origin, uids)
    rows = [row for row, _ in linked]
    admit(target, work, state, flag.NONE.union(*(row.flags for row in rows)))
    arrivals = [TmpFile(base, row.flags, row.date, row.size, row.stored) for row, base in linked]
    copies = publish(target, work, state, arrivals)
    pairs = tuple(row.uid for row in rows), tuple(row.uid for row in copies)
    return CopyResult(target.uidvalidity, *pairs)


def _link_all(
    source: Folder, target: Folder, work: UnitOfWork, origin: MailboxRow, uids: Sequence[int]
) -> list[tuple[Row, bytes]]:
    """Put links to messages into the target's tmp; return the rows with the new base names."""
    linked: dict[int, bytes] = {}
    before = source.faulty.count
    for _ in range(_ATTEMPTS):
        lost = False
        rows = work.index.rows(origin, set(uids) - linked.keys())
        for row in all_measured(source, work, rows):
            try:
                if row.date == UNKNOWN_DATE:
                    raise FileNotFoundError
                linked[row.uid] = _link(source, target, work, row)
            except FileNotFoundError:
                lost = True
        require_usable(source, before, uids)
        if not lost:
            # Read again: a look at the folder may have found other names and flags.
            return [(row, linked[row.uid]) for row in work.index.rows(origin, linked)]
        scan(source, work, is_forced=True)
    raise Unavailable("The mailbox is being changed by another program.")


def _link(source: Folder, target: Folder, work: UnitOfWork, row: Row) -> bytes:
    base = target.namer.base(target.clock.now(), row.stored, row.size, original=row.base)
    path, new_path = source.file(row), target.subfolder(b"tmp") + b"/" + base
    try:
        link_or_copy(target.disk, path, new_path)
    except FileNotFoundError:
        raise
    except OSError as error:
        source.note_faulty(row, error)
        raise faulty_messages() from error
    work.undo.append(partial(target.disk.unlink, new_path))
    return base
