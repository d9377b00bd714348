"""Who came before: the small database of the greylist. Used in one lane of threads.

Two tables: ``met`` has a row for each network, sender and recipient, ``networks`` one for each network
that came again. After a power cut the last few may be forgotten; they wait once more.
"""

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import apsw

CLEAN_SECONDS = 600.0  # between two removals of what is too old
CLEAN_ROWS = 2000  # removed at a time
BUSY_MILLISECONDS = 1000  # that another process is waited for
RETRY_SECONDS = 60.0  # before a database that failed is opened again

_SCHEMA = """
CREATE TABLE IF NOT EXISTS met (
    key BLOB PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, passed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS met_last ON met (last);
CREATE TABLE IF NOT EXISTS networks (
    network TEXT PRIMARY KEY, passes INTEGER NOT NULL, last INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS networks_last ON networks (last);
"""


class Unreadable(Exception):
    """The database cannot be used now."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long one waits, within which time one comes again, and how long one is known."""

    delay: float
    window: float
    known: float
    passes: int
    max_entries: int


class Standing(Enum):
    """How somebody stands who came: unknown, just known, known, or one of a network that is known."""

    NEW = "new"
    PASSED = "passed"
    KNOWN = "known"
    NETWORK = "network"


Meeting = tuple[Standing, float]  # with the seconds that a new one shall wait


class Acquaintances:
    """The database at ``path``, opened at first use; in memory without one."""

    def __init__(self, path: Path | None, terms: Terms) -> None:
        self._path = path
        self._terms = terms
        self._connection: apsw.Connection | None = None
        self._broken_at = -RETRY_SECONDS
        self._cleaned_at = -CLEAN_SECONDS

    def meet(self, network: str, key: bytes, now: float) -> Meeting:
        """Note that somebody came; return how they stand. Raises Unreadable."""
        if now - self._broken_at < RETRY_SECONDS and now >= self._broken_at:
            raise Unreadable("it failed a moment ago")
        try:
            return self._within(network, key, int(now))
        except apsw.BusyError as error:
            raise Unreadable("another process is at it") from error
        except (apsw.Error, OSError) as error:
            self._give_up(now)
            raise Unreadable(f"{type(error).__name__}: {error}") from error

    def _within(self, network: str, key: bytes, now: int) -> Meeting:
        connection = self._opened()
        connection.execute("BEGIN")
        try:
            answer = self._meet(connection, network, key, now)
            connection.execute("COMMIT")
        except BaseException:
            with suppress(apsw.Error):
                connection.execute("ROLLBACK")
            raise
        return answer

    def _opened(self) -> apsw.Connection:
        if self._connection is None:
            self._connection = apsw.Connection(str(self._path or ":memory:"))
            self._connection.set_busy_timeout(BUSY_MILLISECONDS)
            self._connection.pragma("journal_mode", "wal")
            self._connection.pragma("synchronous", 1)
            self._connection.execute(_SCHEMA)
        return self._connection

    def _give_up(self, now: float) -> None:
        connection, self._connection = self._connection, None
        self._broken_at = now
        if connection is not None:
            with suppress(apsw.Error):
                connection.close()

    def close(self) -> None:
        """Close the database; it is opened again at the next use."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # ------------------------------------------------------------ meeting

    def _meet(self, connection: apsw.Connection, network: str, key: bytes, now: int) -> Meeting:
        self._clean(connection, now)
        if self._is_known_network(connection, network, now):
            return Standing.NETWORK, 0
        row = connection.execute("SELECT first, last, passed FROM met WHERE key = ?", (key,))
        first, last, passed = row.fetchone() or (now, -1, 0)
        if passed and now - last <= self._terms.known:
            connection.execute("UPDATE met SET last = ? WHERE key = ?", (now, key))
            return Standing.KNOWN, 0
        if last < 0 or now - first > self._terms.window or now < first:
            connection.execute("INSERT OR REPLACE INTO met VALUES (?, ?, ?, 0)", (key, now, now))
            return Standing.NEW, self._terms.delay
        if now - first < self._terms.delay:
            connection.execute("UPDATE met SET last = ? WHERE key = ?", (now, key))
            return Standing.NEW, first + self._terms.delay - now
        connection.execute("UPDATE met SET last = ?, passed = 1 WHERE key = ?", (now, key))
        connection.execute(
            "INSERT INTO networks VALUES (?, 1, ?)"
            " ON CONFLICT (network) DO UPDATE SET passes = passes + 1, last = excluded.last",
            (network, now),
        )
        return Standing.PASSED, 0

    def _is_known_network(self, connection: apsw.Connection, network: str, now: int) -> bool:
        if not self._terms.passes:
            return False
        found = connection.execute(
            "SELECT passes, last FROM networks WHERE network = ?", (network,)
        ).fetchone()
        if found is None or found[0] < self._terms.passes or now - found[1] > self._terms.known:
            return False
        if now - found[1] > CLEAN_SECONDS:  # no write for each of its messages
            connection.execute("UPDATE networks SET last = ? WHERE network = ?", (now, network))
        return True

    # ------------------------------------------------------------ cleaning

    def _clean(self, connection: apsw.Connection, now: int) -> None:
        """Remove some of what is too old, and of what is too much, the oldest first."""
        if 0 <= now - self._cleaned_at < CLEAN_SECONDS:
            return
        terms = self._terms
        is_clean = True
        too_old = f"last < {now - int(terms.known)}"
        forgotten = f"last < {now - int(terms.window)} AND (passed = 0 OR {too_old})"
        for table, where in (("met", forgotten), ("networks", too_old)):
            is_clean &= self._remove(connection, table, f"WHERE {where}", CLEAN_ROWS)
            [[rows]] = connection.execute(f"SELECT count(*) FROM {table}")
            more = min(CLEAN_ROWS, rows - terms.max_entries)
            if more > 0:
                is_clean &= self._remove(connection, table, "", more)
        if is_clean:
            self._cleaned_at = now

    def _remove(self, connection: apsw.Connection, table: str, where: str, most: int) -> bool:
        """Remove rows, the oldest first; say whether there are no more of them."""
        key = "key" if table == "met" else "network"
        connection.execute(
            f"DELETE FROM {table} WHERE {key} IN"
            f" (SELECT {key} FROM {table} {where} ORDER BY last LIMIT {most})"
        )
        return connection.changes() < CLEAN_ROWS
