"""Comparing a mailbox's folders with the index: what other programs and deliveries did.

A listing may miss a file that is being renamed, so one counts as gone only when several do not show it.
"""

from operator import itemgetter

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import EntriesAdded, FlagsChanged
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.format import filename
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import ChangeEvent
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.bulk import add_all, is_unknown
from twisted_mail.store.work.folder_listing import by_base, list_all, list_plainly, list_some
from twisted_mail.store.work.newcomers import add, forget

_LISTINGS = 4  # that must all miss a file before it is gone


def scan(folder: Folder, work: UnitOfWork, is_forced: bool = False) -> MailboxRow:
    """Bring the index up to date with the folder; return the mailbox's row."""
    state = mailbox_row(folder, work)
    is_relettered = folder.keywords.catch_up()
    times = folder.times()
    freshness = folder.freshness
    is_whole = is_forced or is_relettered or freshness.is_doubtful or times[1] != freshness.seen[1]
    if is_whole or not _scan_new(folder, work, state, times):
        _scan_whole(folder, work, state, is_relettered)
    freshness.end_comparison()
    if is_relettered or folder.keywords.is_unreadable:
        work.index.mailboxes.note_letters(state, is_relettered)
    if state.first_recent == 0:
        state.first_recent = _first_in_new(work, state)
        freshness.raise_recent(state.first_recent)
    settle(folder, work, state)
    return state


def _first_in_new(work: UnitOfWork, state: MailboxRow) -> int:
    rows = work.index.new_rows(state)
    return rows[0].uid if rows else state.uidnext


def ready(folder: Folder, work: UnitOfWork) -> MailboxRow:
    """Return the mailbox's row, without a look at the folder unless one is due."""
    state = mailbox_row(folder, work)
    if folder.freshness.listed is not None or folder.keywords.is_stale():
        return scan(folder, work)
    return state


def columns(folder: Folder, work: UnitOfWork, state: MailboxRow) -> EntryColumns:
    """Return all entries of a mailbox as columns."""
    added = _all_at_once(folder, work, state)
    if added is None:
        return work.index.columns(state)
    added.uidnext, added.highest_modseq = state.uidnext, state.highest_modseq
    return added


def _all_at_once(folder: Folder, work: UnitOfWork, state: MailboxRow) -> EntryColumns | None:
    """Return the columns of a mailbox if this piece of work took in all of its messages at once, last."""
    events = (each for each in reversed(work.events) if isinstance(each, ChangeEvent))
    change = next((each.change for each in events if each.folder is folder), None)
    entries = change.entries if isinstance(change, EntriesAdded) else None
    if isinstance(entries, EntryColumns) and len(entries) == state.messages:
        return entries
    return None


# ---------------------------------------------------------------- comparing


def _scan_new(folder: Folder, work: UnitOfWork, state: MailboxRow, times: tuple[int, int]) -> bool:
    """Look for files added to new, cur being unaltered; return whether that was all."""
    if times[0] == folder.freshness.seen[0]:
        return True
    found = list_some(folder, b"new")
    known = {row.base for row in work.index.new_rows(state)}
    fresh = {base: tail for base, tail in found.tails.items() if base not in known}
    if found.twice or not known <= found.tails.keys():
        return False
    if work.index.rows_of(state, fresh):
        return False
    # Of cur nothing is said: a believed time of its own renames must outlive this.
    state.new_seen = folder.freshness.trusted_time(times[0])
    folder.freshness.see_new(state.new_seen)
    add(folder, work, state, fresh)
    return True


def _scan_whole(folder: Folder, work: UnitOfWork, state: MailboxRow, is_relettered: bool) -> None:
    times = folder.times()
    files = list_plainly(folder) if is_unknown(folder, state) else None
    if files is not None and add_all(folder, work, state, files):
        _see(folder, state, times)
        return
    found = list_all(folder) if files is None else by_base(folder, files)
    known = work.index.names(state)
    for _ in range(_LISTINGS - 1):
        if known.keys() <= found.keys():
            break
        found |= list_all(folder)
    _see(folder, state, times)
    gone = [row.uid for row in work.index.rows_of(state, known.keys() - found.keys())]
    if is_relettered:
        rows = [row for row in work.index.all_rows(state) if row.base in found]
    else:
        moved = [base for base, tail in known.items() if found.get(base, tail) != tail]
        rows = sorted(work.index.rows_of(state, moved), key=itemgetter(0))
    compare(folder, work, state, rows, found, is_relettered)
    forget(folder, work, state, gone)
    fresh = {base: found[base] for base in found if base not in known} if known else found
    add(folder, work, state, fresh)


def _see(folder: Folder, state: MailboxRow, times: tuple[int, int]) -> None:
    folder.freshness.see_all(*times)
    state.new_seen, state.cur_seen = folder.freshness.seen


def compare(
    folder: Folder,
    work: UnitOfWork,
    state: MailboxRow,
    rows: list[Row],
    found: dict[bytes, bytes],
    is_relettered: bool,
) -> None:
    """Take new names into the index, and the flags they mean."""
    moved = [row for row in rows if is_relettered or found[row.base] != row.tail]
    if not moved:
        return
    changed = []
    for row in moved:
        tail = found[row.base]
        flags = flag.intern(folder.keywords.flags_of(tail) | _letterless(folder, row.flags))
        changed.append(row._replace(tail=tail, flags=flags))
    marked = {new.uid for new, old in zip(changed, moved, strict=True) if new.flags != old.flags}
    if marked:
        modseq = state.next_modseq()
        changed = [row._replace(modseq=modseq) if row.uid in marked else row for row in changed]
        marks = tuple((row.uid, row.flags, modseq) for row in changed if row.uid in marked)
        work.record(folder, FlagsChanged(folder.name, marks))
    work.index.update(state, changed)


def _letterless(folder: Folder, flags: Flags) -> Flags:
    """Return the keywords that no file name can hold."""
    return frozenset(name for name in flag.keywords(flags) if name not in folder.keywords.letter_of)


# ---------------------------------------------------------------- new to cur


def settle(folder: Folder, work: UnitOfWork, state: MailboxRow) -> None:
    """Move files that were sent to a session from new to cur, as maildir(5) asks."""
    if folder.freshness.is_settled:
        return
    settled = folder.freshness.first_recent
    rows = [row for row in work.index.new_rows(state) if row.uid < settled]
    if rows:
        _move_to_cur(folder, work, state, rows)
    folder.freshness.settle(settled)


def _move_to_cur(folder: Folder, work: UnitOfWork, state: MailboxRow, rows: list[Row]) -> None:
    moved = []
    with folder.renaming(state):
        for row in rows:
            tail = b"c" + (row.tail[1:] or b":2,")
            try:
                folder.disk.rename(folder.file(row), filename.path(folder.path, row.base, tail))
            except FileNotFoundError:
                continue  # the next look at the folder finds it
            except OSError as error:  # as where the new name is too long: it stays in new
                folder.note_fault(folder.file(row), error)
                continue
            moved.append(row._replace(tail=tail))
    work.index.update(state, moved)
