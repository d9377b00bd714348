"""The columns of a mailbox while sessions have it open, on the reactor thread."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted_mail.mail.mailbox.change import Added, Change, Gone, Marked, Renamed
from twisted_mail.mail.mailbox.entry import Columns
from twisted_mail.store.work.folder import Folder

if TYPE_CHECKING:
    from twisted_mail.store.account.folder_watch import WatchedMailbox


@dataclass(slots=True, eq=False)
class Live:
    """One open mailbox, shared by ``users`` sessions; ``name`` is the one last told."""

    folder: Folder
    name: str
    columns: Columns = field(default_factory=Columns)
    users: int = 0
    watched: "WatchedMailbox | None" = None

    def apply(self, change: Change) -> None:
        """Alter the columns as a change says."""
        match change:
            case Added(_, entries):
                self.columns.add(entries)
            case Marked(_, marks):
                self.columns.mark(marks)
            case Gone(_, uids, modseq):
                self.columns.remove(uids)
                self.columns.highest_modseq = max(self.columns.highest_modseq, modseq)
            case Renamed(_, new_name):
                self.name = new_name
                if self.watched is not None:
                    self.watched.follow()

    def differences(self, now: Columns) -> Iterator[Change]:
        """Yield the changes that make the columns those of ``now``; then take over its counters.

        Each change is to be applied before the next is asked for.
        """
        if _is_same(self.columns, now):
            return
        there = frozenset(now.uids)
        gone = tuple(uid for uid in self.columns.uids if uid not in there)
        if gone:
            yield Gone(self.name, gone, now.highest_modseq)
        marks = tuple(self._marks(now))
        if marks:
            yield Marked(self.name, marks)
        last = self.columns.uidnext
        added = tuple(now[row] for row, uid in enumerate(now.uids) if uid >= last)
        if added:
            yield Added(self.name, added)
        self.columns.uidnext = max(self.columns.uidnext, now.uidnext)
        self.columns.highest_modseq = max(self.columns.highest_modseq, now.highest_modseq)

    def _marks(self, now: Columns) -> Iterator[tuple[int, frozenset[str], int]]:
        for row, uid in enumerate(self.columns.uids):
            other = now.row(uid)
            if other is not None and now.flags[other] != self.columns.flags[row]:
                yield uid, now.flags[other], now.modseqs[other]


def _is_same(one: Columns, other: Columns) -> bool:
    def counters(columns: Columns) -> tuple[int, int, int]:
        return len(columns), columns.uidnext, columns.highest_modseq

    return counters(one) == counters(other)
