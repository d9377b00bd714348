"""The index of one account: a cache over its files, in SQLite.

Used by one thread at a time. Everything happens in ``transaction``; what a mailbox's row says is read
at its first use there and written back at the end.
"""

import json
import os
import time
import uuid
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from twisted_mail.mail import flags as flag
from twisted_mail.mail.entry import UNKNOWN, Columns, Items
from twisted_mail.mail.flags import Flags
from twisted_mail.store import parcels
from twisted_mail.store.durable import Disk, exists
from twisted_mail.store.parcels import Parcel
from twisted_mail.store.schema import Unusable, prepare

BUSY_SECONDS = 30.0  # in a thread: another process may be at work on the account
_PAUSE, _LONGEST_PAUSE = 0.0005, 0.005  # seconds, between two attempts to be next
MODSEQ_STEP = 1 << 20  # more mod-sequences than a power cut can make SQLite forget
GONE_KEPT = 100_000  # expunged UIDs remembered for each mailbox, and
RECENT_MODSEQS = 64  # all of so many last alterations; once in so many there is a look

# What SQLite raises when the disk is full, read-only or failing; and when the file is damaged.
NO_DISK = (
    apsw.FullError,
    apsw.ReadOnlyError,
    apsw.IOError,
    apsw.CantOpenError,
    apsw.PermissionsError,
)
DAMAGED = (apsw.CorruptError, apsw.NotADBError)


class Row(NamedTuple):
    """One message as the index knows it; ``stored`` is the size of its file.

    While the date is UNKNOWN, so are both sizes, which are 0 then.
    """

    uid: int
    base: bytes
    tail: bytes
    flags: Flags
    modseq: int
    date: int
    size: int
    stored: int


@dataclass(slots=True)
class State:
    """One mailbox's row (see ``schema``)."""

    id: int
    folder: bytes
    uidvalidity: int
    uidnext: int = 1
    highest_modseq: int = 1
    first_recent: int = 0  # not known yet
    new_seen: int = 0
    cur_seen: int = 0
    list_seen: str = ""
    messages: int = 0
    octets: int = 0
    unmeasured: int = 0
    apart: int = 0

    def next_modseq(self) -> int:
        """Return the mod-sequence of one more alteration."""
        self.highest_modseq += 1
        return self.highest_modseq


_ROW = "uid, base, tail, flags, modseq, date, size, stored"
_STATE = (
    "id, folder, uidvalidity, uidnext, highest_modseq, first_recent, new_seen, cur_seen, list_seen,"
    " messages, octets, unmeasured, apart"
)
_AMONG = "mailbox = ? AND uid IN (SELECT value FROM json_each(?))"


def boot_id() -> str:
    """Return what is different after each start of the machine (or of the process, if unknown)."""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
    return uuid.uuid4().hex


