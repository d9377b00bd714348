"""The columns of a mailbox that is open or was so lately, on the reactor thread."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from twisted_mail.mail.mailbox.change import (
    Change,
    EntriesAdded,
    EntriesExpunged,
    FlagsChanged,
    MailboxRenamed,
)
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.store.account.folder_watch import WatchedMailbox
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.tree.folder import Folder

# Of a mailbox without messages, and its share of what its account has in memory.
_OCTETS = 16 * 1024
_MESSAGE_OCTETS = 48  # of each message in the columns


@dataclass(slots=True, eq=False)
class OpenMailbox:
    """One mailbox in memory, open in ``users`` sessions; ``name`` is the one last published.

    What happens in the account's lane reaches the columns even while nobody has it open. It is
    ``watched`` from the first refresh on, until the last session closes it. ``number`` is that of no
    other one in this process.
    """

    folder: Folder
    name: str
    uidvalidity: int
    columns: EntryColumns = field(default_factory=EntryColumns)
    users: int = 0
    watched: WatchedMailbox | None = None
    number: int = field(default_factory=count().__next__)

    @property
    def octets(self) -> int:
        """Return about how much memory it takes."""
        return _OCTETS + _MESSAGE_OCTETS * len(self.columns)

    def is_at(self, row: MailboxRow) -> bool:
        """Return whether the columns have all that the mailbox's row says, or more by now."""
        columns = self.columns
        if self.uidvalidity != row.uidvalidity:
            return False
        if columns.highest_modseq != row.highest_modseq:
            return columns.highest_modseq > row.highest_modseq
        return len(columns) == row.messages and columns.uidnext == row.uidnext

    def apply(self, change: Change) -> None:
        """Alter the columns as a change says."""
        match change:
            case EntriesAdded(_, entries):
                self.columns.add(entries)
            case FlagsChanged(_, marks):
                self.columns.mark(marks)
            case EntriesExpunged(_, uids, modseq):
                self.columns.remove(uids)
                self.columns.highest_modseq = max(self.columns.highest_modseq, modseq)
            case MailboxRenamed(_, new_name):
                self.name = new_name
                if self.watched is not None:
                    self.watched.follow()

    def differences(self, now: EntryColumns) -> Iterator[Change]:
        """Yield the changes that make the columns those of ``now``; then take over its counters.

        Each change is to be applied before the next is asked for.
        """
        if _is_same(self.columns, now):
            return
        there = frozenset(now.uids)
        gone = tuple(uid for uid in self.columns.uids if uid not in there)
        if gone:
            yield EntriesExpunged(self.name, gone, now.highest_modseq)
        marks = tuple(self._marks(now))
        if marks:
            yield FlagsChanged(self.name, marks)
        last = self.columns.uidnext
        added = tuple(now[row] for row, uid in enumerate(now.uids) if uid >= last)
        if added:
            yield EntriesAdded(self.name, added)
        self.columns.uidnext = max(self.columns.uidnext, now.uidnext)
        self.columns.highest_modseq = max(self.columns.highest_modseq, now.highest_modseq)

    def _marks(self, now: EntryColumns) -> Iterator[tuple[int, frozenset[str], int]]:
        for row, uid in enumerate(self.columns.uids):
            other = now.row(uid)
            if other is not None and now.flags[other] != self.columns.flags[row]:
                yield uid, now.flags[other], now.modseqs[other]


def _is_same(one: EntryColumns, other: EntryColumns) -> bool:
    def counters(columns: EntryColumns) -> tuple[int, int, int]:
        return len(columns), columns.uidnext, columns.highest_modseq

    return counters(one) == counters(other)
