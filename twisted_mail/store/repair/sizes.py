"""Messages whose files are not as long as their names or the index say.

What clients have seen of a message never changes under its UID (RFC 3501 §2.3.1.1). So one that has
another size on the wire than the index says is another message, with a UID and an EMAILID of its own;
of one that only its name is wrong, the UID stays.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.store.format import filename
from twisted_mail.store.format.uidlist import UidList
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.repair.check import count_lone
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.append import add_to_index

_SIZES = re.compile(rb",[SW]=[0-9]+(?=[,:]|\Z)")
_SIZES_AND_EMAIL = re.compile(rb",(?:[SW]=[0-9]+|E=[^,:]*)(?=[,:]|\Z)")


@dataclass(frozen=True, slots=True)
class Correction:
    """A file that gets another name: what the index says of it, and what is right."""

    old: Row
    new: Row
    is_other_message: bool


def repair_sizes(
    folder: Folder, work: UnitOfWork, state: MailboxRow, bases: frozenset[bytes]
) -> Iterator[str]:
    """Give files names that hold their sizes, and the index the sizes.

    ``bases`` are names that were found to be wrong; what the index has wrong is found here. The list of
    UIDs is locked.
    """
    found = folder.uids.load()
    if found is None:
        return
    corrections = [*_corrections(folder, work, state, bases)]
    kept = [each for each in corrections if not each.is_other_message]
    others = [each for each in corrections if each.is_other_message]
    if corrections:
        others = _write_list(folder, state, found, kept, others)
        _rename(folder, work, state, [*kept, *others])
    if kept:
        work.index.rebase(state, [each.new for each in kept])
        yield f"{len(kept)} messages have their true sizes, in their names and in the index"
    if others:
        _replace(folder, work, state, others)
        yield f"{len(others)} messages are not as long as clients have seen: they have new UIDs"


def _corrections(
    folder: Folder, work: UnitOfWork, state: MailboxRow, bases: frozenset[bytes]
) -> Iterator[Correction]:
    for row in work.index.all_rows(state):
        described = folder.is_message(folder.file(row))
        if described is None:
            continue  # renamed or removed just now
        is_wrong = row.date != UNKNOWN_DATE and described.st_size != row.stored
        if is_wrong or row.base in bases:
            yield _correction(folder, row, described)


def _correction(folder: Folder, row: Row, described: os.stat_result) -> Correction:
    stored = described.st_size
    wire = stored + _lone_line_ends(folder, row)
    known = filename.sizes(row.base)[1] if row.date == UNKNOWN_DATE else row.size
    if known in (None, wire):
        base = b"%b,S=%d,W=%d" % (_SIZES.sub(b"", row.base), stored, wire)
        sizes = (0, 0) if row.date == UNKNOWN_DATE else (wire, stored)
        return Correction(row, row._replace(base=base, size=sizes[0], stored=sizes[1]), False)
    base = _other_name(folder, row.base, stored, wire)
    date = int(described.st_mtime) if row.date == UNKNOWN_DATE else row.date
    return Correction(row, row._replace(base=base, date=date, size=wire, stored=stored), True)


def _lone_line_ends(folder: Folder, row: Row) -> int:
    fd = folder.disk.open(folder.file(row))
    try:
        return count_lone(folder.disk, fd)
    finally:
        folder.disk.close(fd)


def _other_name(folder: Folder, base: bytes, stored: int, wire: int) -> bytes:
    """Return the name of another message; the mark of an import stays in it."""
    email = filename.email_id(folder.namer.base(folder.clock.now(), stored, wire))
    kept = _SIZES_AND_EMAIL.sub(b"", base)
    return b"%b,E=%b,S=%d,W=%d" % (kept, email.encode("ascii"), stored, wire)


def _write_list(
    folder: Folder,
    state: MailboxRow,
    found: UidList,
    kept: Sequence[Correction],
    others: Sequence[Correction],
) -> list[Correction]:
    """Write the list of UIDs for the new names; return the other messages with their new UIDs."""
    for each in kept:
        found.records[each.new.base] = found.records.pop(each.old.base, (each.old.uid, b""))
    found.uidnext = max(found.uidnext, state.uidnext)
    modseq = state.next_modseq() if others else 0
    numbered = []
    for each in others:
        found.records.pop(each.old.base, None)
        found.records[each.new.base] = found.uidnext, b""
        new = each.new._replace(uid=found.uidnext, modseq=modseq)
        numbered.append(Correction(each.old, new, True))
        found.uidnext += 1
    folder.uids.start(found)
    state.list_seen = folder.uids.stamp
    return numbered


def _rename(
    folder: Folder, work: UnitOfWork, state: MailboxRow, corrections: Sequence[Correction]
) -> None:
    with folder.renaming(state):
        for each in corrections:
            path, new_path = folder.file(each.old), folder.file(each.new)
            if new_path != path:
                folder.disk.rename(path, new_path)
                work.undo.append(partial(folder.disk.rename, new_path, path))
        folder.sync({b"new", b"cur"})


def _replace(
    folder: Folder, work: UnitOfWork, state: MailboxRow, others: Sequence[Correction]
) -> None:
    """Have the index know messages by their new UIDs, and sessions hear of it."""
    gone = tuple(sorted(each.old.uid for each in others))
    modseq = others[0].new.modseq
    work.index.remove(state, gone, modseq)
    work.record(folder, EntriesExpunged(folder.name, gone, modseq))
    add_to_index(folder, work, state, [each.new for each in others])
