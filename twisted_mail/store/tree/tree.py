"""All mailboxes of one account on disk, and the way into every piece of work on them.

Everything here runs in the account's lane, one piece of work at a time.
"""

import math
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

import apsw

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.durable import disk_faults
from twisted_mail.store.disk.recording import OwnFileEvents, RecordingDisk
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout, names, subscriptions
from twisted_mail.store.format.special_use import SpecialUses
from twisted_mail.store.format.subscriptions import SubscriptionsFile
from twisted_mail.store.format.uidvalidity import UidValidities
from twisted_mail.store.index.database import DAMAGED, NO_DISK
from twisted_mail.store.index.index import Index
from twisted_mail.store.quota import QuotaLedger
from twisted_mail.store.trash.expunged_archive import ExpungedArchive
from twisted_mail.store.tree import other_processes
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.transaction import ComparedEvent, StoreEvent, UnitOfWork, unit_of_work
from twisted_mail.store.work.prepare import clean, make_first_mailboxes, make_maildir
from twisted_mail.store.work.reconcile import columns, scan
from twisted_mail.store.work.usage import claim

P = ParamSpec("P")
T = TypeVar("T")


class Tree:
    """One account on disk. ``events`` is what happened there and the reactor has not taken yet."""

    def __init__(self, ground: StoreEnvironment, path: bytes, ledger: QuotaLedger) -> None:
        self.environment = ground
        self.ledger = ledger
        self.counted_at = -math.inf  # when all mailboxes were looked at to know the room there is
        self.own_events = OwnFileEvents()
        self.disk = RecordingDisk(ground.disk, self.own_events)
        self.path = path
        self.maildir = os.path.join(path, b"Maildir")
        self.archive = ExpungedArchive(self.disk, ground.clock, path, ground.settings.undelete_days)
        self.special_uses = SpecialUses(self.disk, path)
        self.subscriptions = SubscriptionsFile(self.disk, self.maildir)
        self.uidvalidities = UidValidities(self.disk, ground.clock, path, self.maildir)
        self.events: deque[StoreEvent] = deque()
        self.folders: dict[bytes, Folder] = {}
        self._index: Index | None = None
        self._is_prepared = False
        self._is_working = False
        self.notified: frozenset[bytes] | None = None  # the mailboxes that were told, if any were
        self._version = -1  # of the index, when other processes' work was last looked for

    # ------------------------------------------------------------ work

    def perform(
        self,
        work: Callable[Concatenate["Tree", P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do a piece of work. Raises Refused, Unavailable.

        When the index turns out to be damaged it is made again from the files, and when the disk takes
        no more it is kept in memory; then the work is done once more.
        """
        with disk_faults():
            try:
                self._prepare()
                self._follow_other_processes()
                return work(self, *args, **kwargs)
            except DAMAGED:
                self._rebuild()
            except NO_DISK:
                self.index.database.leave_disk()
            self._prepare()
            return work(self, *args, **kwargs)

    @property
    def index(self) -> Index:
        """Return the index, opened at first use."""
        if self._index is None:
            path = os.path.join(self.path, b"index.sqlite3")
            self._index = Index(self.disk, path, self.environment.boot)
        return self._index

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Do a piece of work within a transaction; what happened in it becomes news at its end."""
        foreign: list[StoreEvent] = []
        try:
            with unit_of_work(self.index, self.new_uidvalidity, self.archive) as work:
                self._is_working = True
                foreign = self._follow_others(work)
                work.claim = partial(claim, self, work)
                yield work
        except BaseException:
            self._queue_events(foreign)
            raise
        finally:
            self._is_working = False
        for folder, state in work.states.items():
            folder.sync_point = other_processes.sync_point(state)
        self._queue_events(work.events)

    def _follow_others(self, work: UnitOfWork) -> list[StoreEvent]:
        """Follow mailboxes that other processes renamed or deleted; return what there is to tell."""
        version = self.index.database.version()
        if version != self._version:
            other_processes.follow(self, work)
            self._version = version
        return list(work.events)

    def _queue_events(self, news: list[StoreEvent]) -> None:
        if self.notified is not None:
            self.notified = other_processes.notified(self.notified, news)
        self.events += news

    def _follow_other_processes(self) -> None:
        """Take note of what other processes of this server did."""
        if self.index.database.was_replaced():
            self._rebuild()
        if self.index.database.version() != self._version:
            with self.unit_of_work():
                pass
        subscriptions.record_subscriptions(self)

    def _rebuild(self) -> None:
        """Make the index again, and have those who have mailboxes open compare."""
        self.index.database.replace()
        for folder in self.folders.values():
            folder.sync_point = None
        for folder in [each for each in self.folders.values() if each.uidvalidity]:
            with suppress(Refused), self.unit_of_work() as work:
                scan(folder, work, is_forced=True)
                work.events[:] = [ComparedEvent(folder, columns(folder, work))]

    def close(self) -> None:
        """Close the index; it is opened again when it is needed."""
        if self._index is not None:
            with suppress(Refused, OSError, apsw.Error):
                self._save_recent()
            self._index.close()
            self._index = None

    def _save_recent(self) -> None:
        """Write down what sessions claimed."""
        with self.unit_of_work() as work:
            for folder in self.folders.values():
                if folder.uidvalidity and not folder.is_removed:
                    folder.state(work)

    # ------------------------------------------------------------ the beginning

    def prepare(self) -> None:
        """Make what is missing: that was done on the way here."""

    def _prepare(self) -> None:
        if self._is_prepared:
            return
        make_maildir(self.disk, self.maildir)
        with self.unit_of_work():
            clean(self)
            make_first_mailboxes(self)
        self._is_prepared = True

    # ------------------------------------------------------------ mailboxes

    def find(self, name: str) -> Folder:
        """Return a mailbox. Raises Refused: NONEXISTENT."""
        try:
            coded = layout.folder_name(name)
        except Refused:
            raise Refused("There is no such mailbox.", "NONEXISTENT") from None
        return self._found(coded, "NONEXISTENT")

    def target(self, name: str) -> Folder:
        """Return the mailbox that messages shall go to. Raises Refused: TRYCREATE, CANNOT.

        TRYCREATE is only for names that could be created (RFC 3501 §7.1).
        """
        coded = layout.folder_name(names.new(name))
        return self._found(coded, "TRYCREATE")

    def _found(self, coded: bytes, condition: str) -> Folder:
        """Return the mailbox in a folder of the maildir. Raises Refused with this condition.

        What lies in a folder that is not known yet may be a mailbox that is known, and that another
        process is just renaming: that is certain only when the other is done.
        """
        if coded not in self.folders and not self._is_working:
            with self.unit_of_work():
                return self._found(coded, condition)
        if not self._is_folder(coded):
            raise Refused("There is no such mailbox.", condition)
        return self.folder(coded)

    def folder(self, coded: bytes) -> Folder:
        """Return the mailbox in a folder of the maildir, whether or not there is one."""
        if coded not in self.folders:
            ground = self.environment
            self.folders[coded] = Folder(self.disk, ground.clock, ground.namer, self.maildir, coded)
        return self.folders[coded]

    def follow(self, folder: Folder, new: bytes) -> None:
        """Take note that a mailbox lies in another folder now."""
        self.folders.pop(folder.folder, None)
        folder.move(self.maildir, new)
        self.folders[new] = folder

    def _is_folder(self, coded: bytes) -> bool:
        try:
            found = self.disk.stat(os.path.join(self.maildir, coded) if coded else self.maildir)
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(found.st_mode)

    def places(self) -> frozenset[bytes]:
        """Return the folders of all mailboxes but INBOX."""
        return frozenset(self.mailboxes().values()) - {layout.INBOX}

    def mailboxes(self) -> dict[str, bytes]:
        """Return the folders of all mailboxes by name."""
        found = {names.INBOX: layout.INBOX}
        for coded in self.disk.names(self.maildir):
            if coded.startswith(b".") and self._is_folder(coded):
                name = layout.mailbox_name(coded)
                if name is not None:
                    found[name] = coded
        return found

    def new_uidvalidity(self) -> int:
        """Return a number greater than any UIDVALIDITY given before, noted durably."""
        return self.uidvalidities.new(self.index.mailboxes.highest_uidvalidity())
