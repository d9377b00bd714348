"""Taking files that are new in a mailbox's folders into the index, and out of it those that are gone."""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from twisted_mail.interfaces import Renderer
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import EntriesAdded, EntriesExpunged, FlagsChanged
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, Entry, ItemTier, RenderedItems
from twisted_mail.store.format import filename
from twisted_mail.store.index import blocks
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.first_look import FIRST, look_at
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.mailbox_row import give_uids, reread
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.bulk import add_as_blocks
from twisted_mail.store.work.folder_listing import list_all
from twisted_mail.store.work.measure import is_cheap, measured_if_cheap

MEASURED_AT_ONCE = 100  # newcomers that are measured at once, as far as little is to be read for it


def add(folder: Folder, work: UnitOfWork, state: MailboxRow, fresh: dict[bytes, bytes]) -> None:
    """Give UIDs to files: those of the list where it has them, as far as none higher was sent."""
    newcomers, again = fresh, list[Row]()
    if newcomers or folder.freshness.listed:
        newcomers |= _read_list(folder, work, state, newcomers, again)
    known = _listed_uids(folder, state, newcomers)
    unknown: list[bytes] = []
    given: list[int] = []
    if len(known) < len(newcomers):
        with folder.uids.lock.held():
            if folder.uids.is_stale():
                newcomers |= _latecomers(folder, work, state, newcomers)
                newcomers |= _read_list(folder, work, state, newcomers, again)
                known = _listed_uids(folder, state, newcomers)
            strange = [base for base in newcomers if base not in known] if known else newcomers
            unknown = filename.by_age(strange)
            given = give_uids(folder, work, state, unknown)
    state.uidnext = max(state.uidnext, folder.uids.uidnext)
    state.list_seen = folder.uids.seen
    if newcomers:
        bases = sorted(known, key=known.__getitem__)
        uids = [known[base] for base in bases]
        _take_in(folder, work, state, newcomers, [*bases, *unknown], [*uids, *given])
        _mark(folder, work, state, again)


def _mark(folder: Folder, work: UnitOfWork, state: MailboxRow, again: list[Row]) -> None:
    """Give messages that came again with another UID what only the index knew of them."""
    altered = carry_keywords(folder, work, state, again)
    if altered:
        marks = tuple((row.uid, row.flags, row.modseq) for row in altered)
        work.record(folder, FlagsChanged(folder.name, marks))


def _take_in(
    folder: Folder,
    work: UnitOfWork,
    state: MailboxRow,
    newcomers: dict[bytes, bytes],
    bases: list[bytes],
    uids: list[int],
) -> None:
    """Take in newcomers, whose base names are in the order of their UIDs."""
    tails = list(map(newcomers.__getitem__, bases))
    if len(bases) >= blocks.LEAST:
        add_as_blocks(folder, work, state, bases, tails, uids)
        return
    modseq = state.next_modseq()
    flags = {tail: folder.keywords.flags_of(tail) for tail in set(tails)}
    rows = [
        Row(uid, base, tail, flags[tail], modseq, UNKNOWN_DATE, 0, 0)
        for uid, base, tail in zip(uids, bases, tails, strict=True)
    ]
    rendered: dict[int, RenderedItems] = {}
    render = work.tree.environment.render
    if len(rows) <= MEASURED_AT_ONCE:
        rows = [_looked_at(folder, row, render, rendered) for row in rows]
    work.index.add(state, rows)
    if render is not None and rendered:
        work.index.rendered.save(state, render.version, rendered)
    entries = tuple([Entry(row.uid, row.flags, modseq, row.date, row.size) for row in rows])
    work.record(folder, EntriesAdded(folder.name, entries))


def _looked_at(
    folder: Folder, row: Row, render: Renderer | None, rendered: dict[int, RenderedItems]
) -> Row:
    """Return the row of a newcomer, measured if little is to be read for it; render its header then, too.

    Who is notified of new mail asks for both. A long header is left to the background: many of them
    would take much memory.
    """
    with suppress(OSError):
        if render is not None and is_cheap(folder, row):
            looked, octets = look_at(folder, row)
            if octets is not None and len(octets) <= FIRST:
                rendered[row.uid] = render(octets, ItemTier.HEADER)
            return looked
    return measured_if_cheap(folder, row)  # the name may say the size of what cannot be read


def _read_list(
    folder: Folder,
    work: UnitOfWork,
    state: MailboxRow,
    newcomers: dict[bytes, bytes],
    again: list[Row],
) -> dict[bytes, bytes]:
    """Read the list if another program wrote it; return more newcomers.

    Those are files that it gave another UID, as Dovecot does with one that it missed for a moment
    (``again`` gets what they were), and files that a listing missed. The other program may also have
    been this one, with an index that was left on the disk while it was of no use.
    """
    if folder.uids.is_stale():
        folder.freshness.compare_list(reread(folder, work, state))
    if folder.freshness.listed is None:
        return {}
    listed = folder.freshness.listed.records
    renumbered = [
        row
        for row in work.index.all_rows(state)
        if state.uidnext <= listed.get(row.base, (0, b""))[0] != row.uid
    ]
    forget(folder, work, state, [row.uid for row in renumbered])
    again += renumbered
    found = {row.base: row.tail for row in renumbered}
    there = newcomers.keys() | found.keys()
    others = (uid for base, (uid, _) in listed.items() if base not in there)
    if any(uid >= state.uidnext for uid in others):
        found |= _latecomers(folder, work, state, newcomers | found)
    return found


def _latecomers(
    folder: Folder, work: UnitOfWork, state: MailboxRow, newcomers: dict[bytes, bytes]
) -> dict[bytes, bytes]:
    """Return the files that came after the others were listed, while another program gave UIDs."""
    there = newcomers.keys() | {row.base for row in work.index.all_rows(state)}
    found = list_all(folder)
    return {base: found[base] for base in found if base not in there}


def _listed_uids(folder: Folder, state: MailboxRow, newcomers: Iterable[bytes]) -> dict[bytes, int]:
    listed = folder.freshness.listed
    if listed is None or not listed.records:
        return {}
    found = {base: listed.uid(base) for base in newcomers}
    return {base: uid for base, uid in found.items() if uid is not None and uid >= state.uidnext}


# ---------------------------------------------------------------- messages that are gone


def forget(folder: Folder, work: UnitOfWork, state: MailboxRow, uids: list[int]) -> None:
    """Take messages that are gone out of the index."""
    if uids:
        modseq = state.next_modseq()
        work.index.remove(state, uids, modseq)
        work.record(folder, EntriesExpunged(folder.name, tuple(sorted(uids)), modseq))


def carry_keywords(
    folder: Folder, work: UnitOfWork, state: MailboxRow, rows: Sequence[Row]
) -> list[Row]:
    """Give messages that were taken in again the keywords that no file's name holds.

    ``rows`` are the messages as they were; returns those that were altered, as they are.
    """
    hidden = {
        row.base: flag.keywords(row.flags).difference(folder.keywords.letter_of)
        for row in rows
        if not flag.keywords(row.flags) <= folder.keywords.letter_of.keys()
    }
    again = work.index.rows_of(state, hidden.keys()) if hidden else []
    altered = [row._replace(flags=flag.intern(row.flags | hidden[row.base])) for row in again]
    if altered:
        work.index.update(state, altered)
        work.index.need_full_sync()
        folder.keywords.learn(sorted(flag.NONE.union(*hidden.values())))
    return altered
