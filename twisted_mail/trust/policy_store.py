"""The small database of MTA-STS policies. Used in one lane of threads.

It is synced at each commit: a policy that is forgotten after a power cut is one that an attacker can
suppress.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import apsw

from twisted_mail.interfaces import PolicyStoreFailed, StoredPolicy

BUSY_MILLISECONDS = 1000  # that another process is waited for
FILE = "tls_policies.sqlite3"  # its name in the state folder

_SCHEMA = """
CREATE TABLE IF NOT EXISTS policies (
    domain TEXT PRIMARY KEY, id TEXT NOT NULL, fetched REAL NOT NULL, text BLOB NOT NULL
) WITHOUT ROWID
"""


class SqlitePolicyStore:
    """Fulfils ``interfaces.PolicyStore`` by the database at ``path``, opened at first use.

    If it ``only_reads``, what is to be kept is dropped: for tools that run beside a server.
    """

    def __init__(self, path: Path, only_reads: bool = False) -> None:
        self._path = path
        self._only_reads = only_reads
        self._connection: apsw.Connection | None = None

    def load(self) -> Sequence[StoredPolicy]:
        """Return all policies, those that were fetched first before others."""
        if self._only_reads and not self._path.exists():
            return []
        try:
            rows = self._opened().execute(
                "SELECT domain, id, fetched, text FROM policies ORDER BY fetched, domain"
            )
            return [StoredPolicy(*row) for row in rows]
        except (apsw.Error, OSError) as error:
            raise self._failed(error) from error

    def alter(self, kept: Sequence[StoredPolicy], removed: Sequence[str]) -> None:
        """Keep policies, and remove those of some domains."""
        if self._only_reads:
            return
        try:
            with self._opened() as connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?)",
                    [(one.domain, one.id, one.fetched, one.text) for one in kept],
                )
                connection.executemany(
                    "DELETE FROM policies WHERE domain = ?", [(domain,) for domain in removed]
                )
        except (apsw.Error, OSError) as error:
            raise self._failed(error) from error

    def _opened(self) -> apsw.Connection:
        if self._connection is None:
            self._connection = self._open_read() if self._only_reads else self._open()
        return self._connection

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", 2)
        connection.execute(_SCHEMA)
        return connection

    def _open_read(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        return connection

    def _failed(self, error: Exception) -> PolicyStoreFailed:
        """Close the database, which is opened again at the next use."""
        self.close()
        return PolicyStoreFailed(f"{self._path}: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Close the database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(apsw.Error):
                connection.close()
