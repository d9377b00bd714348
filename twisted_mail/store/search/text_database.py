"""The file of an account's full-text index: its tables, opening it, and its transactions."""

import os
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import apsw

from twisted_mail.mail.mime.substring_search import VERSION as TEXT_VERSION
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.search import checksums

FILE = b"search.sqlite3"
_LOG_PAGES = 256  # of the log, 4 MiB, before they are written to their places
BUSY_MILLISECONDS = 500  # another process may be writing; then the messages themselves are read

# Of another making it is made again: the text that is compared must be the text that was indexed.
MADE = f"5 {TEXT_VERSION} {unicodedata.unidata_version}"

_SCHEMA = """
CREATE TABLE about (made TEXT NOT NULL);
CREATE TABLE mailboxes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    folder BLOB NOT NULL,
    uidvalidity INTEGER NOT NULL,
    UNIQUE (folder, uidvalidity)
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    base BLOB NOT NULL,
    stored INTEGER NOT NULL,
    known INTEGER NOT NULL
);
CREATE TABLE additions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
CREATE TABLE fields (
    field INTEGER NOT NULL,
    message INTEGER NOT NULL,
    place INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (field, message, place)
) WITHOUT ROWID;
"""

# Of a word only which messages have it is kept; ``pgsz`` leaves room in a page of the file.
_WORDS = """
CREATE VIRTUAL TABLE {0} USING fts5(
    words, content='', contentless_delete=1, detail=none, tokenize='ascii'
);
INSERT INTO {0} ({0}, rank) VALUES ('automerge', 8), ('pgsz', 16200);
"""
TABLES = BODIES, HEADERS = "bodies", "headers"  # the second has the names of parts, too


class TextDatabase:
    """The database at ``path``, opened at first use."""

    def __init__(self, disk: Disk, path: bytes) -> None:
        self._disk = disk
        self._path = path
        self._opened: apsw.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Return whether the database is open."""
        return self._opened is not None

    @property
    def connection(self) -> apsw.Connection:
        """Return the connection. Raises apsw.Error."""
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self) -> apsw.Connection:
        connection = checksums.connect(self._disk, os.fsdecode(self._path))
        try:
            connection.set_busy_timeout(BUSY_MILLISECONDS)
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", 1)
            connection.pragma("wal_autocheckpoint", _LOG_PAGES)
            connection.pragma("temp_store", 2)
            _prepare(self._disk, connection)
            for table in TABLES:
                connection.execute(
                    f"CREATE VIRTUAL TABLE temp.{table}_words USING fts5vocab(main, {table}, row)"
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the database; whatever was not committed is undone."""
        if self._opened is not None:
            with suppress(apsw.Error):
                self._opened.close()
            self._opened = None

    def discard(self) -> None:
        """Throw the database away."""
        self.close()
        for suffix in (b"-wal", b"-shm", b""):
            with suppress(OSError):
                self._disk.unlink(self._path + suffix)

    @contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Make what happens inside happen as a whole, or not at all. Raises apsw.Error."""
        self.connection.execute(f"BEGIN {kind}")
        try:
            yield
            self._disk.commit(self.connection)
        except BaseException:
            with suppress(apsw.Error):
                self.connection.execute("ROLLBACK")
            raise

    def rows(self, query: str, values: tuple[int | str | bytes, ...] = ()) -> list[Any]:
        """Return what a query finds."""
        return self.connection.execute(query, values).fetchall()


def _prepare(disk: Disk, connection: apsw.Connection) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").get == 0:
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute("SELECT count(*) FROM sqlite_master").get == 0:
            connection.execute(_SCHEMA + "".join(map(_WORDS.format, TABLES)))
            connection.execute("INSERT INTO about VALUES (?)", (MADE,))
        disk.commit(connection)
    if connection.execute("SELECT made FROM about").get != MADE:
        raise apsw.SchemaChangeError("made by another version")
