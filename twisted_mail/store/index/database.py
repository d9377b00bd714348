"""The file that holds an account's index: opening it, its transactions, and what can go wrong with it.

Used by one thread at a time.
"""

import errno
import os
import time
import uuid
from contextlib import suppress
from itertools import count
from typing import Any

import apsw

from twisted_mail.interfaces import Clock
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.index.connections import check, connect_to_read, copy_in_memory, empty
from twisted_mail.store.index.rows import MODSEQ_STEP, leap
from twisted_mail.store.index.schema import UnusableIndex, prepare

LOGGED_PAGES = 4096  # written before somebody's work waits for SQLite to put them in their places
BUSY_SECONDS = 30.0  # in a thread: another process may be at work on the account
_ATTEMPTS = 2  # at opening and renaming: a disk may fail for a moment
_PAUSE, _LONGEST_PAUSE = 0.0005, 0.005  # seconds, between two attempts to be next

# What SQLite raises when the disk is full, read-only or failing; and when the file is damaged.
NO_DISK = (
    apsw.FullError,
    apsw.ReadOnlyError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.PermissionsError,
)
DAMAGED = (apsw.CorruptError, apsw.NotADBError)

_NO_FILE = 0, 0  # device and inode of none
_connections = count()  # of this process, so that no two have one version

Version = tuple[int, int]  # the number of a connection, and what SQLite counts for it


