"""The queue, as ``twisted-mail check`` sees it."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

import apsw

from twisted_mail.config import Config
from twisted_mail.control.checks.note import Note
from twisted_mail.control.output import count
from twisted_mail.queue.spool.database import open_database
from twisted_mail.queue.spool.schema import SpoolUnusable
from twisted_mail.queue.words.overview import QueueOverview, overview

SUBJECT = "queue"
SLOW_SECONDS = 60.0  # after which a word ought to be answered


def queued_mail_notes(config: Config) -> Iterator[Note]:
    """Check that the queue can be read, and for what the operator may have forgotten in it."""
    folder = config.queue_folder
    if not folder.exists():
        return  # the server makes it
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        yield Note("fault", SUBJECT, f"{folder} cannot be read and written")
        return
    try:
        found, slow = _read(str(folder))
    except SpoolUnusable as error:
        yield Note("fault", SUBJECT, str(error))
    except apsw.Error as error:
        text = (
            f"{folder} cannot be read: {error} (the server brings back what it can when it starts)"
        )
        yield Note("fault", SUBJECT, text)
    else:
        yield _sum(found)
        yield from _warnings(found, slow)
        yield from _room(config)


def _read(folder: str) -> tuple[QueueOverview, int]:
    """Return what the queue has, and how many words wait for too long."""
    database = open_database(folder)
    try:
        found = overview(database.connection, time.time(), shown=0)
        return found, _unanswered(database.connection)
    finally:
        database.close()


def _unanswered(connection: apsw.Connection) -> int:
    row = connection.execute(
        "SELECT count(*) FROM words WHERE done_at IS NULL AND given_at < ?",
        (time.time() - SLOW_SECONDS,),
    ).fetchone()
    return 0 if row is None else int(row[0])


def _sum(found: QueueOverview) -> Note:
    recipients = count(found.waiting + found.held, "recipient")
    return Note("fine", SUBJECT, f"{count(found.jobs, 'message')} for {recipients} can be read")


def _warnings(found: QueueOverview, slow: int) -> Iterator[Note]:
    if found.damaged:
        text = f"{count(found.damaged, 'recipient')} damaged, and never sent: the log has more"
        yield Note("warning", SUBJECT, text)
    for one in found.suspended:
        if not one.until:
            text = f"{one} is suspended without an end: twisted-mail queue resume {one}"
            yield Note("warning", SUBJECT, text)
    if slow:
        text = f"{count(slow, 'word')} not done yet: the server does them when it starts"
        yield Note("warning", SUBJECT, text)


def _room(config: Config) -> Iterator[Note]:
    """Look whether new mail is refused because of the disk."""
    least = config.queue.min_free
    with suppress(OSError):
        found = os.statvfs(config.queue_folder)
        free = found.f_bavail * found.f_frsize
        if free < least:
            text = (
                f"{free >> 20} MiB are left, and new mail is refused below {least >> 20} MiB"
                " ([queue] min_free)"
            )
            yield Note("fault", SUBJECT, text)
