"""One piece of work on an account: files and index together, all or nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from twisted_mail.mail.mailbox.change import Change
from twisted_mail.mail.mailbox.entry import EntryColumns
from twisted_mail.store.index.index import Index
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.quota import Usage
from twisted_mail.store.trash.expunged_archive import ExpungedArchive
from twisted_mail.store.tree.folder import Folder


class ChangeEvent(NamedTuple):
    """A change, and the folder of the mailbox it happened in."""

    folder: Folder
    change: Change


class OpenedEvent(NamedTuple):
    """All entries of a mailbox at one moment between two changes."""

    folder: Folder
    columns: EntryColumns


class ComparedEvent(NamedTuple):
    """The same, to be held against what was told before, if somebody has the mailbox open."""

    folder: Folder
    columns: EntryColumns


class MeasuredEvent(NamedTuple):
    """UID, date and size of messages of which they were not known before."""

    folder: Folder
    facts: tuple[tuple[int, int, int], ...]


StoreEvent = ChangeEvent | OpenedEvent | ComparedEvent | MeasuredEvent


@dataclass(slots=True)
class UnitOfWork:
    """What a piece of work may use, and what it leaves.

    ``events`` is what happened; ``undo`` takes back what was done to files, the last first, if the work
    does not reach its end. ``archive`` is where expunged files go. ``claim`` raises
    Refused when there is no room for so much.
    """

    index: Index
    new_uidvalidity: Callable[[], int]
    archive: ExpungedArchive
    events: list[StoreEvent] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)
    claim: Callable[[Usage], object] = lambda _: None
    states: dict[Folder, MailboxRow] = field(
        default_factory=dict
    )  # of the mailboxes that it touches

    def record(self, folder: Folder, change: Change) -> None:
        """Tell a change, once the work is done."""
        self.events.append(ChangeEvent(folder, change))

    def record_columns(self, folder: Folder, columns: EntryColumns) -> None:
        """Tell how a mailbox differs from what was told before, once the work is done."""
        self.events.append(ComparedEvent(folder, columns))

    def measured(self, folder: Folder, rows: Sequence[Row]) -> None:
        """Tell dates and sizes of messages, once the work is done."""
        self.events.append(
            MeasuredEvent(folder, tuple([(row.uid, row.date, row.size) for row in rows]))
        )

    def roll_back(self) -> None:
        """Undo what can be undone."""
        while self.undo:
            step = self.undo.pop()
            with suppress(OSError):
                step()


@contextmanager
def unit_of_work(
    index: Index, new_uidvalidity: Callable[[], int], attic: ExpungedArchive
) -> Iterator[UnitOfWork]:
    """Do a piece of work within a transaction of the index."""
    work = UnitOfWork(index, new_uidvalidity, attic)
    try:
        with index.transaction():
            yield work
    except BaseException:
        work.roll_back()
        raise
