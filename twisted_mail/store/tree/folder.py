"""One mailbox on disk: its folder, its list of UIDs and its keywords.

Everything here runs in the account's lane, but for ``name``, ``uidvalidity``, ``keywords.names`` and
``keywords.letter_of``, which the reactor thread reads.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from twisted_mail.interfaces import Clock
from twisted_mail.mail.mailbox.entry import MailboxStatus
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists, make_folders
from twisted_mail.store.disk.faults import DiskFaults, is_of_one_file
from twisted_mail.store.format import filename, layout
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.format.keywords import Keywords
from twisted_mail.store.format.uidlist import UidFile
from twisted_mail.store.index.rows import MailboxRow, Row
from twisted_mail.store.tree.faulty_messages import FaultyMessages
from twisted_mail.store.tree.freshness import Freshness


class Folder:
    """One mailbox of an account, by the name of its folder in the maildir (see ``layout``)."""

    def __init__(
        self,
        disk: Disk,
        clock: Clock,
        namer: Namer,
        maildir: bytes,
        folder: bytes,
        faults: DiskFaults,
    ) -> None:
        self.disk = disk
        self.clock = clock
        self.namer = namer
        self.folder = folder
        self.path = os.path.join(maildir, folder) if folder else maildir
        self.name = layout.mailbox_name(folder) or ""
        self.id = ""
        self.uids = UidFile(disk, self.path)
        self.keywords = Keywords(disk, clock, self.path, self.uids.lock, self.note_fault)
        self.freshness = Freshness(clock)
        self.faulty = FaultyMessages()
        self._faults = faults
        self.is_removed = False
        # At which row it was counted, and what.
        self.counted: tuple[MailboxRow | None, MailboxStatus] | None = None
        self.resume: dict[int, tuple[int, int, bytes]] = {}  # see ``reading.contents``

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

    def times(self) -> tuple[int, int]:
        """Return the modification times of new and cur. Raises Refused: NONEXISTENT.

        Where another program removed what is in the mailbox's folder, that is made again, and empty.
        """
        return self._time(b"/new"), self._time(b"/cur")

    @property
    def is_as_seen(self) -> bool:
        """Return whether new and cur have the modification times that they had when they were read."""
        try:
            found = self._time_now(b"/new"), self._time_now(b"/cur")
        except FileNotFoundError:
            return False
        return found == self.freshness.seen

    def _time_now(self, place: bytes) -> int:
        return self.disk.stat(self.path + place).st_mtime_ns

    def _time(self, place: bytes) -> int:
        try:
            return self._time_now(place)
        except FileNotFoundError:
            if not exists(self.disk, self.path):
                if self.folder == layout.INBOX:
                    raise
                raise Refused("The mailbox has been deleted.", "NONEXISTENT") from None
        for subfolder in layout.SUBFOLDERS:
            make_folders(self.disk, self.subfolder(subfolder))
        return self._time_now(place)

    @contextmanager
    def renaming(self, state: MailboxRow) -> Iterator[None]:
        """Surround own alterations of ``cur``, so that they need not be found by reading it all.

        ``new`` is read again: deliveries come there at the same time.
        """
        is_current = self.freshness.is_current(self._time(b"/cur"))
        yield
        if is_current:
            self.freshness.see_own_renames(self._time(b"/cur"))
        state.cur_seen = 0

    def is_message(self, path: bytes) -> os.stat_result | None:
        """Describe a file if it is there and regular."""
        try:
            found = self.disk.stat(path)
        except FileNotFoundError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def note_faulty(self, row: Row, error: OSError) -> None:
        """Report a message whose file cannot be used, to go on without it.

        Raises the error where others fail too: the process has too many files open, say.
        """
        self.note_fault(self.file(row), error)
        self.faulty.add(row.uid)

    def note_fault(self, path: bytes, error: OSError) -> None:
        """Report an error of one file, to go on without it. Raises it where others fail too."""
        if not is_of_one_file(error):
            raise error
        self._faults.note(path, error)

    def touch(self) -> None:
        """Have other processes of this server look at the index: no file shows this alteration."""
        with suppress(OSError):  # the folder is somebody else's; they look sooner or later
            self.disk.touch(self.subfolder(b"cur"))

    def sync(self, places: set[bytes]) -> None:
        """Make what was done in ``cur`` or ``new`` durable."""
        for place in sorted(places):
            self.disk.sync_folder(self.subfolder(place))
