"""Reading the queue's database, in a lane of its own."""

from collections.abc import Callable
from typing import TypeVar

import apsw

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.spool.database import DAMAGED, SpoolDatabase
from twisted_mail.queue.spool.place import SpoolPlace

T = TypeVar("T")


class SpoolConnection:
    """A connection that one lane uses, opened when it is needed, and anew for another database."""

    def __init__(self, place: SpoolPlace) -> None:
        self._place = place
        self._database: SpoolDatabase | None = None
        self._generation = -1

    def get(self) -> apsw.Connection:
        """Return the connection. Raises apsw.Error."""
        if self._database is None or self._generation != self._place.generation:
            self.close()
            self._generation = self._place.generation
            self._database = self._place.connect(is_reader=True)
        return self._database.connection

    def close(self) -> None:
        """Close it; harmless when it is not open."""
        if self._database is not None:
            self._database.close()
            self._database = None


class ReadingLane:
    """Runs queries, one at a time. ``run`` belongs to the reactor thread."""

    def __init__(self, place: SpoolPlace, lane: Blocking) -> None:
        self._place = place
        self._lane = lane
        self.connection = SpoolConnection(place)

    async def run(self, query: Callable[..., T], *args: object) -> T:
        """Return what ``query`` returns for a connection and ``args``.

        Raises Unavailable for what SQLite and the disk raise; a damaged database is raised as it is.
        """
        return await self._lane.run(self._query, query, *args)

    def _query(self, query: Callable[..., T], *args: object) -> T:
        try:
            return query(self.connection.get(), *args)
        except DAMAGED:
            raise
        except (apsw.Error, OSError) as error:
            self._place.report_fault(self._place.path, error)
            raise Unavailable("The queue cannot be read now; try again later.") from error

    async def close(self) -> None:
        """Close the connection after all queries."""
        await self._lane.run(self.connection.close)
