"""Taking in thousands of messages at once, as at the first look at a mailbox that has them."""

from array import array
from collections.abc import Sequence
from functools import partial
from itertools import islice
from operator import eq

from twisted_mail.mail.mailbox.change import EntriesAdded
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.format import filename
from twisted_mail.store.index import blocks
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import give_uids
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.folder_listing import PlainListing


def is_unknown(folder: Folder, state: MailboxRow) -> bool:
    """Return whether neither the index nor the list of UIDs knows any file of a mailbox."""
    listed = folder.freshness.listed
    return state.messages == 0 and not (listed and listed.records)


def add_all(folder: Folder, work: UnitOfWork, state: MailboxRow, files: PlainListing) -> bool:
    """Take in all files of a mailbox that is unknown; return whether that was plain.

    It is when the names stand in order of age, none of them twice, and no other program gives UIDs
    meanwhile: then nothing need be looked up by name.
    """
    bases, tails = files
    if len(bases) < blocks.LEAST or any(map(eq, bases, islice(bases, 1, None))):
        return False
    if filename.by_age(bases) != bases:
        return False
    with folder.uids.lock.held():
        if folder.uids.is_stale():
            return False
        give_uids(
            folder, work, state, bases, partial(add_as_blocks, folder, work, state, bases, tails)
        )
    state.uidnext = max(state.uidnext, folder.uids.uidnext)
    state.list_seen = folder.uids.seen
    return True


def add_as_blocks(
    folder: Folder,
    work: UnitOfWork,
    state: MailboxRow,
    bases: Sequence[bytes],
    tails: Sequence[bytes],
    uids: list[int],
) -> None:
    """Take in newcomers, in the order of their UIDs, as blocks."""
    modseq = state.next_modseq()
    flags = {tail: folder.keywords.flags_of(tail) for tail in set(tails)}
    found = _columns(uids, list(map(flags.__getitem__, tails)), modseq)
    work.index.add_many(state, found, bases, tails)
    work.record(folder, EntriesAdded(folder.name, found))


def _columns(uids: list[int], flags: list[Flags], modseq: int) -> EntryColumns:
    """Return the columns of messages that are not measured."""
    number = len(uids)
    return EntryColumns(
        array("Q", uids),
        flags,
        array("Q", [modseq]) * number,
        array("q", [UNKNOWN_DATE]) * number,
        array("Q", [0]) * number,
        uids[-1] + 1,
        modseq,
    )
