"""The tables of an account's index, and the steps from older ones.

All of it can be made again from the maildir, its lists of UIDs and its keywords; only keywords beyond
the 26 that have letters live here alone.
"""

from functools import cache
from typing import Any

import apsw

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.index import blocks

# A mailbox is known by its folder (empty for INBOX). new_seen and cur_seen are the modification times
# of its two folders, in nanoseconds, when they were last read; 0 when they must be read again.
# list_seen is the stamp of its list of UIDs.
_FIRST = """
CREATE TABLE account (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder BLOB NOT NULL UNIQUE,
    uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL,
    highest_modseq INTEGER NOT NULL,
    first_recent INTEGER NOT NULL,
    new_seen INTEGER NOT NULL,
    cur_seen INTEGER NOT NULL,
    list_seen TEXT NOT NULL
);
CREATE TABLE entries (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    base BLOB NOT NULL,
    tail BLOB NOT NULL,
    flags TEXT NOT NULL,
    modseq INTEGER NOT NULL,
    date INTEGER NOT NULL,
    size INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entries_by_base ON entries (mailbox, base);
CREATE TABLE items (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    body BLOB NOT NULL,
    bodystructure BLOB NOT NULL,
    header_size INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID;
CREATE TABLE gone (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    PRIMARY KEY (mailbox, uid)
) WITHOUT ROWID;
"""

# How many messages a mailbox has, and their octets on the wire: kept with every alteration.
_COUNTS = """
ALTER TABLE mailboxes ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN octets INTEGER NOT NULL DEFAULT 0;
UPDATE mailboxes SET (messages, octets) = (
    SELECT count(*), ifnull(sum(size), 0) FROM entries WHERE mailbox = mailboxes.id
);
"""

# The few messages whose files lie in new; ``tail`` begins with an n.
_IN_NEW = """
CREATE INDEX IF NOT EXISTS entries_in_new ON entries (mailbox, uid)
    WHERE tail >= x'6e' AND tail < x'6f';
"""

# For QRESYNC (RFC 7162 §3.2.5): what was expunged since a mod-sequence. The UID 0 stands for messages
# that are forgotten, and has the mod-sequence up to which they are.
_GONE = """
CREATE INDEX gone_by_modseq ON gone (mailbox, modseq);
"""

# Rendered items are made again for every version of the renderer, so none are lost here. The table has
# row numbers, for without them rows of more than a quarter of a page take a page of their own.
_FIELDS = """
DROP TABLE items;
CREATE TABLE items (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    body BLOB NOT NULL,
    bodystructure BLOB NOT NULL,
    header_size INTEGER NOT NULL,
    fields BLOB,
    preview BLOB NOT NULL,
    PRIMARY KEY (mailbox, uid)
);
"""

# unmeasured is the number of messages whose date and sizes are not known yet.
_UNMEASURED = """
ALTER TABLE mailboxes ADD COLUMN unmeasured INTEGER NOT NULL DEFAULT 0;
"""

# apart is the number of messages that are in parcels and no rows yet (see ``blocks``).
_PARCELS = f"""
{blocks.TABLE}
ALTER TABLE mailboxes ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
"""

# Where the parts of a message lie (see ``imap.fetch.outline``).
_OUTLINE = """
ALTER TABLE items ADD COLUMN outline BLOB NOT NULL DEFAULT x'';
"""

# Threads by age; the names of messages (see ``thread_keys``) that lead to them; which messages are in
# them, by EMAILID; and up to which UID the messages of a mailbox are placed.
_THREADS = """
CREATE TABLE threads (number INTEGER PRIMARY KEY, name INTEGER NOT NULL);
CREATE TABLE thread_names (name INTEGER PRIMARY KEY, thread INTEGER NOT NULL);
CREATE TABLE threaded (email TEXT PRIMARY KEY, thread INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE placed (mailbox INTEGER PRIMARY KEY, uid INTEGER NOT NULL);
"""

# How far the items of a message are rendered (see ``ItemTier``). Those from before this step have all.
_TIERS = """
ALTER TABLE items ADD COLUMN tier INTEGER NOT NULL DEFAULT 3;
"""

# Step n leads from version n to n + 1.
STEPS = [
    _FIRST,
    _COUNTS,
    _IN_NEW,
    _GONE,
    _FIELDS,
    _UNMEASURED,
    _PARCELS,
    _OUTLINE,
    _THREADS,
    _TIERS,
]
VERSION = len(STEPS)


class UnusableIndex(Exception):
    """The index is damaged, or from a later version: it is to be made again."""


def prepare(disk: Disk, connection: apsw.Connection) -> None:
    """Bring the tables up to date, all steps at once. Raises UnusableIndex, apsw.Error."""
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another process may have been here
        for step in STEPS[version:] if version else [_all_steps()]:
            connection.execute(step)
        connection.pragma("user_version", VERSION)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    disk.commit(connection)


@cache
def _all_steps() -> str:
    """Return what makes at once the tables that the steps lead to, in a fifth of the time."""
    connection = apsw.Connection(":memory:")
    for step in STEPS:
        connection.execute(step)
    made: Any = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE sql NOTNULL AND name NOT GLOB 'sqlite_*' ORDER BY rowid"
    )
    return ";\n".join(sql for (sql,) in made)


def _version(connection: apsw.Connection) -> int:
    found = connection.pragma("user_version")
    if not isinstance(found, int) or found > VERSION:
        raise UnusableIndex
    return found
