"""All mailboxes of one account on disk: where they lie, and what is known of them.

Everything here runs in the account's lane, one piece of work at a time.
"""

import math
import os
import stat
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.account_disk import AccountDisk
from twisted_mail.store.disk.own_file_events import OwnFileEvents
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout, mailbox_names
from twisted_mail.store.format.special_use import SpecialUses
from twisted_mail.store.format.subscriptions import SubscriptionsFile
from twisted_mail.store.format.uidvalidity import UidValidities
from twisted_mail.store.index.database import Version
from twisted_mail.store.index.index import Index
from twisted_mail.store.quota import QuotaLedger
from twisted_mail.store.trash.archive_quota import ArchiveQuota
from twisted_mail.store.trash.expunged_archive import ExpungedArchive
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.tree.index_freshness import KnownIndex
from twisted_mail.store.tree.lane_events import ChangeEvent, StoreEvent, mailboxes_after
from twisted_mail.store.tree.unusable import UnusableFolders


class Tree:
    """One account on disk. ``events`` is what happened there and the reactor has not taken yet.

    ``notified`` has the folders of the mailboxes that the reactor knows of, if it asked, ``version`` is
    that of the index when other processes' work was last looked for, ``counted_at`` when all mailboxes
    were looked at to know what the account holds. ``losses`` is how often there was another index than
    before.
    """

    def __init__(self, environment: StoreEnvironment, path: bytes, ledger: QuotaLedger) -> None:
        self.environment = environment
        self.ledger = ledger
        self.own_events = OwnFileEvents()
        self.disk = AccountDisk(environment.disk, self.own_events)
        self.path = path
        self.maildir = os.path.join(path, b"Maildir")
        days = environment.settings.undelete_days
        self.archive = ExpungedArchive(self.disk, environment.clock, path, days, environment.faults)
        self.archive_quota = ArchiveQuota(environment, self.archive.path)
        self.special_uses = SpecialUses(self.disk, path)
        self.subscriptions = SubscriptionsFile(self.disk, self.maildir)
        self.uidvalidities = UidValidities(self.disk, environment.clock, path, self.maildir)
        self.folders: dict[bytes, Folder] = {}
        self.unusable = UnusableFolders(environment.clock)
        self.events: deque[StoreEvent] = deque()
        self.notified: frozenset[bytes] | None = None
        self.is_prepared = False
        self.version: Version | None = None
        self.counted_at = -math.inf
        self.losses = 0
        self.known_index = KnownIndex(self.disk, path, environment.clock)
        self._index: Index | None = None
        self._index_file: tuple[int, int] | None = None  # of the index that was closed last

    # ------------------------------------------------------------ the index

    @property
    def index(self) -> Index:
        """Return the index, opened at first use."""
        if self._index is None:
            path = os.path.join(self.path, b"index.sqlite3")
            known = self.environment
            self._index = Index(self.disk, path, known.boot, known.clock, known.faults)
            file = self._index.database.file
            if file is None or file != self._index_file:
                self.lose_index()
                self.is_prepared = False  # sessions may have mailboxes open that it knows otherwise
        return self._index

    @property
    def has_open_index(self) -> bool:
        """Return whether the index was opened, and not closed since."""
        return self._index is not None

    def close_index(self) -> None:
        """Close the index, and remove the files kept for locks; all that is there again when needed."""
        if self._index is not None:
            self._index_file = self._index.database.file
            self._index.close()
            self._index = None
            for folder in self.folders.values():
                folder.uids.lock.forget()

    def lose_index(self) -> None:
        """Have each mailbox read anew from another index, and compared with its list of UIDs."""
        self.losses += 1
        for folder in self.folders.values():
            folder.freshness.lose_index()

    def new_uidvalidity(self) -> int:
        """Return a number greater than any UIDVALIDITY given before, noted durably."""
        [value] = self.new_uidvalidities(1)
        return value

    def new_uidvalidities(self, count: int) -> list[int]:
        """Return that many such numbers, at least one; they ascend."""
        return self.uidvalidities.new(self.index.mailboxes.highest_uidvalidity(), count)

    # ------------------------------------------------------------ events

    def queue_events(self, events: Iterable[StoreEvent]) -> None:
        """Have the reactor take these events."""
        events = list(events)
        if self.notified is not None:
            self.notified = mailboxes_after(self.notified, events)
        self.events += events

    def record_subscriptions(self) -> None:
        """Publish what was subscribed to since this was last called, and what no longer is."""
        with suppress(OSError):
            changes = self.subscriptions.events()
            if changes:
                inbox = self.folder(layout.INBOX)
                self.events += [ChangeEvent(inbox, each) for each in changes]

    # ------------------------------------------------------------ one mailbox

    def find(self, name: str) -> Folder:
        """Return a mailbox, within a transaction or a lookup. Raises Refused: NONEXISTENT.

        Outside of both, another process may just be renaming a mailbox that is known to the folder.
        """
        return self._found(self._coded(name), "NONEXISTENT")

    def path_of(self, name: str) -> bytes:
        """Return the path of a mailbox's folder. Raises Refused: NONEXISTENT."""
        coded = self._coded(name)
        self._check(coded, "NONEXISTENT")
        return os.path.join(self.maildir, coded) if coded else self.maildir

    def _coded(self, name: str) -> bytes:
        try:
            return layout.folder_name(name)
        except Refused:
            raise Refused("There is no such mailbox.", "NONEXISTENT") from None

    def target(self, name: str) -> Folder:
        """Return the mailbox that messages are put into. Raises Refused: TRYCREATE, CANNOT.

        TRYCREATE is only for names that could be created (RFC 3501 §7.1).
        """
        return self._found(layout.folder_name(mailbox_names.new(name)), "TRYCREATE")

    def _found(self, coded: bytes, condition: str) -> Folder:
        self._check(coded, condition)
        return self.folder(coded)

    def _check(self, coded: bytes, condition: str) -> None:
        if not self._is_folder(coded):
            raise Refused("There is no such mailbox.", condition)

    def folder(self, coded: bytes) -> Folder:
        """Return the mailbox in a folder of the maildir, whether or not there is one."""
        if coded not in self.folders:
            known = self.environment
            self.folders[coded] = Folder(
                self.disk, known.clock, known.namer, self.maildir, coded, known.faults
            )
        return self.folders[coded]

    def follow(self, folder: Folder, new: bytes) -> None:
        """Note that a mailbox lies in another folder now."""
        self.folders.pop(folder.folder, None)
        folder.move(self.maildir, new)
        self.folders[new] = folder

    # ------------------------------------------------------------ all mailboxes

    def places(self) -> frozenset[bytes]:
        """Return the folders of all mailboxes but INBOX."""
        return frozenset(self.mailboxes().values()) - {layout.INBOX}

    def mailboxes(self) -> dict[str, bytes]:
        """Return the folders of all mailboxes by name."""
        found = {mailbox_names.INBOX: layout.INBOX}
        for coded in self.disk.names(self.maildir):
            if coded.startswith(b".") and self._may_be_folder(coded):
                name = layout.mailbox_name(coded)
                if name is not None:
                    found[name] = coded
        return found

    def _may_be_folder(self, coded: bytes) -> bool:
        """Return whether a name may be that of a mailbox: if that cannot be seen, it is taken for one."""
        try:
            return self._is_folder(coded)
        except OSError as error:
            self.environment.faults.note(os.path.join(self.maildir, coded), error)
            return True

    def _is_folder(self, coded: bytes) -> bool:
        try:
            found = self.disk.stat(os.path.join(self.maildir, coded) if coded else self.maildir)
        except FileNotFoundError:
            return False
        return stat.S_ISDIR(found.st_mode)
