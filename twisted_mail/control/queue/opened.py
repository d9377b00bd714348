"""The queue's database, opened by a command: with the server running, or stopped."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import apsw

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.output import CommandError
from twisted_mail.queue.spool.database import DAMAGED, NAME, SpoolDatabase, open_database
from twisted_mail.queue.spool.lock import QueueLock
from twisted_mail.queue.spool.schema import SpoolUnusable


@dataclass(frozen=True, slots=True)
class OpenedQueue:
    """The database, and the lock by which a server has it."""

    config: Config
    database: SpoolDatabase
    lock: QueueLock

    @property
    def connection(self) -> apsw.Connection:
        """Return the connection to the database."""
        return self.database.connection

    def is_served(self) -> bool:
        """Return whether a server has the queue now."""
        if not self.lock.take():
            return True
        self.lock.release()
        return False


@contextmanager
def opened_queue(config: Config) -> Iterator[OpenedQueue]:
    """Open the queue of a configuration, as the user who owns it. Raises CommandError, OSError."""
    folder = str(config.queue_folder)
    with server_user_of(config.state).acting():
        _look(folder)
        try:
            database = open_database(folder)
        except SpoolUnusable as error:
            raise CommandError(str(error)) from None
        except apsw.Error as error:
            raise CommandError(_damaged(folder, error)) from None
        try:
            yield OpenedQueue(config, database, QueueLock(folder))
        except apsw.Error as error:
            raise CommandError(_damaged(folder, error)) from None
        finally:
            database.close()


def _look(folder: str) -> None:
    """Raise OSError where it is not allowed to look for the database: that is not to have none."""
    with suppress(FileNotFoundError):
        os.stat(os.path.join(folder, NAME))


def _damaged(folder: str, error: apsw.Error) -> str:
    if isinstance(error, apsw.FullError):
        return f"there is no room on the disk of {folder} to say it: make some, nothing is damaged"
    if isinstance(error, apsw.ReadOnlyError):
        return f"the queue in {folder} cannot be written: {error}; nothing is altered"
    if isinstance(error, apsw.BusyError):
        return f"another program keeps the queue in {folder} busy: {error}; nothing is altered"
    is_damage = isinstance(error, (*DAMAGED, apsw.SQLError))
    cure = " (twisted-mail queue repair, with the server stopped)" if is_damage else ""
    return f"the queue in {folder} cannot be read: {error}{cure}"


def now() -> float:
    """Return seconds since 1970."""
    return time.time()
