"""The mailboxes in an account's index: a row for each, and everything of one at once.

What a mailbox's row says is read at its first use in a transaction and written back at the end.
"""

from typing import Any

from twisted_mail.store.index.database import Database
from twisted_mail.store.index.rows import MailboxRow

_STATE = (
    "id, folder, uidvalidity, uidnext, highest_modseq, first_recent, new_seen, cur_seen, list_seen,"
    " messages, octets, unmeasured, apart"
)

_UNKNOWN_LETTERS = "INSERT OR REPLACE INTO account VALUES (?, 'unknown')"


class MailboxTable:
    """The table of mailboxes. All of it happens between ``begin`` and ``end``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._states: dict[bytes, MailboxRow] | None = None
        self._loaded: dict[int, MailboxRow] = {}

    def begin(self) -> None:
        """Begin a transaction: what other processes did is read anew."""
        self._states, self._loaded = {}, {}

    def end(self) -> None:
        """End the transaction, however that was."""
        self._states = None

    def save(self) -> None:
        """Write the rows that were altered."""
        assert self._states is not None
        self._database.connection.executemany(
            "UPDATE mailboxes SET uidvalidity = ?, uidnext = ?, highest_modseq = ?,"
            " first_recent = ?, new_seen = ?, cur_seen = ?, list_seen = ?, messages = ?, octets = ?,"
            " unmeasured = ?, apart = ? WHERE id = ?",
            [_values(state) for state in self._states.values() if state != self._loaded[state.id]],
        )

    # ------------------------------------------------------------ one mailbox

    def state(self, folder: bytes) -> MailboxRow | None:
        """Return the row of a mailbox, to alter: it is saved with the transaction."""
        assert self._states is not None, "outside of a transaction"
        if folder not in self._states:
            found = self._database.connection.execute(
                f"SELECT {_STATE} FROM mailboxes WHERE folder = ?", (folder,)
            ).fetchone()
            if found is None:
                return None
            self._states[folder] = MailboxRow(*found)
            self._loaded[found[0]] = MailboxRow(*found)
        return self._states[folder]

    def add(self, folder: bytes, uidvalidity: int) -> MailboxRow:
        """Make the row of a mailbox."""
        self._database.connection.execute(
            "INSERT INTO mailboxes (folder, uidvalidity, uidnext, highest_modseq, first_recent,"
            " new_seen, cur_seen, list_seen) VALUES (?, ?, 1, 1, 0, 0, 0, '')",
            (folder, uidvalidity),
        )
        state = self.state(folder)
        assert state is not None
        return state

    def rename(self, state: MailboxRow, folder: bytes) -> None:
        """Give a mailbox another folder. What was known of that folder is forgotten."""
        assert self._states is not None
        other = self.state(folder)
        if other is not None:
            self.remove(other)
        self._database.connection.execute(
            "UPDATE mailboxes SET folder = ? WHERE id = ?", (folder, state.id)
        )
        self._states.pop(state.folder, None)
        state.folder = folder
        self._states[folder] = state

    def remove(self, state: MailboxRow) -> None:
        """Forget a mailbox, and all of its messages."""
        assert self._states is not None
        connection = self._database.connection
        for table in ("entries", "items", "gone", "parcels"):
            connection.execute(f"DELETE FROM {table} WHERE mailbox = ?", (state.id,))
        connection.execute("DELETE FROM mailboxes WHERE id = ?", (state.id,))
        self._states.pop(state.folder, None)

    def clear(self, state: MailboxRow) -> None:
        """Forget what messages a mailbox has, to read them anew; its numbers stay, and what is gone."""
        for table in ("entries", "items", "parcels"):
            self._database.connection.execute(f"DELETE FROM {table} WHERE mailbox = ?", (state.id,))
        state.messages = state.octets = state.unmeasured = state.apart = 0
        state.new_seen = state.cur_seen = 0

    def note_letters(self, state: MailboxRow, are_known: bool) -> None:
        """Note whether it is known what the letters in the names of a mailbox's files stand for."""
        sql = "DELETE FROM account WHERE key = ?" if are_known else _UNKNOWN_LETTERS
        self._database.connection.execute(sql, (f"letters {state.id}",))

    def are_letters_known(self, state: MailboxRow) -> bool:
        """Return whether flags say all that the letters in the names of a mailbox's files do."""
        found = self._database.connection.execute(
            "SELECT value FROM account WHERE key = ?", (f"letters {state.id}",)
        )
        return found.fetchone() is None

    # ------------------------------------------------------------ all of them

    def folders(self) -> dict[int, bytes]:
        """Return the folder of each mailbox by its id, which stays when the mailbox is renamed."""
        return dict(self._database.connection.execute("SELECT id, folder FROM mailboxes"))

    def mailbox_keys(self) -> list[tuple[bytes, int]]:
        """Return folder and UIDVALIDITY of all mailboxes."""
        found: list[Any] = self._database.connection.execute(
            "SELECT folder, uidvalidity FROM mailboxes"
        ).fetchall()
        return found

    def highest_uidvalidity(self) -> int:
        """Return the greatest UIDVALIDITY of any mailbox, or 0."""
        found = self._database.connection.execute(
            "SELECT max(uidvalidity) FROM mailboxes"
        ).fetchone()
        return int(found[0] or 0) if found else 0

    def usage(self) -> dict[bytes, tuple[int, int]]:
        """Return how many messages and octets each mailbox has, by its folder."""
        self.save()
        found = self._database.connection.execute("SELECT folder, messages, octets FROM mailboxes")
        return {folder: (messages, octets) for folder, messages, octets in found}

    def unmeasured(self) -> set[bytes]:
        """Return the folders of the mailboxes that have messages to be measured."""
        self.save()
        found: list[Any] = self._database.connection.execute(
            "SELECT folder FROM mailboxes WHERE unmeasured > 0"
        ).fetchall()
        return {folder for (folder,) in found}


def _values(state: MailboxRow) -> tuple[int | str, ...]:
    return (
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
