"""The mailboxes of an account that are in memory, on the reactor thread.

Those are the mailboxes that sessions have open, and a few that were closed lately. A closed one is
neither watched nor looked at; it only follows what happens in the lane. Whoever opens it again has its
folder looked at first, as for any other, and finds here what did not change.
"""

from collections.abc import Callable
from functools import partial

from twisted_mail.interfaces import FolderMonitor
from twisted_mail.mail.mailbox.change import Change, EntriesAdded, EntriesExpunged, MailboxDeleted
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.store.account.folder_watch import WatchedMailbox, WatchedTree
from twisted_mail.store.account.open_mailbox import OpenMailbox
from twisted_mail.store.change_feed import ChangeFeed
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import (
    ComparedEvent,
    MeasuredEvent,
    OpenedEvent,
    StoreEvent,
)
from twisted_mail.store.work.lane import AccountLane

MAX_CLOSED = 8  # mailboxes of one account that are in memory though nobody has them open

Noted = Callable[[Folder, Change | None], None]


class OpenMailboxes:
    """The mailboxes by folder, kept as the events of the lane say; their changes are published.

    ``note`` is called with messages that came or went, and with None where some may have; ``note_opened``
    with each mailbox that is opened and was not. ``rendered`` has items of the mailboxes in memory.
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
        self.rendered = lane.tree.environment.rendered.share()
        self._lane = lane
        self._note = note
        self._note_opened = note_opened
        self._monitor = monitor
        self._file_names = lane.tree.environment.file_names
        self._closed = lane.tree.environment.closed_mailboxes
        self._known: dict[Folder, OpenMailbox] = {}  # of the closed ones, the first closed first
        self._watched: WatchedTree | None = None
        lane.publish = self._take

    # ------------------------------------------------------------ which there are

    def __bool__(self) -> bool:
        """Return whether any mailbox is open."""
        return any(each.users for each in self._known.values())

    def get(self, folder: Folder) -> OpenMailbox | None:
        """Return a mailbox if it is in memory."""
        return self._known.get(folder)

    def current(self, folder: Folder, row: MailboxRow) -> OpenMailbox | None:
        """Return a mailbox if it is in memory as its row says; else forget it if nobody has it open."""
        mailbox = self._known.get(folder)
        if mailbox is None or mailbox.is_at(row):
            return mailbox
        if not mailbox.users:
            self._forget(mailbox)
        return None

    def holds(self, name: str) -> bool:
        """Return whether a mailbox of this name is in memory."""
        return any(each.name == name for each in self._known.values())

    def has_name(self, name: str) -> bool:
        """Return whether a mailbox of this name is open."""
        return any(each.users and each.name == name for each in self._known.values())

    def watched(self, name: str) -> WatchedMailbox | None:
        """Return what watches the mailbox of this name, if anything does: not one that was deleted."""
        named = [each for each in self._known.values() if each.name == name]
        return next((each.watched for each in named if not each.folder.is_removed), None)

    # ------------------------------------------------------------ opening and closing

    def acquire(self, mailbox: OpenMailbox) -> None:
        """Begin one use of a mailbox."""
        mailbox.users += 1
        if mailbox.users == 1:
            self._closed.remove(mailbox.number)
            self._note_opened(mailbox.folder)

    def release(self, mailbox: OpenMailbox) -> None:
        """End one use of a mailbox; after the last one it stays in memory for a while."""
        mailbox.users -= 1
        if mailbox.users:
            return
        if mailbox.watched is not None:
            mailbox.watched.close()
            mailbox.watched = None
            self._watch_tree()
        if mailbox.folder.is_removed:
            self._forget(mailbox)
        else:
            self._keep(mailbox)

    def _keep(self, mailbox: OpenMailbox) -> None:
        """Have a mailbox in memory that nobody has open, and forget others if those are many."""
        self._known[mailbox.folder] = self._known.pop(mailbox.folder)
        self._count(mailbox)
        for each in self._all_closed()[:-MAX_CLOSED]:
            self._forget(each)

    def _count(self, mailbox: OpenMailbox) -> None:
        self._closed.put(mailbox.number, mailbox.octets, partial(self._forget, mailbox))

    def _all_closed(self) -> list[OpenMailbox]:
        return [each for each in self._known.values() if not each.users]

    def _forget(self, mailbox: OpenMailbox) -> None:
        self._known.pop(mailbox.folder, None)
        self._closed.remove(mailbox.number)
        self._file_names.forget(mailbox.number)
        self.rendered.forget(mailbox.number)

    def forget_closed(self) -> None:
        """Forget the mailboxes that nobody has open."""
        for each in self._all_closed():
            self._forget(each)

    # ------------------------------------------------------------ watching

    def watching(self, mailbox: OpenMailbox) -> WatchedMailbox:
        """Return what watches an open mailbox, from now on if nothing did.

        Many sessions are over after a few commands; only those that stay ask what is new.
        """
        if mailbox.watched is None:
            mailbox.watched = WatchedMailbox(self._lane, mailbox.folder, self._monitor)
            self._watch_tree()
        return mailbox.watched

    def _watch_tree(self) -> None:
        """Watch the account's folder while any mailbox is watched."""
        is_needed = any(each.watched is not None for each in self._known.values())
        if self._monitor is None or is_needed == (self._watched is not None):
            return
        if self._watched is None:
            self._watched = WatchedTree(self._lane, self._monitor)
        else:
            self._watched.close()
            self._watched = self._lane.tree.notified = None

    # ------------------------------------------------------------ events of the lane

    def _take(self, event: StoreEvent) -> None:
        match event:
            case OpenedEvent(folder, columns):
                self._add(folder, columns)
            case ComparedEvent(folder, columns):
                self._compare(folder, columns)
            case MeasuredEvent(folder, facts):
                if folder in self._known:
                    self._known[folder].columns.measure(facts)
            case _:
                self._publish(event.folder, event.change)

    def _add(self, folder: Folder, columns: EntryColumns) -> None:
        if folder in self._known:
            self._compare(folder, columns)
        if folder not in self._known:
            mailbox = OpenMailbox(folder, folder.name, folder.uidvalidity, columns)
            self._known[folder] = mailbox
            self._keep(mailbox)  # until whoever wanted it takes it, if he has not gone

    def _compare(self, folder: Folder, columns: EntryColumns) -> None:
        """Publish how a mailbox differs from what its sessions were sent, if it is open."""
        mailbox = self._known.get(folder)
        if mailbox is not None and mailbox.users:
            for change in mailbox.differences(columns):
                self._publish(folder, change)
        elif mailbox is not None:
            self._forget(mailbox)
        self._note(folder, None)

    def _publish(self, folder: Folder, change: Change) -> None:
        mailbox = self._known.get(folder)
        if mailbox is not None:
            mailbox.apply(change)
            if isinstance(change, EntriesExpunged):
                self.rendered.forget_messages(mailbox.number, change.uids)
            if not mailbox.users:
                self._follow_closed(mailbox, change)
        if isinstance(change, EntriesAdded | EntriesExpunged | MailboxDeleted):
            self._note(folder, change)
        self.change_feed.publish(change)

    def _follow_closed(self, mailbox: OpenMailbox, change: Change) -> None:
        if isinstance(change, MailboxDeleted):
            self._forget(mailbox)
        elif isinstance(change, EntriesAdded):
            self._count(mailbox)
