"""Rendered items in an account's index: ENVELOPE, BODYSTRUCTURE and so on, as bytes."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from twisted_mail.mail.mailbox.entry import ItemTier, RenderedItems
from twisted_mail.store.index.database import Database
from twisted_mail.store.index.rows import MailboxRow

_COLUMNS = {
    ItemTier.HEADER: "uid, envelope, x'', x'', header_size, fields, x'', x''",
    ItemTier.STRUCTURE: "uid, envelope, body, bodystructure, header_size, fields, x'', outline",
    ItemTier.PREVIEW: "uid, envelope, body, bodystructure, header_size, fields, preview, outline",
}
_AMONG = (
    " FROM items WHERE mailbox = ? AND uid IN (SELECT value FROM json_each(?)) AND version = ?"
    " AND tier >= ?"
)
_SMALL = " AND length(envelope) + length(body) + length(bodystructure) + length(outline) <= ?"
_MADE = "version, envelope, body, bodystructure, header_size, fields, preview, outline, tier"
# What another process made meanwhile may be more than this: it stays.
_SAVE = f"""
INSERT INTO items (mailbox, uid, {_MADE})
SELECT mailbox, uid, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM entries WHERE mailbox = ? AND uid = ?
ON CONFLICT (mailbox, uid) DO UPDATE SET
    version = excluded.version, envelope = excluded.envelope, body = excluded.body,
    bodystructure = excluded.bodystructure, header_size = excluded.header_size,
    fields = excluded.fields, preview = excluded.preview, outline = excluded.outline,
    tier = excluded.tier
WHERE version != excluded.version OR tier < excluded.tier
"""


class ItemTable:
    """The table of items, in a transaction of the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def items(
        self, state: MailboxRow, uids: Iterable[int], version: int, tier: ItemTier
    ) -> dict[int, RenderedItems]:
        """Return the items up to a tier of messages that are rendered that far, by UID."""
        query = f"SELECT {_COLUMNS[tier]} {_AMONG}"
        values = state.id, json.dumps(list(uids)), version, tier
        found = self._database.connection.execute(query, values)
        return {values[0]: RenderedItems._make((*values[1:], tier)) for values in found}

    def small_items(
        self,
        state: MailboxRow,
        uids: Iterable[int],
        version: int,
        tier: ItemTier,
        max_octets: int,
    ) -> dict[int, RenderedItems]:
        """Return those of the items that take at most ``max_octets``, but for fields and preview."""
        query = f"SELECT {_COLUMNS[tier]} {_AMONG} {_SMALL}"
        values = state.id, json.dumps(list(uids)), version, tier, max_octets
        found = self._database.connection.execute(query, values)
        return {values[0]: RenderedItems._make((*values[1:], tier)) for values in found}

    def uids(self, state: MailboxRow, version: int) -> set[int]:
        """Return the UIDs of all messages of which anything is rendered."""
        found: list[Any] = self._database.connection.execute(
            "SELECT uid FROM items WHERE mailbox = ? AND version = ?", (state.id, version)
        ).fetchall()
        return {uid for (uid,) in found}

    def save(self, state: MailboxRow, version: int, items: Mapping[int, RenderedItems]) -> None:
        """Keep items, where their messages are still there and not rendered further."""
        self._database.connection.executemany(
            _SAVE, [(version, *rendered, state.id, uid) for uid, rendered in items.items()]
        )

    def copy(self, origin: MailboxRow, target: MailboxRow, uids: Iterable[tuple[int, int]]) -> None:
        """Give the items of messages to their copies, by the UIDs here and there."""
        self._database.connection.executemany(
            f"INSERT OR REPLACE INTO items (mailbox, uid, {_MADE}) SELECT ?, ?, {_MADE} FROM items"
            " WHERE mailbox = ? AND uid = ?",
            [(target.id, there, origin.id, here) for here, there in uids],
        )

    def move(self, origin: MailboxRow, target: MailboxRow, uids: Iterable[tuple[int, int]]) -> None:
        """Take the items of messages along to where they are moved, by the UIDs here and there."""
        self._database.connection.executemany(
            "UPDATE OR REPLACE items SET mailbox = ?, uid = ? WHERE mailbox = ? AND uid = ?",
            [(target.id, there, origin.id, here) for here, there in uids],
        )

    def remove(self, state: MailboxRow, uids: Iterable[int]) -> None:
        """Forget the items of messages."""
        self._database.connection.execute(
            "DELETE FROM items WHERE mailbox = ? AND uid IN (SELECT value FROM json_each(?))",
            (state.id, json.dumps(list(uids))),
        )
