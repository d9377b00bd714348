"""The queue's database, opened by a command: with the server running, or stopped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import apsw

from twisted_mail.config import Config
from twisted_mail.control.checks.server_user import server_user_of
from twisted_mail.control.output import CommandError
from twisted_mail.queue.spool.database import SpoolDatabase, open_database
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
    """Open the queue of a configuration, as the user who owns it. Raises CommandError."""
    folder = str(config.queue_folder)
    with server_user_of(config.state).acting():
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


def _damaged(folder: str, error: apsw.Error) -> str:
    cure = (
        ""
        if isinstance(error, apsw.BusyError)
        else " (twisted-mail queue repair, with the server stopped)"
    )
    return f"the queue in {folder} cannot be read: {error}{cure}"


def now() -> float:
    """Return seconds since 1970."""
    return time.time()
