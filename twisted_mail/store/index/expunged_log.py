"""Which messages are gone, in an account's index: what QRESYNC sends (RFC 7162 §3.2.5)."""

from collections.abc import Iterable
from typing import Any

from twisted_mail.store.index.database import Database
from twisted_mail.store.index.rows import MailboxRow

GONE_KEPT = 100_000  # expunged UIDs remembered for each mailbox, and
RECENT_MODSEQS = 64  # all of so many last alterations; once in so many there is a look


class ExpungedTable:
    """The table of removed messages, in a transaction of the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, state: MailboxRow, modseq: int) -> list[int]:
        """Return the UIDs of messages that were removed after a mod-sequence, ascending.

        All of them if the mod-sequence is not below what ``forgotten`` returns.
        """
        found = self._database.connection.execute(
            "SELECT uid FROM gone WHERE mailbox = ? AND modseq > ? AND uid > 0 ORDER BY uid",
            (state.id, modseq),
        )
        return [int(values[0] or 0) for values in found]

    def forgotten(self, state: MailboxRow) -> int:
        """Return the mod-sequence up to which it is not known which messages were removed."""
        row: Any = self._database.connection.execute(
            "SELECT modseq FROM gone WHERE mailbox = ? AND uid = 0", (state.id,)
        ).fetchone()
        return row[0] if row else 0

    def note(self, state: MailboxRow, uids: Iterable[int], modseq: int) -> None:
        """Note that messages were removed."""
        self._database.connection.executemany(
            "INSERT OR REPLACE INTO gone VALUES (?, ?, ?)",
            [(state.id, uid, modseq) for uid in uids],
        )
        if modseq % RECENT_MODSEQS == 0:
            self._forget_oldest(state)

    def forget(self, state: MailboxRow, modseq: int) -> None:
        """Forget which messages were removed up to a mod-sequence."""
        self._database.connection.execute(
            "DELETE FROM gone WHERE mailbox = ? AND modseq <= ?", (state.id, modseq)
        )
        self._database.connection.execute("INSERT INTO gone VALUES (?, 0, ?)", (state.id, modseq))

    def _forget_oldest(self, state: MailboxRow) -> None:
        row: Any = self._database.connection.execute(
            "SELECT modseq FROM gone WHERE mailbox = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?",
            (state.id, GONE_KEPT),
        ).fetchone()
        last = min(row[0], state.highest_modseq - RECENT_MODSEQS) if row else 0
        if last > self.forgotten(state):
            self.forget(state, last)
