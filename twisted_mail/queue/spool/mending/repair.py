"""Mending a queue by hand, while no server has it."""

from twisted_mail.interfaces import DurableFiles
from twisted_mail.queue.spool.lock import QueueLock
from twisted_mail.queue.spool.mending.salvage import Salvaged, salvage


def repair(folder: str, files: DurableFiles, now: float) -> Salvaged:
    """Put what can be read of the queue in a folder in the place of it; the old files are kept.

    Raises SpoolUnusable where a server has it, OSError, apsw.Error.
    """
    lock = QueueLock(folder)
    lock.require()
    try:
        return salvage(folder, files, now)
    finally:
        lock.release()