class Database:
    """An SQLite database, at ``path`` or in memory; ``boot`` is what ``Disk.boot_id`` returned.

    ``connection`` is another one after ``replace`` and ``leave_disk``. Raises OSError where there is a
    file that can be neither used nor left.
    """

    def __init__(
        self, disk: Disk, path: bytes, boot: str, clock: Clock, faults: DiskFaults
    ) -> None:
        self._disk = disk
        self._path = path
        self._faults = faults
        self._boot = boot
        self._clock = clock
        self._inode: tuple[int, int] | None = None  # of the file, while it is used
        self._use(self._open_or_replace())

    def _use(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self._number = next(_connections)

    def note_fault(self, error: Exception) -> None:
        """Report an error that is worked around, by an index made again or in memory."""
        self._faults.note(self._path, error)

    # ------------------------------------------------------------ opening

    def _open_or_replace(self) -> apsw.Connection:
        for _ in range(_ATTEMPTS):
            try:
                return self._open_file()
            except NO_DISK as error:
                self.note_fault(error)
        connection = self._open_in_memory()
        self._inode = None
        return connection

    def _open_file(self) -> apsw.Connection:
        self._return_to_disk()
        try:
            return self._open(self._path)
        except (UnusableIndex, *DAMAGED, apsw.SQLError) as error:
            self.note_fault(error)
            self._move(b"", b".damaged")  # for people to look at
            return self._open(self._path)

    def _open_in_memory(self) -> apsw.Connection:
        """Begin with what the file says, which is left; with nothing if it is of no use.

        Raises OSError if the file can be neither read nor left: it would count again, and be wrong.
        """
        left = self._path + b".left"
        if exists(self._disk, left):  # and cannot come back
            copy = self._copy_of(left)
        else:
            copy = self._copy_of(self._path)
            self._try_to_move(b"", b".left")
        if copy is not None:
            return copy
        if exists(self._disk, self._path):
            raise OSError(errno.EIO, "The index can be neither used nor left.")
        return empty(self._disk)

    def _copy_of(self, path: bytes) -> apsw.Connection | None:
        try:
            file = connect_to_read(self._disk, path)
            try:
                connection = copy_in_memory(file)
            finally:
                file.close()
            prepare(self._disk, connection)
            check(connection)
            self._settle_boot(connection)
        except (UnusableIndex, *DAMAGED, apsw.SQLError):
            return empty(self._disk)
        except apsw.Error:
            return None
        return connection

    def _return_to_disk(self) -> None:
        """Use the file again that was left when the disk took no more; it is out of date by now.

        That is made good before it has its name back: a crash may come in between.
        """
        left = self._path + b".left"
        if exists(self._disk, left):
            self._boot = uuid.uuid4().hex
            if not exists(self._disk, self._path):  # its log may not have followed it
                self._move_log(b"", b".left")
            with suppress(UnusableIndex, *DAMAGED, apsw.SQLError):  # seen again when it is opened
                self._open(left).close()
            self._move(b".left", b"")

    def _move(self, old: bytes, new: bytes) -> None:
        """Rename the file, and those that SQLite keeps with it.

        Raises apsw.CantOpenError when the disk fails: then all are where they were.
        """
        try:
            self._disk.rename(self._path + old, self._path + new)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise apsw.CantOpenError(str(error)) from error
        self._move_log(old, new)

    def _move_log(self, old: bytes, new: bytes) -> None:
        for suffix in (b"-wal", b"-shm"):
            with suppress(OSError):
                self._disk.rename(self._path + old + suffix, self._path + new + suffix)

    def _try_to_move(self, old: bytes, new: bytes) -> None:
        for _ in range(_ATTEMPTS):
            with suppress(*NO_DISK):
                self._move(old, new)
                return

    def _open(self, path: bytes) -> apsw.Connection:
        connection = self._disk.connect(os.fsdecode(path))
        try:
            connection.set_busy_handler(_wait)
            is_new = not connection.pragma("user_version")
            # An index that a power cut takes before it says anything is missed by nobody.
            connection.pragma("synchronous", 0 if is_new else 1)
            connection.pragma("journal_mode", "wal")
            connection.wal_autocheckpoint(LOGGED_PAGES)
            prepare(self._disk, connection)
            if is_new:
                self._note_boot(connection)
            else:
                self._settle_boot(connection)
            connection.pragma("synchronous", 1)
        except BaseException:
            connection.close()
            raise
        self._inode = _inode(self._disk, path)
        return connection

    def _settle_boot(self, connection: apsw.Connection) -> None:
        """After a start of the machine, check the file and raise what SQLite may have forgotten."""
        row = connection.execute("SELECT value FROM account WHERE key = 'boot'").fetchone()
        if row is not None and row[0] == self._boot:
            return
        check(connection)
        connection.pragma("synchronous", 2)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "UPDATE mailboxes SET new_seen = 0, cur_seen = 0, list_seen = '',"
            " highest_modseq = iif(uidnext > 1, max(highest_modseq + ?, ?), highest_modseq)",
            (MODSEQ_STEP, leap(0, self._clock.now())),
        )
        self._note_boot(connection)
        self._disk.commit(connection)
        connection.pragma("synchronous", 1)

    def _note_boot(self, connection: apsw.Connection) -> None:
        connection.execute("INSERT OR REPLACE INTO account VALUES ('boot', ?)", (self._boot,))

    # ------------------------------------------------------------ the file

    @property
    def file(self) -> tuple[int, int] | None:
        """Return device and inode of the file; None while the database is in memory."""
        return self._inode

    def was_replaced(self) -> bool:
        """Return whether the file was removed, or another put in its place."""
        return not self._is_ours()

    def _is_ours(self) -> bool:
        return self._inode is None or self._inode == _inode(self._disk, self._path)

    def version(self) -> Version:
        """Return a value that is another once another process altered the index, or it is another one."""
        # Unlike ``pragma``, this is compiled once.
        found: Any = self.connection.execute("PRAGMA data_version").fetchone()
        return self._number, int(found[0])

    def replace(self) -> None:
        """Begin anew: this index turned out to be damaged, or another process put another there.

        Raises OSError as the constructor does; then the index counts as replaced until this succeeds.
        """
        self.close()
        if self._is_ours():
            self._try_to_move(b"", b".damaged")
        self._inode = _NO_FILE
        self._use(self._open_or_replace())

    def leave_disk(self) -> None:
        """Go on in memory with what is known, since the disk takes nothing. Raises apsw.Error."""
        memory = copy_in_memory(self.connection)
        self.close()
        if self._is_ours():
            self._try_to_move(b"", b".left")
        self._inode = None
        self._use(memory)

    def close(self) -> None:
        """Close the database; whatever was not committed is undone."""
        with suppress(apsw.Error):
            self.connection.close()

    # ------------------------------------------------------------ transactions

    def begin(self) -> None:
        """Begin a transaction, when no other process is in one. Raises apsw.Error."""
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self, is_synced: bool) -> None:
        """End the transaction; ``is_synced``: wait for the disk. Raises apsw.Error."""
        self._disk.commit(self.connection)
        if is_synced:
            # PRAGMA synchronous cannot change inside a transaction; a checkpoint syncs the log.
            self._checkpoint()

    def roll_back(self) -> None:
        """Undo the transaction."""
        with suppress(apsw.Error):
            self.connection.execute("ROLLBACK")

    def _checkpoint(self) -> None:
        attempt = 0
        while True:
            try:
                self._disk.checkpoint(self.connection)
            except apsw.BusyError:
                # Another process is at it, perhaps with an older state of the log.
                if not _wait(attempt):
                    raise
                attempt += 1
            else:
                return


def _wait(attempt: int) -> bool:
    """Wait for another process; return whether to try again.

    SQLite's own waiting grows to a tenth of a second between attempts: after a busy process
    that means never.
    """
    time.sleep(min(_PAUSE * (attempt + 1), _LONGEST_PAUSE))
    return attempt * _LONGEST_PAUSE < BUSY_SECONDS


def _inode(disk: Disk, path: bytes) -> tuple[int, int] | None:
    try:
        found = disk.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
