"""What one piece of work on an account may use, and what it leaves."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from twisted_mail.mail.mailbox.change import Change
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.store.index.index import Index
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import (
    ChangeEvent,
    ComparedEvent,
    MeasuredEvent,
    StoreEvent,
)
from twisted_mail.store.tree.tree import Tree


@dataclass(slots=True)
class UnitOfWork:
    """One piece of work on an account, within a transaction of its index: all of it or nothing.

    ``events`` is what happened, published if the work reaches its end. ``undo`` takes back what was done
    to files, the last first, if it does not; ``afterwards`` is done once it has. ``states`` has the rows
    of the mailboxes that it touches.
    """

    tree: Tree
    index: Index
    events: list[StoreEvent] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    states: dict[Folder, MailboxRow] = field(default_factory=dict)

    def record(self, folder: Folder, change: Change) -> None:
        """Publish a change, once the work is done."""
        self.events.append(ChangeEvent(folder, change))

    def record_columns(self, folder: Folder, columns: EntryColumns) -> None:
        """Publish how a mailbox differs from what sessions were sent, once the work is done."""
        self.events.append(ComparedEvent(folder, columns))

    def record_measures(self, folder: Folder, rows: Sequence[Row]) -> None:
        """Publish dates and sizes of messages, once the work is done."""
        self.events.append(
            MeasuredEvent(folder, tuple([(row.uid, row.date, row.size) for row in rows]))
        )

    def roll_back(self) -> None:
        """Undo what can be undone."""
        while self.undo:
            step = self.undo.pop()
            with suppress(OSError):
                step()