def _inode(disk: Disk, path: bytes) -> tuple[int, int] | None:
    try:
        found = disk.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class Index:
    """The database, at ``path`` or in memory; ``boot`` is what ``boot_id`` returned."""

    def __init__(self, disk: Disk, path: bytes, boot: str) -> None:
        self._disk = disk
        self._path = path
        self._boot = boot
        self._states: dict[bytes, State] | None = None
        self._loaded: dict[int, State] = {}
        self._is_full_sync = False
        self._inode: tuple[int, int] | None = None  # of the file, while it is used
        self._connection = self._open_or_replace()

    # ------------------------------------------------------------ opening

    def _open_or_replace(self) -> apsw.Connection:
        try:
            self._come_back()
            try:
                return self._open()
            except (Unusable, *DAMAGED, apsw.SQLError):
                self._move(b"", b".damaged")  # for people to look at
                return self._open()
        except NO_DISK:
            self._inode = None
            connection = apsw.Connection(":memory:")
            prepare(connection)
            return connection

    def _is_ours(self) -> bool:
        return self._inode is None or self._inode == _inode(self._disk, self._path)

    def was_replaced(self) -> bool:
        """Say whether the file was removed, or another put in its place."""
        return not self._is_ours()

    def version(self) -> int:
        """Return a number that is another once another process altered the index."""
        return int(self._connection.pragma("data_version"))

    def _come_back(self) -> None:
        """Use the file again that was left when the disk took no more; it is behind by now."""
        if exists(self._disk, self._path + b".left"):
            self._boot = uuid.uuid4().hex
            self._move(b".left", b"")

    def _move(self, old: bytes, new: bytes) -> None:
        for suffix in (b"", b"-wal", b"-shm"):
            with suppress(OSError):
                os.replace(self._path + old + suffix, self._path + new + suffix)

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(os.fsdecode(self._path))
        try:
            connection.set_busy_handler(self._wait)
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", 1)
            prepare(connection)
            self._settle_boot(connection)
        except BaseException:
            connection.close()
            raise
        self._inode = _inode(self._disk, self._path)
        return connection

    def _wait(self, attempt: int) -> bool:
        """Wait for another process; say whether to try again.

        SQLite's own waiting grows to a tenth of a second between attempts: behind a busy process
        that means never.
        """
        time.sleep(min(_PAUSE * (attempt + 1), _LONGEST_PAUSE))
        return attempt * _LONGEST_PAUSE < BUSY_SECONDS

    def _settle_boot(self, connection: apsw.Connection) -> None:
        """After a start of the machine, check the file and raise what SQLite may have forgotten."""
        row = connection.execute("SELECT value FROM account WHERE key = 'boot'").fetchone()
        if row is not None and row[0] == self._boot:
            return
        if connection.pragma("quick_check") != "ok":
            raise Unusable
        connection.pragma("synchronous", 2)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "UPDATE mailboxes SET highest_modseq = highest_modseq + ?, new_seen = 0, cur_seen = 0,"
            " list_seen = ''",
            (MODSEQ_STEP,),
        )
        connection.execute("INSERT OR REPLACE INTO account VALUES ('boot', ?)", (self._boot,))
        connection.execute("COMMIT")
        connection.pragma("synchronous", 1)

    def replace(self) -> None:
        """Begin anew: this index turned out to be damaged, or another process put another there."""
        self.close()
        if self._is_ours():
            self._move(b"", b".damaged")
        self._connection = self._open_or_replace()

    def leave_disk(self) -> None:
        """Go on in memory with what is known, since the disk takes no more. Raises apsw.Error."""
        memory = apsw.Connection(":memory:")
        with memory.backup("main", self._connection, "main") as backup:
            while not backup.done:
                backup.step()
        self.close()
        if self._is_ours():
            self._move(b"", b".left")
        self._inode = None
        self._connection = memory

    def close(self) -> None:
        """Close the database; whatever was not committed is undone."""
        self._states = None
        with suppress(apsw.Error):
            self._connection.close()

    # ------------------------------------------------------------ transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside happen as a whole, or not at all. Raises apsw.Error."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._states, self._loaded = {}, {}
        self._is_full_sync = False
        try:
            yield
            self._save_states()
            self._commit()
        except BaseException:
            with suppress(apsw.Error):
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._states = None

    def need_full_sync(self) -> None:
        """Have this transaction wait for the disk: it says what no file says."""
        self._is_full_sync = True

    def _commit(self) -> None:
        self._disk.commit(self._connection)
        if self._is_full_sync:
            # PRAGMA synchronous cannot change inside a transaction; a checkpoint syncs the log.
            self._checkpoint()

    def _checkpoint(self) -> None:
        attempt = 0
        while True:
            try:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            except (
                apsw.BusyError
            ):  # another process is at it, perhaps with an older state of the log
                if not self._wait(attempt):
                    raise
                attempt += 1
            else:
                return

    # ------------------------------------------------------------ mailboxes

    def state(self, folder: bytes) -> State | None:
        """Return the row of a mailbox, to alter: it is saved with the transaction."""
        assert self._states is not None, "outside of a transaction"
        if folder not in self._states:
            found = self._connection.execute(
                f"SELECT {_STATE} FROM mailboxes WHERE folder = ?", (folder,)
            ).fetchone()
            if found is None:
                return None
            self._states[folder] = State(*found)
            self._loaded[found[0]] = State(*found)
        return self._states[folder]

    def add_mailbox(self, folder: bytes, uidvalidity: int) -> State:
        """Make the row of a mailbox."""
        self._connection.execute(
            "INSERT INTO mailboxes (folder, uidvalidity, uidnext, highest_modseq, first_recent,"
            " new_seen, cur_seen, list_seen) VALUES (?, ?, 1, 1, 0, 0, 0, '')",
            (folder, uidvalidity),
        )
        state = self.state(folder)
        assert state is not None
        return state

    def rename_mailbox(self, state: State, folder: bytes) -> None:
        """Give a mailbox another folder. What was known of that folder is forgotten."""
        assert self._states is not None
        other = self.state(folder)
        if other is not None:
            self.remove_mailbox(other)
        self._connection.execute("UPDATE mailboxes SET folder = ? WHERE id = ?", (folder, state.id))
        self._states.pop(state.folder, None)
        state.folder = folder
        self._states[folder] = state

    def remove_mailbox(self, state: State) -> None:
        """Forget a mailbox."""
        assert self._states is not None
        for table in ("entries", "items", "gone", "parcels"):
            self._connection.execute(f"DELETE FROM {table} WHERE mailbox = ?", (state.id,))
        self._connection.execute("DELETE FROM mailboxes WHERE id = ?", (state.id,))
        self._states.pop(state.folder, None)

    def clear_mailbox(self, state: State) -> None:
        """Forget what messages a mailbox has, to read them anew; its numbers stay, and what is gone."""
        for table in ("entries", "items"):
            self._connection.execute(f"DELETE FROM {table} WHERE mailbox = ?", (state.id,))
        state.messages = state.octets = state.unmeasured = 0
        state.new_seen = state.cur_seen = 0

    def highest_uidvalidity(self) -> int:
        """Return the greatest UIDVALIDITY of any mailbox, or 0."""
        found = self._connection.execute("SELECT max(uidvalidity) FROM mailboxes").fetchone()
        return int(found[0] or 0) if found else 0

    def _save_states(self) -> None:
        assert self._states is not None
        self._connection.executemany(
            "UPDATE mailboxes SET uidvalidity = ?, uidnext = ?, highest_modseq = ?,"
            " first_recent = ?, new_seen = ?, cur_seen = ?, list_seen = ?, messages = ?, octets = ?,"
            " unmeasured = ?, apart = ? WHERE id = ?",
            [
                (
                    state.uidvalidity,
                    state.uidnext,
                    state.highest_modseq,
                    state.first_recent,
                    state.new_seen,
                    state.cur_seen,
                    state.list_seen,
                    state.messages,
                    state.octets,
                    state.unmeasured,
                    state.apart,
                    state.id,
                )
                for state in self._states.values()
                if state != self._loaded[state.id]
            ],
        )

    # ------------------------------------------------------------ entries

    def all_rows(self, state: State) -> list[Row]:
        """Return all messages of a mailbox, ascending."""
        self._join(state)
        found = self._connection.execute(
            f"SELECT {_ROW} FROM entries WHERE mailbox = ? ORDER BY uid", (state.id,)
        )
        return [_row(values) for values in found]

    def rows(self, state: State, uids: Iterable[int]) -> list[Row]:
        """Return those of the messages that are known, ascending."""
        uids = list(uids)
        self._join_those(state, uids)
        found = self._connection.execute(
            f"SELECT {_ROW} FROM entries WHERE {_AMONG} ORDER BY uid",
            (state.id, json.dumps(uids)),
        )
        return [_row(values) for values in found]

    def uids(self, state: State) -> frozenset[int]:
        """Return the UIDs of all messages of a mailbox."""
        return frozenset(self.columns(state).uids)

    def columns(self, state: State) -> Columns:
        """Return all messages of a mailbox as columns."""
        found = Columns()
        last = 0
        for parcel in parcels.all_packed(self._connection, state.id):
            self._add_rows(state, found, last, parcel.first)
            parcels.unpack(found, parcel.flags, parcel.columns)
            last = parcel.last
        self._add_rows(state, found, last, parcels.HIGHEST)
        found.uidnext, found.highest_modseq = state.uidnext, state.highest_modseq
        return found

    def _add_rows(self, state: State, columns: Columns, low: int, high: int) -> None:
        """Append the messages between two UIDs, where no parcels are, and make some if it is worth it."""
        rows: list[Any] = self._connection.execute(
            "SELECT uid, flags, modseq, date, size FROM entries"
            " WHERE mailbox = ? AND uid > ? AND uid < ? ORDER BY uid",
            (state.id, low, high),
        ).fetchall()
        if rows:
            uids, texts, modseqs, dates, sizes = zip(*rows, strict=True)
            found = Columns(
                array("Q", uids),
                list(map(_flags, texts)),
                array("Q", modseqs),
                array("q", dates),
                array("Q", sizes),
            )
            parcels.put(self._connection, state.id, found)
            columns.add(found)

    def names(self, state: State) -> dict[bytes, bytes]:
        """Return base names and tails of all messages of a mailbox."""
        found: list[Any] = self._connection.execute(
            "SELECT base, tail FROM entries WHERE mailbox = ?", (state.id,)
        ).fetchall()
        names: dict[bytes, bytes] = dict(found)
        if state.apart:
            for parcel in parcels.apart(self._connection, state.id, 0, parcels.HIGHEST):
                names.update(parcel.files())
        return names

    def _join_those(self, state: State, uids: Sequence[int]) -> None:
        """Make rows of the parcels that have these messages."""
        if state.apart and uids:
            wanted = sorted(uids)
            for parcel in parcels.apart(self._connection, state.id, wanted[0], wanted[-1]):
                at = bisect_left(wanted, parcel.first)
                if wanted[at] <= parcel.last:
                    self._join_one(state, parcel)

    def _join(
        self, state: State, low: int = 0, high: int = parcels.HIGHEST, is_new: bool = False
    ) -> None:
        """Make rows of the parcels of a range of UIDs; ``is_new``: that have files in new."""
        if state.apart:
            for parcel in parcels.apart(self._connection, state.id, low, high, is_new):
                self._join_one(state, parcel)

    def _join_one(self, state: State, parcel: Parcel) -> None:
        columns = parcel.unpack()
        rows = zip(columns, parcel.files(), strict=True)
        self._insert(
            (state.id, uid, base, tail, _text(flags), modseq, date, size, 0)
            for (uid, flags, modseq, date, size), (base, tail) in rows
        )
        parcels.join(self._connection, state.id, parcel)
        state.apart -= len(columns)

    def identities(self, state: State, after: int, number: int) -> list[tuple[int, bytes, int]]:
        """Return UID, base name and stored size of the next messages behind a UID, ascending."""
        self._join(state)
        found: list[Any] = self._connection.execute(
            "SELECT uid, base, stored FROM entries WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?",
            (state.id, after, number),
        ).fetchall()
        return found

    def places(self) -> list[tuple[bytes, int]]:
        """Return folder and UIDVALIDITY of all mailboxes that are known."""
        found: list[Any] = self._connection.execute(
            "SELECT folder, uidvalidity FROM mailboxes"
        ).fetchall()
        return found

    def new_rows(self, state: State) -> list[Row]:
        """Return the messages whose files lie in ``new``, ascending."""
        self._join(state, is_new=True)
        found = self._connection.execute(
            f"SELECT {_ROW} FROM entries INDEXED BY entries_in_new"
            " WHERE mailbox = ? AND tail >= x'6e' AND tail < x'6f' ORDER BY uid",
            (state.id,),
        )
        return [_row(values) for values in found]

    def rows_of(self, state: State, bases: Iterable[bytes]) -> list[Row]:
        """Return those of the messages that are known by their base names."""
        bases = list(bases)
        if bases:
            self._join(state)
        found = []
        for base in bases:
            values = self._connection.execute(
                f"SELECT {_ROW} FROM entries WHERE mailbox = ? AND base = ?", (state.id, base)
            ).fetchone()
            if values is not None:
                found.append(_row(values))
        return found

    def changed(self, state: State, modseq: int) -> list[Row]:
        """Return the messages that were added or altered after a mod-sequence, ascending."""
        self._join(state)
        found = self._connection.execute(
            f"SELECT {_ROW} FROM entries WHERE mailbox = ? AND modseq > ? ORDER BY uid",
            (state.id, modseq),
        )
        return [_row(values) for values in found]

    def vanished(self, state: State, modseq: int) -> list[int]:
        """Return the UIDs of messages that were removed after a mod-sequence, ascending.

        All of them if the mod-sequence is not below what ``forgotten`` returns.
        """
        found = self._connection.execute(
            "SELECT uid FROM gone WHERE mailbox = ? AND modseq > ? AND uid > 0 ORDER BY uid",
            (state.id, modseq),
        )
        return [int(values[0] or 0) for values in found]

    def forgotten(self, state: State) -> int:
        """Return the mod-sequence up to which it is not known which messages were removed."""
        row: Any = self._connection.execute(
            "SELECT modseq FROM gone WHERE mailbox = ? AND uid = 0", (state.id,)
        ).fetchone()
        return row[0] if row else 0

    def forget(self, state: State, modseq: int) -> None:
        """Forget which messages were removed up to a mod-sequence."""
        self._connection.execute(
            "DELETE FROM gone WHERE mailbox = ? AND modseq <= ?", (state.id, modseq)
        )
        self._connection.execute("INSERT INTO gone VALUES (?, 0, ?)", (state.id, modseq))

    def _forget_oldest(self, state: State) -> None:
        row: Any = self._connection.execute(
            "SELECT modseq FROM gone WHERE mailbox = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?",
            (state.id, GONE_KEPT),
        ).fetchone()
        last = min(row[0], state.highest_modseq - RECENT_MODSEQS) if row else 0
        if last > self.forgotten(state):
            self.forget(state, last)

    def folders(self) -> dict[int, bytes]:
        """Return the folder of each mailbox by its id, which stays when the mailbox is renamed."""
        found = self._connection.execute("SELECT id, folder FROM mailboxes")
        return dict(found)

    def knows_base(self, state: State, base: bytes) -> bool:
        """Say whether a message of this base name is known."""
        self._join(state)
        found = self._connection.execute(
            "SELECT 1 FROM entries WHERE mailbox = ? AND base = ?", (state.id, base)
        )
        return found.fetchone() is not None

    def keywords(self, state: State) -> Flags:
        """Return the keywords that messages of a mailbox have."""
        texts: set[str] = set()
        last = 0
        for first, end, flags in parcels.ranges(self._connection, state.id):
            texts.update(flags.split("\n"), self._texts(state, last, first))
            last = end
        texts |= self._texts(state, last, parcels.HIGHEST)
        return flag.keywords(flag.NONE.union(*map(_flags, texts)))

    def _texts(self, state: State, low: int, high: int) -> set[str]:
        found: list[Any] = self._connection.execute(
            "SELECT DISTINCT flags FROM entries WHERE mailbox = ? AND uid > ? AND uid < ?",
            (state.id, low, high),
        ).fetchall()
        return {text for (text,) in found}

    def usage(self) -> dict[bytes, tuple[int, int]]:
        """Return how many messages and octets each mailbox has, by its folder."""
        self._save_states()
        found = self._connection.execute("SELECT folder, messages, octets FROM mailboxes")
        return {folder: (messages, octets) for folder, messages, octets in found}

    def unmeasured_folders(self) -> set[bytes]:
        """Return the folders of the mailboxes that have messages to be measured."""
        self._save_states()
        found: list[Any] = self._connection.execute(
            "SELECT folder FROM mailboxes WHERE unmeasured > 0"
        ).fetchall()
        return {folder for (folder,) in found}

    def _held(self, where: str, values: tuple[int | str, ...]) -> tuple[int, int, int]:
        sums = f"SELECT count(*), ifnull(sum(size), 0), ifnull(sum(date = {UNKNOWN}), 0)"
        query = f"{sums} FROM entries WHERE {where}"
        row: Any = self._connection.execute(query, values).fetchone()
        return row[0], row[1], row[2]

    def add(self, state: State, rows: Sequence[Row]) -> None:
        """Take in messages."""
        state.messages += len(rows)
        state.octets += sum([row.size for row in rows])
        state.unmeasured += [row.date for row in rows].count(UNKNOWN)
        self._insert(
            (state.id, uid, base, tail, _text(flags), modseq, date, size, stored)
            for uid, base, tail, flags, modseq, date, size, stored in rows
        )

    def _insert(self, rows: Iterable[tuple[int | bytes | str, ...]]) -> None:
        self._connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def add_many(
        self, state: State, columns: Columns, bases: Sequence[bytes], tails: Sequence[bytes]
    ) -> None:
        """Take in thousands of messages that were not measured yet."""
        state.messages += len(columns)
        state.unmeasured += len(columns)
        state.apart += len(columns)
        parcels.put_apart(self._connection, state.id, columns, bases, tails)

    def update(self, state: State, rows: Sequence[Row]) -> None:
        """Take note of the tails, flags and mod-sequences that messages have now."""
        parcels.forget(self._connection, state.id, [row.uid for row in rows])
        self._connection.executemany(
            "UPDATE entries SET tail = ?, flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?",
            [(row.tail, _text(row.flags), row.modseq, state.id, row.uid) for row in rows],
        )

    def rebase(self, state: State, rows: Sequence[Row]) -> None:
        """Take note of the base names and sizes that messages have now."""
        self._join(state)
        parcels.forget(self._connection, state.id, [row.uid for row in rows])
        self._connection.executemany(
            "UPDATE entries SET base = ?, size = ?, stored = ? WHERE mailbox = ? AND uid = ?",
            [(row.base, row.size, row.stored, state.id, row.uid) for row in rows],
        )
        held = self._held("mailbox = ?", (state.id,))
        state.messages, state.octets, state.unmeasured = held

    def measure(self, state: State, rows: Sequence[Row]) -> None:
        """Take note of the dates and sizes of messages that were not known yet."""
        state.octets += sum([row.size for row in rows])
        state.unmeasured -= len(rows)
        parcels.forget(self._connection, state.id, [row.uid for row in rows])
        self._connection.executemany(
            "UPDATE entries SET date = ?, size = ?, stored = ? WHERE mailbox = ? AND uid = ?",
            [(row.date, row.size, row.stored, state.id, row.uid) for row in rows],
        )

    def unmeasured(self, state: State, after: int, number: int) -> list[Row]:
        """Return the next messages behind a UID whose date and sizes are not known yet, ascending."""
        if state.unmeasured == 0:
            return []
        self._join(state)
        found = self._connection.execute(
            f"SELECT {_ROW} FROM entries WHERE mailbox = ? AND uid > ? AND date = ?"
            " ORDER BY uid LIMIT ?",
            (state.id, after, UNKNOWN, number),
        )
        return [_row(values) for values in found]

    def remove(self, state: State, uids: Sequence[int], modseq: int) -> None:
        """Forget messages, but not that they were there."""
        self._join_those(state, uids)
        parcels.forget(self._connection, state.id, uids)
        among = (state.id, json.dumps(list(uids)))
        messages, octets, unmeasured = self._held(_AMONG, among)
        state.messages -= messages
        state.octets -= octets
        state.unmeasured -= unmeasured
        self._connection.execute(f"DELETE FROM entries WHERE {_AMONG}", among)
        self._connection.execute(f"DELETE FROM items WHERE {_AMONG}", among)
        self._connection.executemany(
            "INSERT OR REPLACE INTO gone VALUES (?, ?, ?)",
            [(state.id, uid, modseq) for uid in uids],
        )
        if modseq % RECENT_MODSEQS == 0:
            self._forget_oldest(state)

    # ------------------------------------------------------------ items

    def items(self, state: State, uids: Iterable[int], version: int) -> dict[int, Items]:
        """Return the items that were rendered already, by UID."""
        found = self._connection.execute(
            "SELECT uid, envelope, body, bodystructure, header_size, fields, preview FROM items"
            f" WHERE {_AMONG} AND version = ?",
            (state.id, json.dumps(list(uids)), version),
        )
        return {values[0]: Items(*values[1:]) for values in found}

    def save_items(self, state: State, version: int, items: dict[int, Items]) -> None:
        """Keep items, where their messages are still there."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO items SELECT mailbox, uid, ?, ?, ?, ?, ?, ?, ? FROM entries"
            " WHERE mailbox = ? AND uid = ?",
            [(version, *rendered, state.id, uid) for uid, rendered in items.items()],
        )


# ---------------------------------------------------------------- values

_flags_of_text: dict[str, Flags] = {}
_texts: dict[Flags, str] = {}
_KEPT = 65536  # of each; past it they are merely made again


def _flags(text: str) -> Flags:
    found = _flags_of_text.get(text)
    if found is None:
        found = flag.intern(frozenset(text.split()))
        if len(_flags_of_text) < _KEPT:
            _flags_of_text[text] = found
    return found


def _text(flags: Flags) -> str:
    found = _texts.get(flags)
    if found is None:
        found = " ".join(sorted(flags))
        if len(_texts) < _KEPT:
            _texts[flags] = found
    return found


def _row(values: Sequence[object]) -> Row:
    uid, base, tail, text, *rest = values
    return Row(uid, base, tail, _flags(text), *rest)  # type: ignore[arg-type]
