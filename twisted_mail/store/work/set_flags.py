"""Altering the flags of messages, as STORE asks: files first, synced, then the index.

Those of thousands are altered some at a time, and made durable when all are: what the index says of them
meanwhile, a crash of the machine may undo, after which it is compared with the files anyhow.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal

from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.change import FlagsChanged
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.format import filename
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work.reconcile import ready, scan

How = Literal["set", "add", "remove"]

_ATTEMPTS = 8  # at finding files that other programs rename meanwhile


@dataclass(frozen=True, slots=True)
class MarkedMessages:
    """What a call of ``mark_some`` did: the ascending UIDs that were refused, and what is to be synced.

    ``places`` are the folders in which names were altered. ``needs_index`` when keywords without letters
    were, which only the index has; ``needs_touch`` when no name of some message tells of its alteration.
    """

    refused: tuple[int, ...] = ()
    places: frozenset[bytes] = frozenset()
    needs_index: bool = False
    needs_touch: bool = False

    def __add__(self, other: "MarkedMessages") -> "MarkedMessages":
        return MarkedMessages(
            self.refused + other.refused,
            self.places | other.places,
            self.needs_index or other.needs_index,
            self.needs_touch or other.needs_touch,
        )


def mark(
    folder: Folder,
    work: UnitOfWork,
    uids: Sequence[int],
    how: How,
    flags: Flags,
    unchanged_since: int | None,
) -> tuple[int, ...]:
    """Alter flags, durably; return the ascending UIDs refused for being changed since."""
    marked = mark_some(folder, work, uids, how, flags, unchanged_since)
    make_durable(folder, work, marked)
    return marked.refused


def mark_some(
    folder: Folder,
    work: UnitOfWork,
    uids: Sequence[int],
    how: How,
    flags: Flags,
    unchanged_since: int | None,
) -> MarkedMessages:
    """Alter flags; ``make_durable`` is to be called when those of all messages are altered."""
    state = ready(folder, work)
    if how != "remove":
        admit(folder, work, state, flags)
    named = folder.keywords.spelled(flags)
    rows = work.index.rows(state, set(uids))
    late = () if unchanged_since is None else _changed_since(rows, unchanged_since)
    if late:
        refused = set(late)
        rows = [row for row in rows if row.uid not in refused]
    marked = _mark_all(folder, work, state, rows, how, named)
    return _to_be_synced(folder, tuple(late), marked)


def make_durable(folder: Folder, work: UnitOfWork, marked: MarkedMessages) -> None:
    """Make altered flags durable."""
    folder.sync(set(marked.places))
    if marked.needs_index:
        work.index.need_full_sync()
    if marked.needs_touch:
        folder.touch()


def admit(folder: Folder, work: UnitOfWork, state: MailboxRow, flags: Flags) -> None:
    """Make sure that messages in a mailbox can have these flags. Raises Refused: LIMIT, CANNOT."""
    if not flag.keywords(flags):
        return
    in_use = work.index.keywords(state) if folder.keywords.needs_room(flags) else None
    folder.keywords.admit(flags, in_use)


def _changed_since(rows: Iterable[Row], modseq: int) -> list[int]:
    return [row.uid for row in rows if row.modseq > modseq]


def _mark_all(
    folder: Folder, work: UnitOfWork, state: MailboxRow, rows: list[Row], how: How, named: Flags
) -> list[tuple[Row, Row]]:
    """Rename files; return the rows before and after, ascending."""
    marked: list[tuple[Row, Row]] = []
    renamed: list[tuple[bytes, bytes]] = []
    work.undo.append(partial(_rename_back, folder, renamed))
    modseq = 0
    with folder.renaming(state):
        for _ in range(_ATTEMPTS):
            pairs = _altered(folder, rows, how, named, modseq or state.highest_modseq + 1)
            if pairs and not modseq:
                modseq = state.next_modseq()
            done, bad = _rename_all(folder, pairs, renamed)
            _record(folder, work, state, [new for _, new in done])
            marked += done
            if len(done) + len(bad) == len(pairs):
                return sorted(marked)
            uids = {old.uid for old, _ in pairs}.difference(bad, (old.uid for old, _ in done))
            scan(folder, work, is_forced=True)
            rows = work.index.rows(state, uids)
    raise Unavailable("The mailbox is being changed by another program.")


def _record(folder: Folder, work: UnitOfWork, state: MailboxRow, rows: Sequence[Row]) -> None:
    """Have the index know altered flags, and publish them before what is found at a later look."""
    if rows:
        work.index.update(state, rows)
        marks = tuple((row.uid, row.flags, row.modseq) for row in rows)
        work.record(folder, FlagsChanged(folder.name, marks))


def _altered(
    folder: Folder, rows: Iterable[Row], how: How, named: Flags, modseq: int
) -> list[tuple[Row, Row]]:
    """Return the rows that are to be altered, as they are and as they will be."""
    pairs = []
    known: dict[tuple[Flags, bytes], tuple[Flags, bytes]] = {}  # few differ
    for row in rows:
        uid, base, old_tail, old_flags, _, *measures = row
        after = known.get((old_flags, old_tail))
        if after is None:
            flags = flag.intern(combined(old_flags, how, named))
            after = flags, filename.tail_of(flags, folder.keywords.letter_of, old_tail)
            known[old_flags, old_tail] = after
        flags, tail = after
        if flags != old_flags:
            pairs.append((row, Row(uid, base, tail, flags, modseq, *measures)))
    return pairs


def combined(old: Flags, how: How, named: Flags) -> Flags:
    """Return the flags that a message has after an alteration."""
    match how:
        case "set":
            return named
        case "add":
            return old | named
        case "remove":
            return old - named


def _rename_all(
    folder: Folder, pairs: list[tuple[Row, Row]], renamed: list[tuple[bytes, bytes]]
) -> tuple[list[tuple[Row, Row]], set[int]]:
    """Rename files; return those that were where they were thought to be, their new names free.

    Returns, too, the UIDs of those that cannot be renamed: the new name may be too long.
    """
    done: list[tuple[Row, Row]] = []
    bad: set[int] = set()
    rename, within = folder.disk.rename_to_free, folder.path
    for pair in pairs:
        old, new = pair
        path = filename.path(within, old.base, old.tail)
        new_path = filename.path(within, new.base, new.tail)
        if path != new_path:
            try:
                rename(path, new_path)
            except (FileNotFoundError, FileExistsError):
                continue
            except OSError as error:
                folder.note_faulty(old, error)
                bad.add(old.uid)
                continue
            renamed.append((path, new_path))
        done.append(pair)
    return done, bad


def _rename_back(folder: Folder, renamed: list[tuple[bytes, bytes]]) -> None:
    for path, new_path in reversed(renamed):
        with suppress(OSError):
            folder.disk.rename(new_path, path)


def _to_be_synced(
    folder: Folder, refused: tuple[int, ...], marked: list[tuple[Row, Row]]
) -> MarkedMessages:
    renamed = [old for old, new in marked if old.tail != new.tail]
    letters = folder.keywords.letter_of
    changed = flag.NONE.union(*{old.flags ^ new.flags for old, new in marked})
    return MarkedMessages(
        refused,
        frozenset({row.place for row in renamed} | ({b"cur"} if renamed else set())),
        any(name not in letters for name in flag.keywords(changed)),
        len(renamed) < len(marked),
    )
