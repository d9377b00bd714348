"""An account in a maildir: the door on the reactor thread, with the work done in its lane."""

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from twisted_mail.interfaces import Blocking, FolderMonitor, Renderer, Watcher
from twisted_mail.mail.mailbox.change import Change, EntriesAdded, EntriesExpunged, MailboxDeleted
from twisted_mail.mail.mailbox.entry import (
    CopyResult,
    EntryColumns,
    MailboxInfo,
    MailboxStatus,
    NewMessage,
)
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.folder_watch import WatchedMailbox, WatchedTree
from twisted_mail.store.account.mailbox import MaildirMailbox
from twisted_mail.store.account.open_mailbox import OpenMailbox
from twisted_mail.store.account.thread_assignment import ThreadAssignment
from twisted_mail.store.change_feed import ChangeFeed
from twisted_mail.store.format import layout
from twisted_mail.store.format.maildrop_lock import MaildropLock
from twisted_mail.store.format.subscriptions import subscribe
from twisted_mail.store.search.search import Search
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.transaction import ComparedEvent, MeasuredEvent, OpenedEvent
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work import append_copy, list_status, mailbox_operations, usage
from twisted_mail.store.work.measure import measure_next
from twisted_mail.store.work.reconcile import columns, scan

P = ParamSpec("P")
T = TypeVar("T")

Noted = Callable[["MaildirAccount", Folder, Change | None], None]


