"""Connections to an index that alter no file: to its file for reading, and in memory."""

from urllib.parse import quote_from_bytes

import apsw

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.durable import exists
from twisted_mail.store.index.schema import UnusableIndex, prepare

_READ = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI


def connect_to_read(disk: Disk, path: bytes) -> apsw.Connection:
    """Open the file of an index, while others may be writing. Raises apsw.Error, OSError."""
    # Without a write-ahead log nobody is at work, and opening must not make one.
    how = "mode=ro" if exists(disk, path + b"-wal") else "mode=ro&immutable=1"
    return disk.connect(f"file:{quote_from_bytes(path)}?{how}", _READ)


def copy_in_memory(connection: apsw.Connection) -> apsw.Connection:
    """Return a copy of an index. Raises apsw.Error."""
    memory = apsw.Connection(":memory:")
    with memory.backup("main", connection, "main") as backup:
        while not backup.done:
            backup.step()
    return memory


def empty(disk: Disk) -> apsw.Connection:
    """Return an index in memory that knows nothing."""
    memory = apsw.Connection(":memory:")
    prepare(disk, memory)
    return memory


def check(connection: apsw.Connection) -> None:
    """Read all of an index. Raises UnusableIndex if it is damaged, apsw.Error."""
    if connection.pragma("quick_check") != "ok":
        raise UnusableIndex
