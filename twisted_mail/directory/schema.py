"""The directory's database: its tables, their history, and how it is opened.

One SQLite file, in WAL mode so that the control command can write while the server reads, and with
full syncs so that an account that was reported as made survives a power cut. ``PRAGMA user_version``
counts the steps of ``STEPS`` that have been taken; a later release adds steps and never alters one.
"""

import os
import unicodedata
from pathlib import Path

import apsw

FILE = "accounts.sqlite3"  # its name in the state folder
# Before 3.51.3 a checkpoint could lose transactions when two connections met (the WAL-reset bug).
OLDEST_SQLITE = (3, 51, 3)
BUSY_MILLISECONDS = 5000

STEPS = (
    """
    CREATE TABLE domain (
        name TEXT PRIMARY KEY,
        created INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE account (
        key TEXT PRIMARY KEY,
        address TEXT NOT NULL,
        domain TEXT NOT NULL,
        hash TEXT NOT NULL,
        created INTEGER NOT NULL,
        is_enabled INTEGER NOT NULL DEFAULT 1
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX account_by_domain ON account (domain);
    CREATE TABLE alias (
        key TEXT NOT NULL,
        target_key TEXT NOT NULL,
        position INTEGER NOT NULL,
        address TEXT NOT NULL,
        domain TEXT NOT NULL,
        target TEXT NOT NULL,
        PRIMARY KEY (key, target_key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX alias_by_domain ON alias (domain);
    CREATE INDEX alias_by_target ON alias (target_key);
    """,
    """
    CREATE TABLE domain_alias (
        name TEXT PRIMARY KEY,
        target TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE secret (
        name TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE list (
        key TEXT PRIMARY KEY,
        address TEXT NOT NULL,
        domain TEXT NOT NULL,
        title TEXT NOT NULL,
        posting TEXT NOT NULL,
        joining TEXT NOT NULL,
        is_moderated INTEGER NOT NULL,
        created INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX list_by_domain ON list (domain);
    CREATE TABLE list_owner (
        list TEXT NOT NULL,
        key TEXT NOT NULL,
        position INTEGER NOT NULL,
        address TEXT NOT NULL,
        PRIMARY KEY (list, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE list_member (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        list TEXT NOT NULL,
        key TEXT NOT NULL,
        address TEXT NOT NULL,
        created INTEGER NOT NULL,
        bounces INTEGER NOT NULL DEFAULT 0,
        first_bounce INTEGER NOT NULL DEFAULT 0,
        last_bounce INTEGER NOT NULL DEFAULT 0,
        suspended INTEGER NOT NULL DEFAULT 0,
        UNIQUE (list, key)
    ) STRICT;
    CREATE TABLE list_request (
        token TEXT PRIMARY KEY,
        list TEXT NOT NULL,
        role TEXT NOT NULL,
        key TEXT NOT NULL,
        address TEXT NOT NULL,
        created INTEGER NOT NULL,
        UNIQUE (list, role, key)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE may_send_as (
        account TEXT NOT NULL,
        key TEXT NOT NULL,
        address TEXT NOT NULL,
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
    """,
    # Keys are in NFC. Of two that are the same by now the second keeps its key, and check reports it.
    """
    UPDATE OR IGNORE account SET key = nfc(key);
    UPDATE OR IGNORE alias SET key = nfc(key);
    UPDATE OR IGNORE alias SET target_key = nfc(target_key)
        WHERE target_key NOT LIKE '|%' OR target_key LIKE '%@%';
    UPDATE OR IGNORE list SET key = nfc(key);
    UPDATE OR IGNORE list_owner SET list = nfc(list), key = nfc(key);
    UPDATE OR IGNORE list_member SET list = nfc(list), key = nfc(key);
    UPDATE OR IGNORE list_request SET list = nfc(list), key = nfc(key);
    UPDATE OR IGNORE may_send_as SET account = nfc(account), key = nfc(key);
    """,
)


class DirectoryUnusable(Exception):
    """The directory cannot be opened, and why, in one line for the administrator."""


def open_database(path: Path) -> apsw.Connection:
    """Open the database, making it (mode 0600) or bringing it up to date where needed.

    Raises DirectoryUnusable.
    """
    _refuse_old_sqlite(apsw.sqlite_lib_version())
    try:
        _make_file(path)
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        _upgrade(connection, path)
    except OSError as error:
        raise DirectoryUnusable(f"{path}: {error.strerror}") from error
    except apsw.Error as error:
        raise DirectoryUnusable(f"{path}: {error}") from error
    return connection


def _refuse_old_sqlite(version: str) -> None:
    if tuple(map(int, version.split("."))) < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise DirectoryUnusable(
            f"SQLite {version} can lose data; {needed} or later is needed (update apsw)"
        )


def _make_file(path: Path) -> None:
    """Make the file for its owner alone; SQLite gives its companions the same mode and owner.

    What root makes belongs to the owner of the folder, so that the server can open it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    try:
        if os.geteuid() == 0:
            folder = os.stat(path.parent)
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
    finally:
        os.close(descriptor)


def _upgrade(connection: apsw.Connection, path: Path) -> None:
    if connection.pragma("user_version") == len(STEPS):
        return
    connection.create_scalar_function("nfc", _nfc, 1, deterministic=True)
    connection.execute("BEGIN IMMEDIATE")  # so that two programs do not take one step twice
    with connection:
        taken = connection.pragma("user_version")
        if taken > len(STEPS):
            raise DirectoryUnusable(f"{path} was made by a later release of twisted-mail")
        for step in STEPS[taken:]:
            connection.execute(step)
        connection.pragma("user_version", len(STEPS))
    connection.execute("COMMIT")


def _nfc(*texts: object) -> str:
    return unicodedata.normalize("NFC", str(texts[0]))
