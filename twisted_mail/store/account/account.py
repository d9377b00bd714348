"""An account in a maildir: the door on the reactor thread, with the work done in its lane."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from twisted_mail.interfaces import Blocking, FolderMonitor, Renderer, Watcher
from twisted_mail.mail.mailbox.change import Change
from twisted_mail.mail.mailbox.entry import (
    CopyResult,
    MailboxInfo,
    MailboxStatus,
    NewMessage,
)
from twisted_mail.mail.outcome import MailError, Refused
from twisted_mail.store.account.mailbox import MailboxServices, MaildirMailbox
from twisted_mail.store.account.measuring import measure_for_claim, measure_mailbox
from twisted_mail.store.account.open_mailboxes import OpenMailboxes
from twisted_mail.store.account.quota_claim import QuotaClaim
from twisted_mail.store.account.thread_assignment import ThreadAssignment
from twisted_mail.store.change_feed import ChangeFeed
from twisted_mail.store.format.maildrop_lock import MaildropLock
from twisted_mail.store.index.rows import MailboxRow
from twisted_mail.store.keyword_limit import check_drafts
from twisted_mail.store.quota import Usage
from twisted_mail.store.reservations import Reserver
from twisted_mail.store.search.search import Search
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.lane_events import OpenedEvent
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.tree.unit_of_work import UnitOfWork
from twisted_mail.store.work import append, list_status, mailbox_operations
from twisted_mail.store.work.lane import AccountLane
from twisted_mail.store.work.lookup import find_at_once, find_unaltered
from twisted_mail.store.work.perform import perform
from twisted_mail.store.work.reconcile import columns, ready, scan
from twisted_mail.store.work.subscribe import subscribe

Noted = Callable[["MaildirAccount", Folder, Change | None], None]


class MaildirAccount:
    """One holder of mail. Fulfils ``interfaces.Account``.

    Nothing is read or made on disk before the first call that needs it. ``noted`` is called with
    mailboxes that have messages which are not indexed for SEARCH, or may have.
    """

    def __init__(
        self,
        name: str,
        tree: Tree,
        blocking: Blocking,
        render: Renderer,
        change_feed: ChangeFeed,
        noted: Noted | None = None,
        monitor: FolderMonitor | None = None,
        reserver: Reserver | None = None,
    ) -> None:
        self.name = name
        self.lane = AccountLane(blocking, tree)
        self._tree = tree
        self._noted = noted
        self._watchers = 0
        self._open = OpenMailboxes(self.lane, change_feed, self._note, self._note_opened, monitor)
        self.search = Search(
            self.lane, blocking.lane(), name, self._note_unindexed, lambda: self.is_open
        )
        self._claim = QuotaClaim(name, tree.ledger, reserver)
        self._services = MailboxServices(
            self.lane,
            self._claim,
            self._open,
            render,
            self._open.rendered,
            tree.environment.file_names,
            self.search,
            ThreadAssignment(self.lane),
        )

    # ------------------------------------------------------------ what is noted

    def _note(self, folder: Folder, change: Change | None) -> None:
        if self._noted is not None:
            self._noted(self, folder, change)

    def _note_unindexed(self, folder: Folder) -> None:
        self._note(folder, None)

    def _note_opened(self, folder: Folder) -> None:
        if folder not in self.search.compared:
            self._note(folder, None)

    def is_watching(self, mailbox: str) -> bool:
        """Return whether anybody waits for changes of a mailbox."""
        return self._watchers > 0 or self._open.has_name(mailbox)

    @property
    def has_open_files(self) -> bool:
        """Return whether an index is open."""
        return self.lane.tree.has_open_index or self.search.has_open_index

    @property
    def is_open(self) -> bool:
        """Return whether any mailbox is open."""
        return bool(self._open)

    # ------------------------------------------------------------ mailboxes

    async def mailboxes(self) -> Sequence[MailboxInfo]:
        """Return all mailboxes, and names that are subscribed to and gone, sorted by name."""
        return await self.lane.perform_steps(list_status.list_mailboxes)

    async def open(self, name: str) -> MaildirMailbox:
        """Open a mailbox."""
        if (watched := self._open.watched(name)) is not None:  # what was heard, the folder may hide
            with suppress(Refused):  # it may be gone: whether there is one now is seen below
                await watched.refresh()
        found = self._find_at_once(name)
        if found is None:
            is_known = self._open.holds(name)
            found = await self.lane.perform_steps(_open, name, not is_known)
        folder, row = found
        mailbox = self._open.current(folder, row)
        while mailbox is None:
            folder, row = await self.lane.perform_steps(_open, name, True)
            mailbox = self._open.get(folder)
        return MaildirMailbox(mailbox, self._services)

    def _find_at_once(self, name: str) -> tuple[Folder, MailboxRow] | None:
        """Return a mailbox in memory, and its row, if it is seen at once that nothing happened."""
        if not self._open.holds(name) or not self.lane.is_idle:
            return None
        self.lane.note_use()
        return find_at_once(self._tree, name)

    async def status(self, name: str, has_size: bool = True) -> MailboxStatus:
        """Return the counts of a mailbox."""
        if has_size:
            await measure_mailbox(self.lane, name)
        return await self.lane.perform_steps(list_status.known_status, name)

    async def create(self, name: str, use: str = "") -> None:
        """Make a mailbox and the levels above it."""
        await self.lane.perform(mailbox_operations.create, name, use)

    async def rename(self, name: str, new_name: str) -> None:
        """Rename a mailbox with its children; renaming INBOX moves its messages."""
        await self.lane.perform(mailbox_operations.rename, name, new_name)

    async def delete(self, name: str) -> None:
        """Delete a mailbox, not its children."""
        await self.lane.perform(mailbox_operations.delete, name)

    async def subscribe(self, name: str, is_subscribed: bool) -> None:
        """Subscribe to a name, or no longer."""
        await self.lane.perform(subscribe, name, is_subscribed)

    # ------------------------------------------------------------ messages

    async def append(self, name: str, drafts: Sequence[NewMessage]) -> CopyResult:
        """Put messages into a mailbox, all or none."""
        begun: list[bool] = []
        self.lane.note_use()
        try:
            check_drafts(drafts)
            await measure_for_claim(self.lane)
        except BaseException:
            _close(drafts)
            raise
        try:
            size = Usage(sum(draft.message.size for draft in drafts), len(drafts))
            async with self._claim.hold(size):
                return await self.lane.call(lambda: _append(self._tree, name, drafts, begun))
        except MailError:
            if not begun:  # the lane did not take the work
                _close(drafts)
            raise

    async def lock_maildrop(self) -> Callable[[], None]:
        """Keep other POP3 sessions out; return what lets them in again."""
        lock = MaildropLock(self._tree.disk, self._tree.path, self._tree.environment.faults)
        try:
            await self.lane.perform_steps(_lock, lock)
        except BaseException:
            lock.release()
            raise
        return lock.release

    async def refresh(self, mailbox: str) -> None:
        """Look for new mail in a mailbox."""
        watched = self._open.watched(mailbox)
        if watched is not None:
            await watched.refresh()
        else:
            await self.lane.perform(_refresh, mailbox)

    async def catch_up(self, mailbox: str, must_compare: bool) -> None:
        """Learn what other processes of the server did to a mailbox, for the work in the background."""
        self.lane.note_use()
        folder = await self.lane.background.perform(_catch_up, mailbox)
        if must_compare or folder not in self.search.compared:
            self._note(folder, None)

    # ------------------------------------------------------------ watching, and the end

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Hand every Change of the account to ``watcher``."""
        end = self._open.change_feed.watch(watcher)
        self._watchers += 1
        is_over = False

        def stop() -> None:
            nonlocal is_over
            end()
            self._watchers -= not is_over
            is_over = True

        return stop

    async def close(self) -> None:
        """Close the indexes, which are opened again at the next use; forget closed mailboxes."""
        self._open.forget_closed()
        await self.search.close()
        await self.lane.close()


