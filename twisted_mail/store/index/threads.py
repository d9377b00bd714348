"""The threads of an account's messages, in its index (RFC 8474 §5.2).

A message once placed stays in its thread. Each name that is known leads to one thread: that to which
the last message with it went. A message whose names lead to several joins the oldest, and so do, from
then on, those that name what it names.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from twisted_mail.store.index.database import Database
from twisted_mail.store.index.thread_keys import lone_name, thread_id


class ThreadTable:
    """The tables of threads, in a transaction of the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, emails: Iterable[str]) -> dict[str, str]:
        """Return the threads of messages by EMAILID, as far as they are placed."""
        found: list[Any] = self._database.connection.execute(
            "SELECT email, name FROM threaded JOIN threads ON threads.number = thread"
            " WHERE email IN (SELECT value FROM json_each(?))",
            (json.dumps(list(emails)),),
        ).fetchall()
        return {email: thread_id(name) for email, name in found}

    def assign(self, email: str, names: Sequence[int]) -> None:
        """Give a message that has no thread yet its own, for ever."""
        connection = self._database.connection
        names = names or (lone_name(email),)
        [[oldest]] = connection.execute(
            "SELECT min(thread) FROM thread_names WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps(names),),
        )
        if oldest is None:
            connection.execute("INSERT INTO threads (name) VALUES (?)", (names[0],))
            oldest = connection.last_insert_rowid()
        connection.executemany(
            "INSERT OR REPLACE INTO thread_names VALUES (?, ?)", [(name, oldest) for name in names]
        )
        connection.execute("INSERT INTO threaded VALUES (?, ?)", (email, oldest))

    # ------------------------------------------------------------ how far that went

    @property
    def has_begun(self) -> bool:
        """Return whether messages have been placed since the index was made."""
        found = self._database.connection.execute("SELECT 1 FROM account WHERE key = 'threads'")
        return found.fetchone() is not None

    def begin(self) -> None:
        """Note that messages are placed from now on."""
        self._database.connection.execute("INSERT OR REPLACE INTO account VALUES ('threads', 1)")

    def unassigned(self) -> list[tuple[bytes, int]]:
        """Return the folders of mailboxes with newer messages than were placed, and up to which UID."""
        found: list[Any] = self._database.connection.execute(
            "SELECT folder, ifnull(uid, 0) FROM mailboxes LEFT JOIN placed ON mailbox = id"
            " WHERE uidnext > ifnull(uid, 0) + 1 ORDER BY folder"
        ).fetchall()
        return found

    def reached(self, mailboxes: Iterable[tuple[int, int]]) -> None:
        """Note up to which UID the messages of mailboxes are placed."""
        self._database.connection.executemany(
            "INSERT OR REPLACE INTO placed VALUES (?, ?)", mailboxes
        )
