"""Expunging messages: files first, into the archive and synced, then the index."""

from collections.abc import Sequence

from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.index.rows import Row
from twisted_mail.store.quota import Usage
from twisted_mail.store.trash.expunged_archive import ArchiveFolder
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.reconcile import ready, scan

_ATTEMPTS = 8  # at finding files that other programs rename meanwhile


def expunge(
    folder: Folder, work: UnitOfWork, uids: Sequence[int]
) -> tuple[tuple[int, ...], OSError | None]:
    """Remove messages; return the ascending UIDs of those that are gone now, and why not more are."""
    state = ready(folder, work)
    archived = work.tree.archive.todays_folder(folder.folder)
    error: OSError | None = None
    removed: list[Row] = []
    rows = work.index.rows(state, set(uids))
    coming = Usage(sum(row.stored for row in rows), len(rows))
    work.tree.archive_room.make(work.tree.ledger.quota, coming)
    wanted = there = {row.uid for row in rows}
    with folder.renaming(state):
        for _ in range(_ATTEMPTS):
            done, lost, error = _take_all(folder, work, archived, work.index.rows(state, wanted))
            removed += done
            if done:
                modseq = state.next_modseq()
                work.index.remove(state, [row.uid for row in done], modseq)
            if error is not None or not lost:
                break
            wanted = set(lost)
            scan(folder, work, is_forced=True)
    if removed:
        archived.sync()
        folder.sync({row.place for row in removed})
        gone = tuple(sorted(row.uid for row in removed))
        work.record(folder, EntriesExpunged(folder.name, gone, state.highest_modseq))
    left = {row.uid for row in work.index.rows(state, there)}
    return tuple(sorted(there - left)), error


def _take_all(
    folder: Folder, work: UnitOfWork, archived: ArchiveFolder, rows: Sequence[Row]
) -> tuple[list[Row], list[int], OSError | None]:
    """Return the rows whose files were removed, the UIDs of files not found, and what failed."""
    removed: list[Row] = []
    lost: list[int] = []
    for row in rows:
        try:
            bring_back = archived.take(folder.file(row), row)
        except FileNotFoundError:
            lost.append(row.uid)
        except OSError as error:
            if not is_of_one_file(error):
                return removed, lost, error
            folder.note_faulty(row, error)
        else:
            removed.append(row)
            if bring_back is not None:
                work.undo.append(bring_back)
    return removed, lost, None
