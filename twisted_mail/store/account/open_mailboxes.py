"""The mailboxes of an account that sessions have open, on the reactor thread."""

from collections.abc import Callable

from twisted_mail.interfaces import FolderMonitor
from twisted_mail.mail.mailbox.change import Change, EntriesAdded, EntriesExpunged, MailboxDeleted
from twisted_mail.mail.mailbox.entry import EntryColumns
from twisted_mail.store.account.folder_watch import WatchedMailbox, WatchedTree
from twisted_mail.store.account.open_mailbox import OpenMailbox
from twisted_mail.store.change_feed import ChangeFeed
from twisted_mail.store.tree.events import (
    ComparedEvent,
    MeasuredEvent,
    OpenedEvent,
    StoreEvent,
)
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work.lane import AccountLane

Noted = Callable[[Folder, Change | None], None]


class OpenMailboxes:
    """The open mailboxes by folder, kept as the events of the lane say; their changes are published.

    ``note`` is called with messages that came or went, and with None where some may have; ``note_opened``
    with each mailbox that is opened and was not.
    """

    def __init__(
        self,
        lane: AccountLane,
        change_feed: ChangeFeed,
        note: Noted,
        note_opened: Callable[[Folder], None],
        monitor: FolderMonitor | None,
    ) -> None:
        self.change_feed = change_feed
        self._lane = lane
        self._note = note
        self._note_opened = note_opened
        self._monitor = monitor
        self._open: dict[Folder, OpenMailbox] = {}
        self._watched: WatchedTree | None = None
        lane.publish = self._take

    def __bool__(self) -> bool:
        return bool(self._open)

    def get(self, folder: Folder) -> OpenMailbox | None:
        """Return a mailbox if it is open."""
        return self._open.get(folder)

    def has_name(self, name: str) -> bool:
        """Return whether a mailbox of this name is open."""
        return any(each.name == name for each in self._open.values())

    def watched(self, name: str) -> WatchedMailbox | None:
        """Return what watches the open mailbox of this name, if it is open."""
        found = (each.watched for each in self._open.values() if each.name == name)
        return next(found, None)

    def release(self, mailbox: OpenMailbox) -> None:
        """End one use of a mailbox, and forget its columns with the last one."""
        mailbox.users -= 1
        if mailbox.users == 0:
            self._open.pop(mailbox.folder, None)
            if mailbox.watched is not None:
                mailbox.watched.close()
            self._watch_tree()

    # ------------------------------------------------------------ events of the lane

    def _take(self, event: StoreEvent) -> None:
        match event:
            case OpenedEvent(folder, columns):
                self._add(folder, columns)
            case ComparedEvent(folder, columns):
                self._compare(folder, columns)
            case MeasuredEvent(folder, facts):
                if folder in self._open:
                    self._open[folder].columns.measure(facts)
            case _:
                self._publish(event.folder, event.change)

    def _add(self, folder: Folder, columns: EntryColumns) -> None:
        if folder in self._open:
            self._compare(folder, columns)
            return
        watched = WatchedMailbox(self._lane, folder, self._monitor)
        self._open[folder] = OpenMailbox(folder, folder.name, columns, watched=watched)
        self._watch_tree()
        self._note_opened(folder)

    def _compare(self, folder: Folder, columns: EntryColumns) -> None:
        """Publish how a mailbox differs from what its sessions were sent, if it is open."""
        if folder not in self._open:
            self._note(folder, None)
            return
        for change in self._open[folder].differences(columns):
            self._publish(folder, change)

    def _publish(self, folder: Folder, change: Change) -> None:
        if folder in self._open:
            self._open[folder].apply(change)
        if isinstance(change, EntriesAdded | EntriesExpunged | MailboxDeleted):
            self._note(folder, change)
        self.change_feed.publish(change)

    def _watch_tree(self) -> None:
        """Watch the account's folder while any mailbox is open."""
        if self._monitor is None or bool(self._open) == (self._watched is not None):
            return
        if self._watched is None:
            self._watched = WatchedTree(self._lane, self._monitor)
        else:
            self._watched.close()
            self._watched = self._lane.tree.notified = None
