"""A damaged queue: it is set aside, and every job whose pages can be read is brought back.

What comes back was compared with its checksum, so nothing of it is altered. A job whose message is
damaged comes back to be looked at, and is never sent; one of whose recipients some are damaged owes the
others.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from zlib import crc32

import apsw

from twisted_mail.interfaces import DurableFiles
from twisted_mail.mail.queued.suspension import SUSPENSION_KINDS
from twisted_mail.queue.spool.bodies import FOLDER as BODIES
from twisted_mail.queue.spool.bodies import BodyFolder
from twisted_mail.queue.spool.database import NAME, SpoolDatabase
from twisted_mail.queue.spool.mending.database_pages import DatabasePages
from twisted_mail.queue.spool.mending.leaf_pages import LeafRow, leaf_rows
from twisted_mail.queue.spool.reader import has_file
from twisted_mail.queue.spool.rows import (
    DamagedRow,
    job_row,
    read_job,
    read_recipient,
    read_site,
    recipient_row,
)
from twisted_mail.queue.spool.schema import PAGE_SIZE, RowState

BUILDING, COMPLETE = "salvaging.sqlite3", "salvaged.sqlite3"
_JOB, _RECIPIENT, _NAMED_OR_BODY, _SUSPENSION = 11, 12, 3, 5  # columns


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What came back: how many jobs and recipients, and how many of the jobs have a damaged message.

    The damaged files are in ``folder``.
    """

    jobs: int
    recipients: int
    damaged: int
    folder: str

    def __str__(self) -> str:
        return (
            f"the queue was damaged: {self.jobs} jobs for {self.recipients} recipients came back,"
            f" {self.damaged} of them with a message that is damaged; the old files are in {self.folder}"
        )


def salvage(folder: str, files: DurableFiles, now: float) -> Salvaged:
    """Put what can be read of a queue in the place of it; nobody has it open meanwhile.

    After a crash in the middle of it, ``finish_salvage`` ends it, or it is begun again. Raises
    OSError, apsw.Error.
    """
    building = os.path.join(folder, BUILDING)
    _remove_database(files, building)
    pages = DatabasePages(os.path.join(folder, NAME), PAGE_SIZE)
    try:
        jobs, recipients, damaged = _rebuild(pages, building)
    finally:
        pages.close()
    files.rename(building, os.path.join(folder, COMPLETE))
    files.sync_folder(folder)
    aside = finish_salvage(folder, files, now) or folder
    _set_bodies_aside(folder, files, aside)
    return Salvaged(jobs, recipients, damaged, aside)


def _set_bodies_aside(folder: str, files: DurableFiles, aside: str) -> None:
    """Keep the bodies that nothing names any more, for people to look at."""
    database = SpoolDatabase(os.path.join(folder, NAME))
    try:
        BodyFolder(folder, files).set_aside(
            os.path.join(aside, BODIES), partial(has_file, database.connection)
        )
    finally:
        database.close()


def finish_salvage(folder: str, files: DurableFiles, now: float) -> str | None:
    """Put what was salvaged in its place, if it is not there yet; return where the old files are."""
    complete = os.path.join(folder, COMPLETE)
    if not os.path.exists(complete):
        return None
    aside = os.path.join(folder, f"damaged-{int(now)}")
    files.make_folder(aside)
    # The log first of all would do no harm, and last it would: it is not that of the new file.
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            files.rename(os.path.join(folder, NAME + suffix), os.path.join(aside, NAME + suffix))
    files.sync_folder(aside)
    files.rename(complete, os.path.join(folder, NAME))
    files.sync_folder(folder)
    return aside


def _remove_database(files: DurableFiles, path: str) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        files.remove(path + suffix)


def _rebuild(pages: DatabasePages, path: str) -> tuple[int, int, int]:
    """Write what can be read into a new database; return the numbers of jobs, recipients, damaged."""
    database = SpoolDatabase(path)
    try:
        rebuilding = _Rebuilding(database.connection, pages)
        with database.transaction():
            counts = rebuilding.run()
        database.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return counts
    finally:
        database.close()


