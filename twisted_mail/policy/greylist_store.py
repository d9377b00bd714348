"""The small database of the greylist. Used in one lane of threads.

Two tables: ``met`` has a row for each triplet of network, sender and recipient, ``networks`` one for each
network that tried again. After a power cut the last few may be forgotten; these clients wait once more.
Whoever invents senders and recipients takes room from nobody else: of too many, those that wait go before
those that passed, and one network has few that wait.
"""

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import apsw

CLEAN_SECONDS = 600.0  # between two removals of what is too old
CLEAN_ROWS = 2000  # removed at a time
BUSY_MILLISECONDS = 1000  # that another process is waited for
NETWORK_OCTETS = 4  # of a key, that are the same for all triplets of a network
NETWORK_SHARE = 100  # the part of all entries that triplets of one network may be while they wait
RETRY_SECONDS = 60.0  # before a database that failed is opened again

_SCHEMA = """
CREATE TABLE IF NOT EXISTS met (
    key BLOB PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, passed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS met_last ON met (last);
CREATE INDEX IF NOT EXISTS met_passed ON met (passed, last);
CREATE TABLE IF NOT EXISTS networks (
    network TEXT PRIMARY KEY, passes INTEGER NOT NULL, last INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS networks_last ON networks (last);
"""


class GreylistUnreadable(Exception):
    """The database cannot be used now."""


@dataclass(frozen=True, slots=True)
class GreylistRules:
    """How long a triplet waits, within which time it has to be seen again, and how long it is known."""

    delay: float
    window: float
    known: float
    passes: int
    max_entries: int


class TripletStatus(Enum):
    """What is known of a triplet: nothing, that it just passed, that it is known, or its network is."""

    NEW = "new"
    PASSED = "passed"
    KNOWN = "known"
    NETWORK = "network"


TripletAnswer = tuple[TripletStatus, float]  # with the seconds that a new one has to wait


class GreylistStore:
    """The database at ``path``, opened at first use; in memory without one."""

    def __init__(self, path: Path | None, rules: GreylistRules) -> None:
        self._path = path
        self._rules = rules
        self._connection: apsw.Connection | None = None
        self._broken_at = -RETRY_SECONDS
        self._cleaned_at = -CLEAN_SECONDS

    def check_triplet(self, network: str, key: bytes, now: float) -> TripletAnswer:
        """Record a triplet; return what is known of it. Raises GreylistUnreadable."""
        if now - self._broken_at < RETRY_SECONDS and now >= self._broken_at:
            raise GreylistUnreadable("it failed a moment ago")
        try:
            return self._in_transaction(network, key, int(now))
        except apsw.BusyError as error:
            raise GreylistUnreadable("another process is at it") from error
        except (apsw.Error, OSError) as error:
            self._close_broken(now)
            raise GreylistUnreadable(f"{type(error).__name__}: {error}") from error

    def _in_transaction(self, network: str, key: bytes, now: int) -> TripletAnswer:
        connection = self._opened()
        connection.execute("BEGIN")
        try:
            answer = self._check_triplet(connection, network, key, now)
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

    def _close_broken(self, now: float) -> None:
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

    def _check_triplet(
        self, connection: apsw.Connection, network: str, key: bytes, now: int
    ) -> TripletAnswer:
        self._clean(connection, now)
        if self._is_known_network(connection, network, now):
            return TripletStatus.NETWORK, 0
        row = connection.execute("SELECT first, last, passed FROM met WHERE key = ?", (key,))
        first, last, passed = row.fetchone() or (now, -1, 0)
        if passed and now - last <= self._rules.known:
            connection.execute("UPDATE met SET last = ? WHERE key = ?", (now, key))
            return TripletStatus.KNOWN, 0
        if last < 0 or now - first > self._rules.window or now < first:
            self._make_room(connection, key)
            connection.execute("INSERT OR REPLACE INTO met VALUES (?, ?, ?, 0)", (key, now, now))
            return TripletStatus.NEW, self._rules.delay
        if now - first < self._rules.delay:
            connection.execute("UPDATE met SET last = ? WHERE key = ?", (now, key))
            return TripletStatus.NEW, first + self._rules.delay - now
        connection.execute("UPDATE met SET last = ?, passed = 1 WHERE key = ?", (now, key))
        connection.execute(
            "INSERT INTO networks VALUES (?, 1, ?)"
            " ON CONFLICT (network) DO UPDATE SET passes = passes + 1, last = excluded.last",
            (network, now),
        )
        return TripletStatus.PASSED, 0

    def _make_room(self, connection: apsw.Connection, key: bytes) -> None:
        """Forget the oldest of the triplets that wait, of a network that has its share of them."""
        first = key[:NETWORK_OCTETS]
        own = "passed = 0 AND key BETWEEN ? AND ?"
        bounds = first, first + b"\xff" * 16
        [[waiting]] = connection.execute(f"SELECT count(*) FROM met WHERE {own}", bounds)
        if waiting >= max(1, self._rules.max_entries // NETWORK_SHARE):
            connection.execute(
                "DELETE FROM met WHERE key ="
                f" (SELECT key FROM met WHERE {own} ORDER BY last LIMIT 1)",
                bounds,
            )

    def _is_known_network(self, connection: apsw.Connection, network: str, now: int) -> bool:
        if not self._rules.passes:
            return False
        found = connection.execute(
            "SELECT passes, last FROM networks WHERE network = ?", (network,)
        ).fetchone()
        if found is None or found[0] < self._rules.passes or now - found[1] > self._rules.known:
            return False
        if now - found[1] > CLEAN_SECONDS:  # no write for each of its messages
            connection.execute("UPDATE networks SET last = ? WHERE network = ?", (now, network))
        return True

    # ------------------------------------------------------------ cleaning

    def _clean(self, connection: apsw.Connection, now: int) -> None:
        """Remove some of what is too old, and of what is too much, the oldest first."""
        if 0 <= now - self._cleaned_at < CLEAN_SECONDS:
            return
        terms = self._rules
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
        """Remove rows, those that wait and the oldest first; return whether no more of them are left."""
        key, order = ("key", "passed, last") if table == "met" else ("network", "last")
        connection.execute(
            f"DELETE FROM {table} WHERE {key} IN"
            f" (SELECT {key} FROM {table} {where} ORDER BY {order} LIMIT {most})"
        )
        return connection.changes() < CLEAN_ROWS
