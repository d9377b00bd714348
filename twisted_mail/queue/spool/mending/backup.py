"""A copy of the queue, made while the server runs."""

import os
from contextlib import suppress

import apsw

from twisted_mail.interfaces import DurableFiles
from twisted_mail.queue.spool.bodies import FOLDER
from twisted_mail.queue.spool.database import NAME, make_private, open_database


def back_up(folder: str, target: str, files: DurableFiles) -> None:
    """Copy the queue in ``folder`` into ``target``, an empty folder, as it is at one moment.

    Bodies that are files are linked where that is possible, or else copied: before the database, and what
    came meanwhile after it. One that was served meanwhile may be missing: it is damaged in the copy.
    Raises SpoolUnusable, OSError, apsw.Error.
    """
    files.make_folder(os.path.join(target, FOLDER))
    _copy_bodies(folder, target, files)
    database = open_database(folder)
    try:
        _copy(database.connection, os.path.join(target, NAME))
    finally:
        database.close()
    _copy_bodies(folder, target, files)
    for made in (os.path.join(target, FOLDER), target):
        files.sync_folder(made)


def _copy(source: apsw.Connection, path: str) -> None:
    """Copy a database at once: so it is of one moment, and nobody who writes waits."""
    make_private(path)
    copy = apsw.Connection(path)
    try:
        with copy.backup("main", source, "main") as backup:
            backup.step(-1)
        copy.pragma("journal_mode", "delete")
    finally:
        copy.close()


def _copy_bodies(folder: str, target: str, files: DurableFiles) -> None:
    for name in files.names(os.path.join(folder, FOLDER)):
        old, new = (os.path.join(each, FOLDER, name) for each in (folder, target))
        with suppress(FileExistsError, FileNotFoundError):  # copied before, or served since
            _link_or_copy(old, new, files)


def _link_or_copy(old: str, new: str, files: DurableFiles) -> None:
    try:
        files.link(old, new)
    except FileExistsError:
        raise
    except OSError:  # another file system
        if files.read(new, 1) is None:
            files.write(new, files.blob(old).pieces())
