"""Copying a message from one mailbox to another by a link; several: see ``staged_copy``."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, CopyResult
from twisted_mail.mail.mailbox.flags import Flags
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
from twisted_mail.store.work.transfer.steps import faulty_messages, require_usable
from twisted_mail.store.work.usage import claim

Linked = tuple[int, TmpFile]  # the message's UID in the source, and the link to its file

NOTHING = Usage()
_ATTEMPTS = 8  # at finding files that other programs rename meanwhile


def usage_of(links: Sequence[Linked]) -> Usage:
    """Return how much the copies of linked messages take."""
    return Usage(sum([file.size for _, file in links]), len(links))


def copy(source: Folder, target: Folder, work: UnitOfWork, uids: Sequence[int]) -> CopyResult:
    """Copy messages, all or none."""
    state = scan(target, work)
    linked = link(source, target, work, uids, target.subfolder(b"tmp"))
    copies = publish(target, work, state, [file for _, file in linked])
    pairs = tuple(uid for uid, _ in linked), tuple(row.uid for row in copies)
    return CopyResult(target.uidvalidity, *pairs)


def link(
    source: Folder,
    target: Folder,
    work: UnitOfWork,
    uids: Sequence[int],
    place: bytes,
    before: Usage = NOTHING,
) -> list[Linked]:
    """Put links to messages into a folder, for the target to publish; ``before`` was linked earlier.

    Each link has the name that the file is to have in cur. Raises Refused: OVERQUOTA, LIMIT.
    """
    origin = ready(source, work)
    modseq = origin.highest_modseq
    there = all_measured(source, work, work.index.rows(origin, set(uids)))
    claim(work, before.plus(Usage(sum(row.size for row in there), len(there))))
    _admit(target, work, (row.flags for row in there))
    if origin.highest_modseq != modseq:  # the source was looked at meanwhile
        there = work.index.rows(origin, set(uids))
    linked = _link_all(source, work, origin, there, partial(_link, source, target, work, place))
    _admit(target, work, (file.flags for _, file in linked))
    return linked


def _admit(target: Folder, work: UnitOfWork, flags: Iterable[Flags]) -> None:
    admit(target, work, ready(target, work), flag.NONE.union(*flags))


def _link_all(
    source: Folder,
    work: UnitOfWork,
    origin: MailboxRow,
    rows: list[Row],
    link_one: Callable[[Row], TmpFile],
) -> list[Linked]:
    """Link messages; where files have other names by now, look at their folder again."""
    linked: dict[int, TmpFile] = {}
    before, uids, modseq = source.faulty.count, {row.uid for row in rows}, origin.highest_modseq
    for _ in range(_ATTEMPTS):
        lost = False
        for row in all_measured(source, work, rows):
            try:
                if row.date == UNKNOWN_DATE:
                    raise FileNotFoundError
                linked[row.uid] = link_one(row)
            except FileNotFoundError:
                lost = True
        require_usable(source, before, uids)
        if not lost and modseq == origin.highest_modseq:
            return sorted(linked.items())
        if not lost:  # another look at the folder found other flags, say
            rows = work.index.rows(origin, linked)
            return [(row.uid, _flagged(linked[row.uid], row.flags)) for row in rows]
        scan(source, work, is_forced=True)
        rows = work.index.rows(origin, uids - linked.keys())
    raise Unavailable("The mailbox is being changed by another program.")


def _flagged(file: TmpFile, flags: Flags) -> TmpFile:
    return file if file.flags == flags else replace(file, flags=flags)


def _link(source: Folder, target: Folder, work: UnitOfWork, place: bytes, row: Row) -> TmpFile:
    base = target.namer.base(target.clock.now(), row.stored, row.size, original=row.base)
    _, tail = target.keywords.written(row.flags)
    path, new_path = source.file(row), place + b"/" + base + tail[1:]
    try:
        link_or_copy(target.disk, path, new_path)
    except FileNotFoundError:
        raise
    except OSError as error:
        source.note_faulty(row, error)
        raise faulty_messages() from error
    work.undo.append(partial(target.disk.unlink, new_path))
    return TmpFile(new_path, base, row.flags, row.date, row.size, row.stored)