# ---------------------------------------------------------------- in the lane


def _open(tree: Tree, name: str, with_columns: bool) -> tuple[Folder, MailboxRow]:
    """Return a mailbox, looked at just now, and its row; put its columns among the events."""
    found = None if with_columns else find_unaltered(tree, name)
    return found or in_transaction(tree, _look_at, name, with_columns)


def _look_at(
    tree: Tree, work: UnitOfWork, name: str, with_columns: bool
) -> tuple[Folder, MailboxRow]:
    folder = tree.find(name)
    row = scan(folder, work)
    if with_columns:
        work.events.append(OpenedEvent(folder, columns(folder, work, row)))
    return folder, row


def _refresh(tree: Tree, work: UnitOfWork, mailbox: str) -> None:
    """Look for what other programs and deliveries did to a mailbox."""
    scan(tree.find(mailbox), work)


def _catch_up(tree: Tree, work: UnitOfWork, mailbox: str) -> Folder:
    """Publish what the index has of a mailbox; its folder was looked at by those who wrote that."""
    folder = tree.find(mailbox)
    ready(folder, work)
    return folder


def _lock(tree: Tree, lock: MaildropLock) -> None:
    lock.acquire()


def _append(tree: Tree, name: str, drafts: Sequence[NewMessage], begun: list[bool]) -> CopyResult:
    begun.append(True)
    try:
        return perform(tree, append.append_to, name, drafts)
    finally:
        _close(drafts)


def _close(drafts: Sequence[NewMessage]) -> None:
    for draft in drafts:
        draft.message.blob.close()
