"""A mailbox's row in the index: read at its first use, and made again from the files where it is lost."""

from collections.abc import Callable, Sequence

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.durable import exists, make_folders
from twisted_mail.store.format import layout, uidlist
from twisted_mail.store.format.uidlist import Meanwhile, UidList, UnusableList
from twisted_mail.store.index.rows import MailboxRow, leap
from twisted_mail.store.tree import other_processes
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.unit_of_work import UnitOfWork

UID_GAP = 1_000_000  # numbers skipped when a list of UIDs is made again from the index


def mailbox_row(folder: Folder, work: UnitOfWork) -> MailboxRow:
    """Return the mailbox's row in the index, to alter. Raises Refused: NONEXISTENT."""
    if folder.is_removed:
        raise Refused("The mailbox has been deleted.", "NONEXISTENT")
    freshness = folder.freshness
    is_first = folder not in work.states
    if is_first:
        work.undo += [freshness.restorer(), _stamp_restorer(folder)]
    state = work.index.mailboxes.state(folder.folder)
    is_same = state is not None and state.uidvalidity == folder.uids.uidvalidity
    if state is None or not (is_same and freshness.is_loaded):
        state = _load(folder, work, state)
        freshness.lose_sync()
        freshness.is_loaded = True
    elif is_first:
        last = freshness.row_before(state)
        if last is not None:
            other_processes.catch_up(folder, work, state, last)
    work.states[folder] = state
    state.first_recent = max(state.first_recent, freshness.first_recent)
    return state


def _stamp_restorer(folder: Folder) -> Callable[[], None]:
    stamp = folder.uids.stamp

    def restore() -> None:
        folder.uids.stamp = stamp

    return restore


def _load(folder: Folder, work: UnitOfWork, state: MailboxRow | None) -> MailboxRow:
    _check_subfolders(folder)
    if state is not None and state.list_seen and folder.uids.current_stamp() == state.list_seen:
        folder.uids.trust(state.uidvalidity, state.uidnext, state.list_seen)
    else:
        state = _read_list(folder, work, state)
    if work.index.mailboxes.are_letters_known(state):
        folder.keywords.catch_up()  # else the next scan does so, and compares the flags
    folder.keywords.learn(sorted(work.index.keywords(state)))
    folder.id = folder.uids.id()
    folder.freshness.take_times((state.new_seen, state.cur_seen))
    folder.freshness.raise_recent(state.first_recent)
    return state


def _check_subfolders(folder: Folder) -> None:
    """Complete a maildir; but where another program removed one, do not make it again."""
    if folder.folder != layout.INBOX and not exists(folder.disk, folder.path):
        raise Refused("The mailbox has been deleted.", "NONEXISTENT")
    for place in layout.SUBFOLDERS:
        make_folders(folder.disk, folder.subfolder(place))


# ---------------------------------------------------------------- the list of UIDs


def _read_list(folder: Folder, work: UnitOfWork, state: MailboxRow | None) -> MailboxRow:
    """Read the list of UIDs; make it again from the index where it is lost, else begin one."""
    found = folder.uids.load()
    is_old = found is not None and found.uidnext > 1
    if found is None:
        with folder.uids.lock.held():
            found = folder.uids.load() or _begin_list(folder, work, state)
    if state is not None and state.uidvalidity != found.uidvalidity:
        work.index.mailboxes.remove(state)
        state = None
        folder.freshness.begin_anew()
    if state is not None:
        found = _raised_above_index(folder, work, state, found)
    folder.freshness.compare_list(found)
    if state is None:
        state = _new_row(folder, work, found.uidvalidity, is_old)
    elif is_old and state.uidnext == 1:  # it may have forgotten all that was sent
        state.highest_modseq = leap(state.highest_modseq, folder.clock.now())
    state.new_seen = state.cur_seen = 0
    return state


def _new_row(folder: Folder, work: UnitOfWork, uidvalidity: int, is_old: bool) -> MailboxRow:
    state = work.index.mailboxes.add(folder.folder, uidvalidity)
    if is_old:  # an index that was lost may have given mod-sequences: go on beyond them
        state.highest_modseq = leap(0, folder.clock.now())
        work.index.gone.forget(state, state.highest_modseq)
    return state


def _begin_list(folder: Folder, work: UnitOfWork, state: MailboxRow | None) -> UidList:
    found = _list_from_index(work, state) if state else UidList(work.tree.new_uidvalidity())
    found.guid = uidlist.new_guid()
    _set_aside(folder, work)
    folder.uids.start(found)
    return found


def _set_aside(folder: Folder, work: UnitOfWork) -> None:
    """Keep a file that gives no UIDs under another name, and report it."""
    path = folder.uids.set_aside()
    if path is not None:
        error = UnusableList("it gives no UIDs, and is kept with .damaged after its name")
        work.tree.environment.faults.note(path, error)


def _list_from_index(work: UnitOfWork, state: MailboxRow) -> UidList:
    """The index may have forgotten the last UIDs: leave a gap that they lie in."""
    records = {row.base: (row.uid, b"") for row in work.index.all_rows(state)}
    return UidList(state.uidvalidity, state.uidnext + UID_GAP, b"", records)


def reread(folder: Folder, work: UnitOfWork, state: MailboxRow) -> UidList:
    """Read the list that another program wrote.

    One that is lost, or has another UIDVALIDITY than the index, is made again: sessions go on.
    """
    found = folder.uids.load(folder.uidvalidity)
    if found is None:
        with folder.uids.lock.held():
            found = folder.uids.load(folder.uidvalidity) or _recovered(folder, work, state)
    return _raised_above_index(folder, work, state, found)


def _recovered(folder: Folder, work: UnitOfWork, state: MailboxRow) -> UidList:
    found = _list_from_index(work, state)
    found.uidnext = max(found.uidnext, folder.uids.uidnext + UID_GAP)
    _set_aside(folder, work)
    found.guid = b"" if folder.id.startswith("V") else folder.id.encode()
    folder.uids.start(found)
    return found


def _raised_above_index(
    folder: Folder, work: UnitOfWork, state: MailboxRow, found: UidList
) -> UidList:
    """A list from a backup lags behind the index: make sure that no UID is given again."""
    if found.uidnext >= state.uidnext:
        return found
    with folder.uids.lock.held():
        found = folder.uids.load(folder.uidvalidity) or found
        found.uidnext = max(found.uidnext, state.uidnext)
        taken = {uid for uid, _ in found.records.values()}
        for row in work.index.all_rows(state):
            if row.uid not in taken:
                found.records.setdefault(row.base, (row.uid, b""))
        folder.uids.start(found)
    return found


def give_uids(
    folder: Folder,
    work: UnitOfWork,
    state: MailboxRow,
    bases: Sequence[bytes],
    meanwhile: Meanwhile | None = None,
) -> list[int]:
    """Give UIDs to files as ``UidFile.append`` does. The lock is held."""
    if folder.uids.is_stale():
        reread(folder, work, state)
    return folder.uids.append(bases, meanwhile)
