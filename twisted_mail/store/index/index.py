"""The index of one account: a cache over its files, in SQLite.

Used by one thread at a time. Everything happens in ``transaction``. The messages of mailboxes are here;
``mailboxes``, ``gone``, ``rendered`` and ``threads`` have the other tables, and ``database`` the file.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from twisted_mail.interfaces import Clock
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.index import blocks, packed
from twisted_mail.store.index.database import Database
from twisted_mail.store.index.expunged_log import ExpungedTable
from twisted_mail.store.index.mailboxes import MailboxTable
from twisted_mail.store.index.rendered import ItemTable
from twisted_mail.store.index.rows import INSERT, ROW, MailboxRow, Row, row, text_of
from twisted_mail.store.index.threads import ThreadTable

_AMONG = "mailbox = ? AND uid IN (SELECT value FROM json_each(?))"


class Index:
    """The index in the file at ``path``; ``boot`` is what ``Disk.boot_id`` returned."""

    def __init__(
        self, disk: Disk, path: bytes, boot: str, clock: Clock, faults: DiskFaults
    ) -> None:
        self.database = Database(disk, path, boot, clock, faults)
        self.mailboxes = MailboxTable(self.database)
        self.gone = ExpungedTable(self.database)
        self.rendered = ItemTable(self.database)
        self.threads = ThreadTable(self.database)
        self._is_full_sync = False

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    # ------------------------------------------------------------ transactions

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make what happens inside happen as a whole, or not at all. Raises apsw.Error."""
        self.database.begin()
        self.mailboxes.begin()
        self._is_full_sync = False
        try:
            yield
            self.mailboxes.save()
            self.database.commit(self._is_full_sync)
        except BaseException:
            self.database.roll_back()
            raise
        finally:
            self.mailboxes.end()

    def need_full_sync(self) -> None:
        """Have this transaction wait for the disk: it says what no file says."""
        self._is_full_sync = True

    # ------------------------------------------------------------ some messages

    def all_rows(self, state: MailboxRow) -> list[Row]:
        """Return all messages of a mailbox, ascending."""
        packed.join(self.database.connection, state)
        return self._found("entries WHERE mailbox = ? ORDER BY uid", state.id)

    def rows(self, state: MailboxRow, uids: Iterable[int]) -> list[Row]:
        """Return those of the messages that are known, ascending."""
        uids = list(uids)
        packed.expand_containing(self.database.connection, state, uids)
        if len(uids) == 1:  # most commands name one
            return self._found("entries WHERE mailbox = ? AND uid = ?", state.id, uids[0])
        return self._found(f"entries WHERE {_AMONG} ORDER BY uid", state.id, json.dumps(uids))

    def rows_of(self, state: MailboxRow, bases: Iterable[bytes]) -> list[Row]:
        """Return those of the messages that are known by their base names."""
        bases = list(bases)
        packed.expand_named(self.database.connection, state, bases)
        found = []
        query = f"SELECT {ROW} FROM entries WHERE mailbox = ? AND base = ?"
        for base in bases:
            values = self.database.connection.execute(query, (state.id, base)).fetchone()
            if values is not None:
                found.append(row(values))
        return found

    def new_rows(self, state: MailboxRow) -> list[Row]:
        """Return the messages whose files lie in ``new``, ascending."""
        packed.join(self.database.connection, state, is_new=True)
        return self._found(
            "entries INDEXED BY entries_in_new"
            " WHERE mailbox = ? AND tail >= x'6e' AND tail < x'6f' ORDER BY uid",
            state.id,
        )

    def changed(self, state: MailboxRow, modseq: int) -> list[Row]:
        """Return the messages that were added or altered after a mod-sequence, ascending."""
        packed.expand_newer(self.database.connection, state, modseq)
        where = "entries WHERE mailbox = ? AND modseq > ? ORDER BY uid"
        return self._found(where, state.id, modseq)

    def unmeasured(self, state: MailboxRow, after: int, number: int) -> list[Row]:
        """Return the next messages after a UID whose date and sizes are not known yet, ascending."""
        if state.unmeasured == 0:
            return []
        packed.expand_next(self.database.connection, state, after, number)
        where = "entries WHERE mailbox = ? AND uid > ? AND date = ? ORDER BY uid LIMIT ?"
        return self._found(where, state.id, after, UNKNOWN_DATE, number)

    def _found(self, where: str, *values: int | str | bytes) -> list[Row]:
        found = self.database.connection.execute(f"SELECT {ROW} FROM {where}", values)
        return [row(each) for each in found]

    def identities(
        self, state: MailboxRow, after: int, number: int
    ) -> list[tuple[int, bytes, int]]:
        """Return UID, base name and stored size of the next messages after a UID, ascending."""
        packed.expand_next(self.database.connection, state, after, number)
        found: list[Any] = self.database.connection.execute(
            "SELECT uid, base, stored FROM entries WHERE mailbox = ? AND uid > ? ORDER BY uid LIMIT ?",
            (state.id, after, number),
        ).fetchall()
        return found

    # ------------------------------------------------------------ all messages

    def columns(self, state: MailboxRow) -> EntryColumns:
        """Return all messages of a mailbox as columns."""
        return packed.columns(self.database.connection, state)

    def uids(self, state: MailboxRow) -> frozenset[int]:
        """Return the UIDs of all messages of a mailbox."""
        return frozenset(self.columns(state).uids)

    def names(self, state: MailboxRow) -> dict[bytes, bytes]:
        """Return base names and tails of all messages of a mailbox."""
        return packed.names(self.database.connection, state)

    def keywords(self, state: MailboxRow) -> Flags:
        """Return the keywords that messages of a mailbox have."""
        return flag.keywords(flag.NONE.union(*packed.flag_sets(self.database.connection, state)))

    # ------------------------------------------------------------ taking in, altering

    def add(self, state: MailboxRow, rows: Sequence[Row]) -> None:
        """Take in messages."""
        state.messages += len(rows)
        state.octets += sum([row.size for row in rows])
        state.unmeasured += [row.date for row in rows].count(UNKNOWN_DATE)
        self.database.connection.executemany(
            INSERT,
            (
                (state.id, uid, base, tail, text_of(flags), modseq, date, size, stored)
                for uid, base, tail, flags, modseq, date, size, stored in rows
            ),
        )

    def add_many(
        self,
        state: MailboxRow,
        columns: EntryColumns,
        bases: Sequence[bytes],
        tails: Sequence[bytes],
    ) -> None:
        """Take in thousands of messages that were not measured yet."""
        state.messages += len(columns)
        state.unmeasured += len(columns)
        state.apart += len(columns)
        blocks.put_unexpanded(self.database.connection, state.id, columns, bases, tails)

    def update(self, state: MailboxRow, rows: Sequence[Row]) -> None:
        """Store the tails, flags and mod-sequences that messages have now."""
        self._alter(
            state,
            rows,
            "UPDATE entries SET tail = ?, flags = ?, modseq = ? WHERE mailbox = ? AND uid = ?",
            [(row.tail, text_of(row.flags), row.modseq, state.id, row.uid) for row in rows],
        )

    def rebase(self, state: MailboxRow, rows: Sequence[Row]) -> None:
        """Store the base names and sizes that messages have now."""
        packed.join(self.database.connection, state)
        self._alter(
            state,
            rows,
            "UPDATE entries SET base = ?, size = ?, stored = ? WHERE mailbox = ? AND uid = ?",
            [(row.base, row.size, row.stored, state.id, row.uid) for row in rows],
        )
        held = self._held("mailbox = ?", (state.id,))
        state.messages, state.octets, state.unmeasured = held

    def measure(self, state: MailboxRow, rows: Sequence[Row]) -> None:
        """Store the dates and sizes of messages that were not known yet."""
        state.octets += sum([row.size for row in rows])
        state.unmeasured -= len(rows)
        self._alter(
            state,
            rows,
            "UPDATE entries SET date = ?, size = ?, stored = ? WHERE mailbox = ? AND uid = ?",
            [(row.date, row.size, row.stored, state.id, row.uid) for row in rows],
        )

    def _alter(
        self,
        state: MailboxRow,
        rows: Sequence[Row],
        sql: str,
        values: Sequence[tuple[int | str | bytes, ...]],
    ) -> None:
        blocks.forget(self.database.connection, state.id, [row.uid for row in rows])
        self.database.connection.executemany(sql, values)

    def remove(self, state: MailboxRow, uids: Sequence[int], modseq: int) -> None:
        """Forget messages, but not that they were there."""
        connection = self.database.connection
        packed.expand_containing(connection, state, uids)
        blocks.forget(connection, state.id, uids)
        among = (state.id, json.dumps(list(uids)))
        messages, octets, unmeasured = self._held(_AMONG, among)
        state.messages -= messages
        state.octets -= octets
        state.unmeasured -= unmeasured
        connection.execute(f"DELETE FROM entries WHERE {_AMONG}", among)
        self.rendered.remove(state, uids)
        self.gone.note(state, uids, modseq)

    def _held(self, where: str, values: tuple[int | str, ...]) -> tuple[int, int, int]:
        sums = f"SELECT count(*), ifnull(sum(size), 0), ifnull(sum(date = {UNKNOWN_DATE}), 0)"
        query = f"{sums} FROM entries WHERE {where}"
        held: Any = self.database.connection.execute(query, values).fetchone()
        return held[0], held[1], held[2]