class _Rebuilding:
    """The rows that are found, on their way into a new database."""

    def __init__(self, connection: apsw.Connection, pages: DatabasePages) -> None:
        self._connection = connection
        self._pages = pages

    def run(self) -> tuple[int, int, int]:
        """Bring everything back, jobs first: the rest is of them."""
        for row in self._rows():
            if len(row.values) == _JOB:
                self._take(self._job, row)
        for row in self._rows():
            match len(row.values):
                case n if n == _RECIPIENT:
                    self._take(self._recipient, row)
                case n if n == _NAMED_OR_BODY:
                    self._take(self._site_or_body, row)
                case n if n == _SUSPENSION:
                    self._take(self._suspension, row)
        return self._settle()

    def _rows(self) -> Iterator[LeafRow]:
        for number in self._pages.used():
            yield from leaf_rows(self._pages.read(number), number, self._pages.read)

    def _take(self, write: Callable[[LeafRow], None], row: LeafRow) -> None:
        """Write a row if it is what it seems to be: any value may stand in any column."""
        with suppress(DamagedRow, TypeError, ValueError, AttributeError, apsw.ConstraintError):
            write(row)

    def _one(self, query: str, *values: Any) -> Any:
        return self._connection.execute(query, values).fetchone()

    def _job(self, row: LeafRow) -> None:
        _, id, is_kept, *_, envelope = row.values
        if is_kept:
            stored = read_job(id, envelope)
            values = job_row(row.number, stored.job, True, 0, envelope)
            self._connection.execute(f"INSERT INTO jobs VALUES ({_marks(_JOB)})", values)

    def _recipient(self, row: LeafRow) -> None:
        _, job, number, *_, blob = row.values
        found = self._one("SELECT id FROM jobs WHERE row = ?", job)
        if found is None:
            return
        recipient = read_recipient(found[0], number, blob)
        tries = self._one("SELECT tries FROM recipients WHERE job = ? AND number = ?", job, number)
        if tries is None or tries[0] < recipient.tries:
            self._connection.execute(
                f"INSERT OR REPLACE INTO recipients VALUES (NULL, {_marks(_RECIPIENT - 1)})",
                recipient_row(job, found[0], recipient),
            )

    def _site_or_body(self, row: LeafRow) -> None:
        _, name, blob = row.values
        if isinstance(name, str):
            read_site(name, blob)
            self._connection.execute("INSERT INTO sites (name, site) VALUES (?, ?)", (name, blob))
            return
        found = self._one("SELECT id, envelope FROM jobs WHERE row = ?", row.number)
        if found is not None:
            body = read_job(*found).body
            if body.is_file == (blob is None) and _fits(name, blob, body.checksum, body.is_file):
                self._connection.execute(
                    "INSERT INTO bodies VALUES (?, ?, ?)", (row.number, name, blob)
                )

    def _suspension(self, row: LeafRow) -> None:
        _, kind, name, until, since = row.values
        if kind in SUSPENSION_KINDS:
            self._connection.execute(
                "INSERT INTO suspensions (kind, name, until, since) VALUES (?, ?, ?, ?)",
                (kind, str(name), float(until), float(since)),
            )

    def _settle(self) -> tuple[int, int, int]:
        """Hold the jobs whose message is damaged, and leave out those that owe nobody."""
        execute = self._connection.execute
        execute("DELETE FROM jobs WHERE row NOT IN (SELECT job FROM recipients)")
        execute("DELETE FROM bodies WHERE job NOT IN (SELECT row FROM jobs)")
        execute(
            "UPDATE recipients SET state = ?, notices = 0 WHERE job NOT IN (SELECT job FROM bodies)",
            (RowState.DAMAGED,),
        )
        execute(
            "UPDATE jobs SET highest = (SELECT max(number) FROM recipients WHERE job = jobs.row)"
        )
        [jobs, recipients, damaged] = self._one(
            "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM recipients),"
            " (SELECT count(DISTINCT job) FROM recipients WHERE state = ?)",
            RowState.DAMAGED,
        )
        return jobs, recipients, damaged


def _fits(prefix: bytes, body: bytes | None, checksum: int, is_file: bool) -> bool:
    """Return whether a message is whole; of a file only the prefix is here, which is checked later."""
    return is_file or crc32(body or b"", crc32(prefix)) == checksum


def _marks(number: int) -> str:
    return ", ".join("?" * number)