class MaildirAccount:
    """One holder of mail. Fulfils ``interfaces.Account``.

    What the lane does becomes news, in order; whoever comes back from the lane takes all that waits,
    so that nothing is left untold when a session ends before its work does. ``noted`` is told which
    mailboxes have messages that are not indexed for SEARCH, or may have.
    """

    def __init__(
        self,
        name: str,
        tree: Tree,
        lane: Blocking,
        render: Renderer,
        bell: ChangeFeed,
        noted: Noted | None = None,
        monitor: FolderMonitor | None = None,
    ) -> None:
        self.name = name
        self.render = render
        self.change_feed = bell
        self._tree = tree
        self._lane = lane
        self._open_mailboxes: dict[Folder, OpenMailbox] = {}
        self._watchers = 0
        self._noted = noted
        self._watching = monitor
        self._watched: WatchedTree | None = None
        self.search = Search(self, lane.lane(), tree)
        self.thread_assignment = ThreadAssignment(self)
        self.used_at = 0.0  # by the monotonic clock

    # ------------------------------------------------------------ the lane

    async def perform(
        self, work: Callable[Concatenate[Tree, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do a piece of work in the lane, and ring what happened."""
        self.used_at = self._tree.environment.clock.monotonic()
        return await self.perform_in_background(work, *args, **kwargs)

    async def perform_in_background(
        self, work: Callable[Concatenate[Tree, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do a piece of work in the background: the account still counts as idle."""
        try:
            return await self._lane.run(lambda: self._tree.perform(work, *args, **kwargs))
        finally:
            self._dispatch_events()

    def _dispatch_events(self) -> None:
        news = self._tree.events
        try:
            while news:
                each = news.popleft()
                if isinstance(each, OpenedEvent):
                    self._open(each)
                elif isinstance(each, ComparedEvent):
                    self._compare(each.folder, each.columns)
                elif isinstance(each, MeasuredEvent):
                    self._measure(each)
                else:
                    self._publish(each.folder, each.change)
        finally:
            if news:  # a watcher raised, and nobody takes reports
                self._dispatch_events()

    def _measure(self, measured: MeasuredEvent) -> None:
        live = self._open_mailboxes.get(measured.folder)
        if live is not None:
            live.columns.measure(measured.facts)

    def _publish(self, folder: Folder, change: Change) -> None:
        live = self._open_mailboxes.get(folder)
        if live is not None:
            live.apply(change)
        if isinstance(change, EntriesAdded | EntriesExpunged | MailboxDeleted):
            self.note(folder, change)
        self.change_feed.publish(change)

    def note(self, folder: Folder, change: Change | None = None) -> None:
        """Tell that messages came or went; None: that some may not be indexed."""
        if self._noted is not None:
            self._noted(self, folder, change)

    def _open(self, opened: OpenedEvent) -> None:
        live = self._open_mailboxes.get(opened.folder)
        if live is None:
            live = OpenMailbox(opened.folder, opened.folder.name, opened.columns)
            live.watched = WatchedMailbox(self, live.folder, self._tree.own_events, self._watching)
            self._open_mailboxes[opened.folder] = live
            self._watch_tree()
            if opened.folder not in self.search.compared:
                self.note(opened.folder)
        else:
            self._compare(opened.folder, opened.columns)

    def _compare(self, folder: Folder, columns: EntryColumns) -> None:
        """Ring what differs in a mailbox from what was told, if it is open."""
        live = self._open_mailboxes.get(folder)
        if live is None:
            self.note(folder)
            return
        for change in live.differences(columns):
            self._publish(folder, change)

    def _watch_tree(self) -> None:
        """Watch the account's mailboxes while any is open."""
        if self._watching is None or bool(self._open_mailboxes) == (self._watched is not None):
            return
        if self._watched is None:
            self._watched = WatchedTree(self, self._tree.maildir, self._watching)
        else:
            self._watched.close()
            self._watched = self._tree.notified = None

    @property
    def is_watched(self) -> bool:
        """Say whether anybody waits for news of the inbox."""
        return self._watchers > 0 or any(
            folder.folder == layout.INBOX for folder in self._open_mailboxes
        )

    @property
    def is_open(self) -> bool:
        """Say whether any mailbox is open."""
        return bool(self._open_mailboxes)

    # ------------------------------------------------------------ mailboxes

    async def prepare(self) -> None:
        """Make the account's folders where they are missing."""
        await self.perform(Tree.prepare)

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """Return all mailboxes, and names that are subscribed to and gone, sorted by name."""
        return await self.perform(list_status.list_mailboxes)

    async def open(self, name: str) -> MaildirMailbox:
        """Open a mailbox."""
        is_open = any(live.name == name for live in self._open_mailboxes.values())
        folder = await self.perform(_open, name, not is_open)
        while folder not in self._open_mailboxes:
            folder = await self.perform(_open, name, True)
        return MaildirMailbox(self, self._open_mailboxes[folder])

    def release(self, live: OpenMailbox) -> None:
        """Forget the columns of a mailbox that nobody has open any more."""
        live.users -= 1
        if live.users == 0:
            self._open_mailboxes.pop(live.folder, None)
            if live.watched is not None:
                live.watched.close()
            self._watch_tree()

    async def status(self, name: str, has_size: bool = True) -> MailboxStatus:
        """Return the counts of a mailbox."""
        after: int | None = 0
        while has_size and after is not None:
            after = await self.perform(_measure_next, name, after)
        return await self.perform(list_status.status, name)

    async def create(self, name: str, use: str = "") -> None:
        """Make a mailbox and the levels above it."""
        await self.perform(mailbox_operations.create, name, use)

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with its children; renaming INBOX moves its messages."""
        await self.perform(mailbox_operations.rename, name, new_name)

    async def delete(self, name: str) -> None:
        """Delete a mailbox, not its children."""
        await self.perform(mailbox_operations.delete, name)

    async def subscribe(self, name: str, is_subscribed: bool) -> None:
        """Subscribe to a name, or no longer."""
        await self.perform(subscribe, name, is_subscribed)

    # ------------------------------------------------------------ messages

    async def append(self, name: str, drafts: Sequence[NewMessage]) -> CopyResult:
        """Put messages into a mailbox, all or none."""
        begun: list[bool] = []
        try:
            await self.measure_for_claim()
        except BaseException:
            _close(drafts)
            raise
        try:
            return await self._lane.run(_append, self._tree, name, drafts, begun)
        except Unavailable:
            if not begun:  # the lane did not take the work
                _close(drafts)
            raise
        finally:
            self._dispatch_events()

    async def measure_for_claim(self) -> None:
        """Measure what the next claim has to know (see ``measure_for_count``)."""
        if usage.is_due(self._tree):
            await self.measure_for_count()

    async def measure_for_count(self) -> None:
        """Measure what a count of octets has to know, some messages at a time.

        So others have their turn while the messages of an imported account are read.
        """
        if not self._tree.ledger.quota.octets:
            return
        for coded in await self.perform(usage.unmeasured):
            after: int | None = 0
            while after is not None:
                after = await self.perform(usage.measure_piece, coded, after)

    async def lock_maildrop(self) -> Callable[[], None]:
        """Keep other POP3 sessions out; return what lets them in again."""
        lock = MaildropLock(self._tree.disk, self._tree.path)
        try:
            await self._lane.run(lock.acquire)
        except BaseException:
            lock.release()
            raise
        return lock.release

    async def refresh_inbox(self) -> None:
        """Look for new mail."""
        for live in self._open_mailboxes.values():
            if live.folder.folder == layout.INBOX and live.watched is not None:
                await live.watched.refresh()
                return
        await self.perform(refresh)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of the account to ``watcher``."""
        end = self.change_feed.watch(watcher)
        self._watchers += 1
        is_over = False

        def stop() -> None:
            nonlocal is_over
            end()
            self._watchers -= not is_over
            is_over = True

        return stop

    async def close(self) -> None:
        """Close the indexes, which are opened again at the next use."""
        await self.search.close()
        await self._lane.run(self._tree.close)
        self._dispatch_events()


# ---------------------------------------------------------------- in the lane


def _open(tree: Tree, name: str, with_columns: bool) -> Folder:
    folder = tree.find(name)
    if tree.notified is None:
        tree.notified = tree.places()
    with tree.unit_of_work() as work:
        scan(folder, work)
        if with_columns:
            work.events.append(OpenedEvent(folder, columns(folder, work)))
    return folder


def refresh(tree: Tree) -> None:
    """Look for what other programs and deliveries did to INBOX."""
    with tree.unit_of_work() as work:
        scan(tree.find("INBOX"), work)


def _measure_next(tree: Tree, name: str, after: int) -> int | None:
    folder = tree.find(name)
    with tree.unit_of_work() as work:
        if after == 0:
            scan(folder, work)
        return measure_next(folder, work, after)


def _append(tree: Tree, name: str, drafts: Sequence[NewMessage], begun: list[bool]) -> CopyResult:
    begun.append(True)
    try:
        return tree.perform(_append_all, name, drafts)
    finally:
        _close(drafts)


def _append_all(tree: Tree, name: str, drafts: Sequence[NewMessage]) -> CopyResult:
    folder = tree.target(name)
    with tree.unit_of_work() as work:
        return append_copy.append(folder, work, drafts)


def _close(drafts: Sequence[NewMessage]) -> None:
    for draft in drafts:
        draft.message.blob.close()
