"""Expunging messages: files first, into the archive and synced, then the index.

Thousands are expunged some at a time, and synced when all are: until then there is no OK, and a crash of
the machine may bring them back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.store.disk.faults import is_of_one_file
from twisted_mail.store.index.rows import Row
from twisted_mail.store.quota import Usage
from twisted_mail.store.trash.expunged_archive import ArchiveFolder
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.reconcile import ready, scan

_ATTEMPTS = 8  # at finding files that other programs rename meanwhile


@dataclass(frozen=True, slots=True)
class Expunged:
    """What a call of ``expunge_some`` did: the ascending UIDs that are gone, and why not more are.

    ``archives`` and ``places`` are the folders that are to be synced, in this order.
    """

    uids: tuple[int, ...] = ()
    error: OSError | None = None
    archives: tuple[ArchiveFolder, ...] = ()
    places: frozenset[bytes] = frozenset()

    def __add__(self, other: "Expunged") -> "Expunged":
        return Expunged(
            self.uids + other.uids,
            self.error or other.error,
            self.archives + other.archives,
            self.places | other.places,
        )


def expunge(folder: Folder, work: UnitOfWork, uids: Sequence[int]) -> Expunged:
    """Remove messages, durably."""
    expunged = expunge_some(folder, work, uids)
    make_durable(folder, work, expunged)
    return expunged


def make_durable(folder: Folder, work: UnitOfWork, expunged: Expunged) -> None:
    """Make a removal durable."""
    for archive in expunged.archives:
        archive.sync()
    folder.sync(set(expunged.places))


def expunge_some(folder: Folder, work: UnitOfWork, uids: Sequence[int]) -> Expunged:
    """Remove messages; ``make_durable`` is to be called when all of them are removed."""
    state = ready(folder, work)
    archived = work.tree.archive.todays_folder(folder.folder)
    error: OSError | None = None
    removed: list[Row] = []
    rows = work.index.rows(state, set(uids))
    coming = Usage(sum(row.stored for row in rows), len(rows))
    work.tree.archive_quota.keep_within(work.tree.ledger.quota, coming)
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
        gone = tuple(sorted(row.uid for row in removed))
        work.record(folder, EntriesExpunged(folder.name, gone, state.highest_modseq))
    left = {row.uid for row in work.index.rows(state, there)}
    places = frozenset(row.place for row in removed)
    return Expunged(tuple(sorted(there - left)), error, (archived,) if removed else (), places)


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
