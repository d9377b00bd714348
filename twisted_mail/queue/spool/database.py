"""The file of the queue's database: how it is opened, and what can go wrong with it."""

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import apsw

from twisted_mail.queue.spool.schema import (
    PAGE_SIZE,
    VERSION,
    SpoolUnusable,
    check_version,
    prepare,
)

NAME = "queue.sqlite3"
BUSY_SECONDS = 30.0  # in a thread: another process may be writing a word
_PAUSE, _LONGEST_PAUSE = 0.0005, 0.005  # seconds, between two attempts to be next
LOG_MOST = 8192  # pages of the log, from which the writing lane puts the rest in its place
_CACHE = -8192  # KiB with a minus, of pages in memory for each connection

# What SQLite raises when the disk is full or fails, or others are in the way: not for what was asked.
TROUBLE = (
    apsw.FullError,
    apsw.ReadOnlyError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.ProtocolError,
    apsw.NoMemError,
)
# And when the file is damaged.
DAMAGED = (apsw.CorruptError, apsw.NotADBError)


class SpoolDatabase:
    """One connection to the database at ``path``, with a write-ahead log, synced at each commit.

    Used by one thread at a time. A reader cannot write, and makes no database where there is none: one
    that was damaged may be on its way out. ``vfs`` is another one of SQLite's in tests.
    """

    def __init__(self, path: str, vfs: str | None = None, is_reader: bool = False) -> None:
        self.path = path
        flags = apsw.SQLITE_OPEN_READWRITE
        if not is_reader:
            make_private(path)
            flags |= apsw.SQLITE_OPEN_CREATE
        self.connection = apsw.Connection(path, flags, vfs)
        try:
            self.connection.set_busy_handler(_wait)
            self.connection.pragma("cache_size", _CACHE)
            self.connection.wal_autocheckpoint(0)  # done in another thread
            if is_reader:
                self.connection.pragma("query_only", 1)
            else:
                self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        connection = self.connection
        found = check_version(connection, self.path)
        if not found:  # before the first table is there
            connection.pragma("page_size", PAGE_SIZE)
            connection.pragma("auto_vacuum", 2)  # incremental
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", 2)  # FULL: a commit syncs the log
        connection.pragma("journal_size_limit", LOG_MOST * PAGE_SIZE)
        prepare(connection, found)

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Run one transaction; what it wrote is on disk afterwards. Raises apsw.Error."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            self.roll_back()
            raise

    @property
    def has_moved(self) -> bool:
        """Return whether another file has its name by now, or none: what is written then is lost."""
        found = ctypes.c_int(0)
        address = ctypes.addressof(found)
        self.connection.file_control("main", apsw.SQLITE_FCNTL_HAS_MOVED, address)
        return bool(found.value)

    def roll_back(self) -> None:
        """Undo the transaction that was begun, if SQLite has not done so by itself."""
        if self.connection.in_transaction:
            with suppress(apsw.Error):
                self.connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection; whatever was not committed is undone."""
        with suppress(apsw.Error):
            self.connection.close()


def make_private(path: str) -> None:
    """Make the file of a database for its owner alone; SQLite gives its companions the same mode.

    One that is there is left alone: to open and close it would take its locks from SQLite.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def open_database(folder: str) -> SpoolDatabase:
    """Open the queue's database from outside the server.

    Raises SpoolUnusable where there is none, or one of another version; apsw.Error.
    """
    path = os.path.join(folder, NAME)
    if not os.path.exists(path):
        raise SpoolUnusable(f"there is no queue at {path}")
    connection = apsw.Connection(path, apsw.SQLITE_OPEN_READONLY)
    try:
        found = check_version(connection, path)
    finally:
        connection.close()
    if found < VERSION:
        raise SpoolUnusable(
            f"{path} has version {found}: the server makes it {VERSION} at its start"
        )
    return SpoolDatabase(path)


def _wait(attempt: int) -> bool:
    """Wait for another process; return whether to try again.

    SQLite's own waiting grows to a tenth of a second between attempts.
    """
    time.sleep(min(_PAUSE * (attempt + 1), _LONGEST_PAUSE))
    return attempt * _LONGEST_PAUSE < BUSY_SECONDS
