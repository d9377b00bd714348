"""Mending a queue by hand, while no server has it."""

import os
from contextlib import suppress

import apsw

from twisted_mail.interfaces import DurableFiles
from twisted_mail.queue.spool.database import DAMAGED, NAME
from twisted_mail.queue.spool.lock import QueueLock
from twisted_mail.queue.spool.mending.salvage import Salvaged, salvage
from twisted_mail.queue.spool.schema import check_version


def repair(folder: str, files: DurableFiles, now: float) -> Salvaged:
    """Put what can be read of the queue in a folder in the place of it; the old files are kept.

    Raises SpoolUnusable where a server has it, or a newer program wrote it; OSError, apsw.Error.
    """
    lock = QueueLock(folder)
    lock.require()
    try:
        _require_known_version(os.path.join(folder, NAME))
        return salvage(folder, files, now)
    finally:
        lock.release()


def _require_known_version(path: str) -> None:
    """Raise SpoolUnusable for a database whose rows may mean more than is known here."""
    with suppress(*DAMAGED, apsw.CantOpenError):
        connection = apsw.Connection(path, apsw.SQLITE_OPEN_READONLY)
        try:
            check_version(connection, path)
        finally:
            connection.close()
