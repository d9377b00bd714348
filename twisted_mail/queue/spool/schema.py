"""The tables of the queue's database, and the steps from older ones.

All tables have row numbers: then all that is in them lies on leaf pages, which ``salvage`` can read one
by one when the rest is damaged. The blobs are the truth (see ``rows``); other columns are made of them.
"""

from enum import IntEnum

import apsw

from twisted_mail.mail.queued.job import RecipientState

PAGE_SIZE = 4096

_FIRST = """
CREATE TABLE jobs (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    is_kept INTEGER NOT NULL,
    highest INTEGER NOT NULL,
    kind TEXT NOT NULL,
    arrived REAL NOT NULL,
    sender TEXT NOT NULL,
    submitter TEXT NOT NULL,
    priority INTEGER NOT NULL,
    size INTEGER NOT NULL,
    envelope BLOB NOT NULL
);
CREATE INDEX jobs_prepared ON jobs (id) WHERE is_kept = 0;
CREATE INDEX jobs_by_age ON jobs (kind, arrived, id);
CREATE TABLE bodies (
    job INTEGER PRIMARY KEY,
    prefix BLOB NOT NULL,
    body BLOB
);
CREATE TABLE recipients (
    row INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    number INTEGER NOT NULL,
    destination TEXT NOT NULL,
    state INTEGER NOT NULL,
    due REAL NOT NULL,
    address TEXT NOT NULL,
    original TEXT NOT NULL,
    tries INTEGER NOT NULL,
    notices INTEGER NOT NULL,
    reply_class TEXT NOT NULL,
    recipient BLOB NOT NULL
);
CREATE UNIQUE INDEX recipients_by_job ON recipients (job, number);
CREATE INDEX recipients_by_due ON recipients (destination, state, due, job, number);
CREATE INDEX recipients_not_waiting ON recipients (state, job, number) WHERE state != 0;
CREATE TABLE sites (
    row INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    site BLOB NOT NULL
);
CREATE TABLE words (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    word TEXT NOT NULL,
    given_at REAL NOT NULL,
    done_at REAL,
    result TEXT
);
CREATE INDEX words_to_answer ON words (id) WHERE done_at IS NULL;
CREATE TABLE suspensions (
    row INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    until REAL NOT NULL,
    since REAL NOT NULL,
    UNIQUE (kind, name)
);
"""

# Version 2: recipients may be unreported. A program that knows only version 1 would never report them.
_UNREPORTED = ""

# Each makes the schema of the next version out of the one before. The version is in the file's header.
_STEPS = (_FIRST, _UNREPORTED)
VERSION = len(_STEPS)


class SpoolUnusable(Exception):
    """The queue cannot be used, for a reason in one line for the operator."""


class RowState(IntEnum):
    """The state of a recipient as its row has it; recipients of prepared jobs have others."""

    WAITING = 0
    HELD = 1
    DAMAGED = 2
    PREPARED_WAITING = 3
    PREPARED_HELD = 4
    UNREPORTED = 5


PREPARED = RowState.PREPARED_WAITING  # what is added to the state for as long as a job is prepared

# What the row of a recipient has for its state.
ROW_STATES = {
    RecipientState.WAITING: RowState.WAITING,
    RecipientState.HELD: RowState.HELD,
    RecipientState.UNREPORTED: RowState.UNREPORTED,
}


def check_version(connection: apsw.Connection, path: str) -> int:
    """Return the version of a database, 0 for an empty one. Raises SpoolUnusable, apsw.Error."""
    found = int(connection.pragma("user_version"))
    if found > VERSION:
        raise SpoolUnusable(
            f"{path} has version {found}, and this program knows {VERSION} at most: it was written by a"
            " newer one"
        )
    return found


def prepare(connection: apsw.Connection, found: int) -> None:
    """Make the tables, or those of the version that was found new. Raises apsw.Error."""
    if found == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    for step in _STEPS[found:]:
        connection.execute(step)
    connection.pragma("user_version", VERSION)
    connection.execute("COMMIT")
