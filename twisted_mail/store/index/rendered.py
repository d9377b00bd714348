"""Rendered items in an account's index: ENVELOPE, BODYSTRUCTURE and so on, as bytes."""

import json
from collections.abc import Iterable

from twisted_mail.mail.mailbox.entry import RenderedItems
from twisted_mail.store.index.database import Database
from twisted_mail.store.index.rows import MailboxRow

_ITEMS = (
    "SELECT uid, envelope, body, bodystructure, header_size, fields, preview, outline FROM items"
    " WHERE mailbox = ? AND uid IN (SELECT value FROM json_each(?)) AND version = ?"
)
_SMALL = " AND length(envelope) + length(body) + length(bodystructure) + length(outline) <= ?"


class ItemTable:
    """The table of items, in a transaction of the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def items(
        self, state: MailboxRow, uids: Iterable[int], version: int
    ) -> dict[int, RenderedItems]:
        """Return the items that were rendered already, by UID."""
        found = self._database.connection.execute(
            _ITEMS, (state.id, json.dumps(list(uids)), version)
        )
        return {values[0]: RenderedItems(*values[1:]) for values in found}

    def small_items(
        self, state: MailboxRow, uids: Iterable[int], version: int, max_octets: int
    ) -> dict[int, RenderedItems]:
        """Return those of the items that take at most ``max_octets``, but for fields and preview."""
        found = self._database.connection.execute(
            _ITEMS + _SMALL, (state.id, json.dumps(list(uids)), version, max_octets)
        )
        return {values[0]: RenderedItems(*values[1:]) for values in found}

    def save(self, state: MailboxRow, version: int, items: dict[int, RenderedItems]) -> None:
        """Keep items, where their messages are still there."""
        self._database.connection.executemany(
            "INSERT OR REPLACE INTO items SELECT mailbox, uid, ?, ?, ?, ?, ?, ?, ?, ? FROM entries"
            " WHERE mailbox = ? AND uid = ?",
            [(version, *rendered, state.id, uid) for uid, rendered in items.items()],
        )

    def remove(self, state: MailboxRow, uids: Iterable[int]) -> None:
        """Forget the items of messages."""
        self._database.connection.execute(
            "DELETE FROM items WHERE mailbox = ? AND uid IN (SELECT value FROM json_each(?))",
            (state.id, json.dumps(list(uids))),
        )
