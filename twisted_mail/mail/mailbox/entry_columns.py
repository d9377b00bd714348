"""The messages of one mailbox as columns: a mailbox of 100,000 is a few arrays, not 100,000 objects."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from twisted_mail.mail.mailbox.dropped_rows import drop_rows
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, Entry
from twisted_mail.mail.mailbox.flags import SEEN, Flags

_ALTERED_SINGLY = 64  # up to that many messages are cheaper one by one than the columns as a whole


@dataclass(slots=True)
class EntryColumns:
    """The entries of one mailbox, ascending by UID, a column for each property.

    Shared by every session that has the mailbox open: only its owner, the store, alters it, and only
    between two awaits of the reactor thread.
    """

    uids: "array[int]" = field(default_factory=lambda: array("Q"))
    flags: list[Flags] = field(default_factory=list)
    modseqs: "array[int]" = field(default_factory=lambda: array("Q"))
    dates: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("Q"))
    uidnext: int = 1
    highest_modseq: int = 1
    _unseen: tuple[int, int, int | None] = field(default=(0, 0, None), init=False, compare=False)
    _has_snapshots: bool = field(default=False, init=False, compare=False)

    def __len__(self) -> int:
        return len(self.uids)

    def __getitem__(self, row: int) -> Entry:
        return Entry(
            self.uids[row], self.flags[row], self.modseqs[row], self.dates[row], self.sizes[row]
        )

    def __iter__(self) -> Iterator[Entry]:
        return map(Entry, self.uids, self.flags, self.modseqs, self.dates, self.sizes)

    def snapshot(self) -> "tuple[array[int], list[Flags]]":
        """Return the UIDs and flags there are now, not to be altered. They are copied when these are."""
        self._has_snapshots = True
        return self.uids, self.flags

    def _leave_snapshots(self) -> None:
        """Leave UIDs and flags to those who have a snapshot of them, before they are altered."""
        if self._has_snapshots:
            self._has_snapshots = False
            self.uids, self.flags = self.uids[:], self.flags[:]

    def row(self, uid: int) -> int | None:
        """Return the row of a UID, or None where there is no such message now."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def first_unseen(self) -> int | None:
        r"""Return the first row without ``\Seen``, or None.

        It is looked for once, until the number of messages or the highest mod-sequence is another one.
        """
        messages, highest = len(self.uids), self.highest_modseq
        if self._unseen[:2] != (messages, highest):
            rows = (row for row, flags in enumerate(self.flags) if SEEN not in flags)
            self._unseen = messages, highest, next(rows, None)
        return self._unseen[2]

    def rows_between(self, first: int, last: int) -> range:
        """Return the rows of the UIDs from ``first`` to ``last``, both included."""
        return range(bisect_left(self.uids, first), bisect_right(self.uids, last))

    def present(self, uids: Sequence[int]) -> Sequence[int]:
        """Return those of ascending UIDs whose messages are there, ascending: mostly the same object."""
        if isinstance(uids, array) and uids == self.uids:
            return uids
        if len(uids) < len(self.uids) // _ALTERED_SINGLY:
            return [uid for uid in uids if self.row(uid) is not None]
        return array("Q", sorted(set(self.uids).intersection(uids)))

    def add(self, entries: "Iterable[Entry] | EntryColumns") -> None:
        """Append entries with ascending UIDs above all that were here before."""
        self._leave_snapshots()
        if isinstance(entries, EntryColumns):
            self._extend(entries)
            return
        for entry in entries:
            self.uids.append(entry.uid)
            self.flags.append(entry.flags)
            self.modseqs.append(entry.modseq)
            self.dates.append(entry.date)
            self.sizes.append(entry.size)
            self.uidnext = max(self.uidnext, entry.uid + 1)
            self.highest_modseq = max(self.highest_modseq, entry.modseq)

    def _extend(self, other: "EntryColumns") -> None:
        self.uids.extend(other.uids)
        self.flags.extend(other.flags)
        self.modseqs.extend(other.modseqs)
        self.dates.extend(other.dates)
        self.sizes.extend(other.sizes)
        self.uidnext = max(self.uidnext, other.uidnext)
        self.highest_modseq = max(self.highest_modseq, other.highest_modseq)

    def mark(self, marks: Sequence[tuple[int, Flags, int]]) -> None:
        """Set flags and mod-sequence by UID; UIDs that are gone are ignored."""
        self._leave_snapshots()
        if len(marks) > _ALTERED_SINGLY and self._mark_together(marks):
            return
        for uid, flags, modseq in marks:
            row = self.row(uid)
            if row is not None:
                self.flags[row] = flags
                self.modseqs[row] = modseq
                self.highest_modseq = max(self.highest_modseq, modseq)

    def _mark_together(self, marks: Sequence[tuple[int, Flags, int]]) -> bool:
        """Set flags and mod-sequence of messages that stand together; return whether they do."""
        uids, flags, modseqs = zip(*marks, strict=True)
        start = bisect_left(self.uids, uids[0])
        together = slice(start, start + len(uids))
        if self.uids[together] != array("Q", uids):
            return False
        self.flags[together] = flags
        self.modseqs[together] = array("Q", modseqs)
        self.highest_modseq = max(self.highest_modseq, *modseqs)
        return True

    def unmeasured(self, uids: Sequence[int]) -> list[int]:
        """Return those of the UIDs whose messages are here, with unknown date and size."""
        if len(uids) > 1:
            rows = self.rows_between(min(uids), max(uids))
            if UNKNOWN_DATE not in self.dates[rows.start : rows.stop]:
                return []
        dates = self.dates
        return [
            uid for uid in uids if (row := self.row(uid)) is not None and dates[row] == UNKNOWN_DATE
        ]

    def sizes_of(self, uids: Sequence[int]) -> Sequence[int]:
        """Return the sizes of ascending UIDs, 0 for those that are gone."""
        if len(uids) > 1:
            rows = self.rows_between(uids[0], uids[-1])
            if self.uids[rows.start : rows.stop].tolist() == uids:
                return self.sizes[rows.start : rows.stop]
        return [0 if row is None else self.sizes[row] for row in map(self.row, uids)]

    def measure(self, facts: Iterable[tuple[int, int, int]]) -> None:
        """Set date and size by UID; UIDs that are gone are ignored."""
        for uid, date, size in facts:
            row = self.row(uid)
            if row is not None:
                self.dates[row] = date
                self.sizes[row] = size

    def remove(self, uids: Sequence[int]) -> None:
        """Drop the rows of ascending UIDs; UIDs that are gone are ignored."""
        self._leave_snapshots()
        rows = [row for row in map(self.row, uids) if row is not None]
        drop_rows((self.uids, self.flags, self.modseqs, self.dates, self.sizes), rows)
