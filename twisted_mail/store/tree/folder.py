"""One mailbox on disk: its folder, its UIDs, its keywords, and how current the index is.

Everything here runs in the account's lane, but for ``first_recent``, which the reactor thread raises,
and ``name``, ``uidvalidity`` and ``keywords.names``, which it reads.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from twisted_mail.interfaces import Clock
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, make_folders
from twisted_mail.store.format import filename, layout, uidlist
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.format.keywords import Keywords
from twisted_mail.store.format.uidlist import Meanwhile, UidFile, UidList
from twisted_mail.store.index.database import MODSEQ_STEP
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree import other_processes

if TYPE_CHECKING:
    from twisted_mail.store.tree.transaction import UnitOfWork

# A folder altered so shortly before it was read may be altered again within the same tick of the
# file system's clock: then its modification time says nothing yet.
RACY_SECONDS = 0.1
# After own renames in cur, what other programs did in the same moment goes unseen for so long.
DOUBT_SECONDS = 10.0
UID_GAP = 1_000_000  # numbers skipped when a list of UIDs is made again from the index


class Folder:
    """One mailbox of an account, by the name of its folder in the maildir (see ``layout``)."""

    def __init__(
        self, disk: Disk, clock: Clock, namer: Namer, maildir: bytes, folder: bytes
    ) -> None:
        self.disk = disk
        self.clock = clock
        self.namer = namer
        self.folder = folder
        self.path = os.path.join(maildir, folder) if folder else maildir
        self.name = layout.mailbox_name(folder) or ""
        self.id = ""
        self.uids = UidFile(disk, self.path)
        self.keywords = Keywords(disk, clock, self.path, self.uids.lock)
        self.listed: UidList | None = None  # read, and not compared with the files yet
        self.seen = (0, 0)  # modification times of new and cur when they were read
        self.doubted_since: float | None = None
        self.sync_point: other_processes.SyncPoint | None = None
        self.is_watched = False  # what happens in new and cur is heard of
        self.first_recent = 0
        self.settled = 0  # below this UID, no file lies in new
        self.is_removed = False
        self.resume: dict[int, tuple[int, int, bytes]] = {}  # see ``contents``

    @property
    def uidvalidity(self) -> int:
        """Return the UIDVALIDITY."""
        return self.uids.uidvalidity

    def move(self, maildir: bytes, folder: bytes) -> None:
        """Follow the mailbox to another folder."""
        self.folder = folder
        self.path = os.path.join(maildir, folder)
        self.name = layout.mailbox_name(folder) or ""
        self.uids.move(self.path)
        self.keywords.move(self.path)

    def subfolder(self, name: bytes) -> bytes:
        """Return the path of ``cur``, ``new`` or ``tmp``."""
        return os.path.join(self.path, name)

    def file(self, row: Row) -> bytes:
        """Return the path of a message."""
        return filename.path(self.path, row.base, row.tail)

    # ------------------------------------------------------------ the row in the index

    def state(self, work: "UnitOfWork") -> MailboxRow:
        """Return the mailbox's row in the index. Raises Refused: NONEXISTENT."""
        if self.is_removed:
            raise Refused("The mailbox has been deleted.", "NONEXISTENT")
        if self not in work.states:
            work.undo.append(self._seen_restorer())
        state = work.index.mailboxes.state(self.folder)
        if state is None or state.uidvalidity != self.uidvalidity:
            state = self._load(work, state)
            self.sync_point = None
        elif self not in work.states:
            other_processes.catch_up(self, work, state)
        work.states[self] = state
        state.first_recent = max(state.first_recent, self.first_recent)
        return state

    def _seen_restorer(self) -> Callable[[], None]:
        """Return what takes back what will be seen in a piece of work: it may not reach the index."""
        seen, listed, doubted_since = self.seen, self.listed, self.doubted_since
        stamp = self.uids.stamp

        def take_back() -> None:
            self.seen, self.listed, self.doubted_since = seen, listed, doubted_since
            self.uids.stamp = stamp

        return take_back

    def _load(self, work: "UnitOfWork", state: MailboxRow | None) -> MailboxRow:
        self._check_subfolders()
        if state is not None and state.list_seen and self.uids.current_stamp() == state.list_seen:
            self.uids.trust(state.uidvalidity, state.uidnext, state.list_seen)
        else:
            state = self._read_list(work, state)
        self.keywords.catch_up()
        self.keywords.learn(sorted(work.index.keywords(state)))
        self.id = self.uids.id()
        self.seen = (state.new_seen, state.cur_seen)
        self.first_recent = max(self.first_recent, state.first_recent)
        return state

    def _check_subfolders(self) -> None:
        """Complete a maildir; but where another program removed one, do not make it again."""
        if self.folder != layout.INBOX and not exists(self.disk, self.path):
            raise Refused("The mailbox has been deleted.", "NONEXISTENT")
        for place in layout.SUBFOLDERS:
            make_folders(self.disk, self.subfolder(place))

    def _read_list(self, work: "UnitOfWork", state: MailboxRow | None) -> MailboxRow:
        """Read the list of UIDs; make it again from the index where it is lost, else begin one."""
        found = self.uids.load()
        is_old = found is not None and found.uidnext > 1
        if found is None:
            with self.uids.lock.held():
                found = self.uids.load() or self._begin_list(work, state)
        if state is not None and state.uidvalidity != found.uidvalidity:
            work.index.mailboxes.remove(state)
            state = None
            self.first_recent = self.settled = 0
        if state is not None:
            found = self._raised_above_index(work, state, found)
        self.listed = found
        if state is None:
            state = work.index.mailboxes.add(self.folder, found.uidvalidity)
            if is_old:  # an index that was lost may have given mod-sequences: go on beyond them
                state.highest_modseq = int(self.clock.now() * MODSEQ_STEP)
                work.index.gone.forget(state, state.highest_modseq)
        elif is_old and state.uidnext == 1:  # it may have forgotten all that was told
            state.highest_modseq += MODSEQ_STEP
        state.new_seen = state.cur_seen = 0
        return state

    def _begin_list(self, work: "UnitOfWork", state: MailboxRow | None) -> UidList:
        found = self._list_from_index(work, state) if state else UidList(work.new_uidvalidity())
        found.guid = uidlist.new_guid()
        self.uids.start(found)
        return found

    def _list_from_index(self, work: "UnitOfWork", state: MailboxRow) -> UidList:
        """The index may have forgotten the last UIDs: leave a gap that they lie in."""
        records = {row.base: (row.uid, b"") for row in work.index.all_rows(state)}
        return UidList(state.uidvalidity, state.uidnext + UID_GAP, b"", records)

    def reread(self, work: "UnitOfWork", state: MailboxRow) -> UidList:
        """Read the list that another program wrote.

        One that is lost, or has another UIDVALIDITY than the index, is made again: sessions go on.
        """
        found = self.uids.load(self.uidvalidity)
        if found is None:
            with self.uids.lock.held():
                found = self.uids.load(self.uidvalidity) or self._recovered(work, state)
        return self._raised_above_index(work, state, found)

    def _recovered(self, work: "UnitOfWork", state: MailboxRow) -> UidList:
        found = self._list_from_index(work, state)
        found.uidnext = max(found.uidnext, self.uids.uidnext + UID_GAP)
        found.guid = b"" if self.id.startswith("V") else self.id.encode()
        self.uids.start(found)
        return found

    def _raised_above_index(self, work: "UnitOfWork", state: MailboxRow, found: UidList) -> UidList:
        """A list from a backup is behind the index: see to it that no UID is given again."""
        if found.uidnext >= state.uidnext:
            return found
        with self.uids.lock.held():
            found = self.uids.load(self.uidvalidity) or found
            found.uidnext = max(found.uidnext, state.uidnext)
            taken = {uid for uid, _ in found.records.values()}
            for row in work.index.all_rows(state):
                if row.uid not in taken:
                    found.records.setdefault(row.base, (row.uid, b""))
            self.uids.start(found)
        return found

    def number(
        self,
        work: "UnitOfWork",
        state: MailboxRow,
        bases: Sequence[bytes],
        meanwhile: Meanwhile | None = None,
    ) -> list[int]:
        """Give UIDs to files as ``UidFile.append`` does. The lock is held."""
        if self.uids.is_stale():
            self.reread(work, state)
        return self.uids.append(bases, meanwhile)

    # ------------------------------------------------------------ how current the index is

    def times(self) -> tuple[int, int]:
        """Return the modification times of new and cur. Raises Refused: NONEXISTENT."""
        try:
            stats = [self.disk.stat(self.subfolder(place)) for place in (b"new", b"cur")]
        except FileNotFoundError:
            if self.folder != layout.INBOX and not exists(self.disk, self.path):
                raise Refused("The mailbox has been deleted.", "NONEXISTENT") from None
            raise
        return stats[0].st_mtime_ns, stats[1].st_mtime_ns

    def trusted_time(self, time: int) -> int:
        """Return a modification time, or 0 if it is too young to tell a second alteration."""
        age = self.clock.now() - time / 1_000_000_000
        return time if age > RACY_SECONDS else 0

    @property
    def is_doubtful(self) -> bool:
        """Say whether it is time to look for what own renames may have hidden."""
        since = self.doubted_since
        return (
            since is not None
            and not self.is_watched
            and self.clock.monotonic() - since > DOUBT_SECONDS
        )

    @contextmanager
    def renaming(self, state: MailboxRow) -> Iterator[None]:
        """Surround own alterations of ``cur``, so that they need not be found by reading it all.

        ``new`` is read again: deliveries come there at the same time.
        """
        is_current = self.times()[1] == self.seen[1]
        yield
        if is_current:
            self.seen = (self.seen[0], self.times()[1])
            if self.doubted_since is None:
                self.doubted_since = self.clock.monotonic()
        state.cur_seen = 0

    # ------------------------------------------------------------ files

    def is_message(self, path: bytes) -> os.stat_result | None:
        """Describe a file if it is there and regular."""
        try:
            found = self.disk.stat(path)
        except FileNotFoundError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def touch(self) -> None:
        """Have other processes of this server look at the index: no file tells of this alteration."""
        with suppress(OSError):  # the folder is somebody else's; they look sooner or later
            self.disk.touch(self.subfolder(b"cur"))

    def sync(self, places: set[bytes]) -> None:
        """Make what was done in ``cur`` or ``new`` durable."""
        for place in sorted(places):
            self.disk.sync_folder(self.subfolder(place))
