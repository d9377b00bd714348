"""What the queue's database needs now and then, away from the lane that commits."""

import apsw

from twisted_mail.interfaces import Blocking
from twisted_mail.queue.spool.database import LOG_MOST
from twisted_mail.queue.spool.place import SpoolPlace
from twisted_mail.queue.spool.reading_lane import ReadingLane
from twisted_mail.queue.spool.room import FreeSpace
from twisted_mail.queue.spool.writing_lane import WritingLane

LOGGED = 256  # pages of the log, from which they are put in their places in a second thread
LONG_LOG = 32768  # pages of the log, from which it is said that somebody keeps them from that
GROWS = "the log grows: another program reads the database, or writes into it, and does not end"
FREE_PAGES = 2560  # that the file keeps for what comes next
STEP = 512  # pages that it gives back at a time


class LogGrows(Exception):
    """What the log of the server has of one of the database that grows without bound."""


class SpoolUpkeep:
    """Checkpoints, the room that a backlog has left, the ballast, and the check after a crash.

    Belongs to the reactor thread.
    """

    def __init__(
        self, place: SpoolPlace, space: FreeSpace, writing: WritingLane, blocking: Blocking
    ) -> None:
        self._place = place
        self._space = space
        self._writing = writing
        self._blocking = blocking
        self._second = ReadingLane(place, blocking.lane())
        self._is_checked = False

    async def tend(self) -> None:
        """Do what is to be done. Raises Unavailable, and apsw's error for a damaged database."""
        await self._writing.look()
        if self._writing.logged >= LOGGED:
            await self._second.run(_checkpoint)
            if (
                self._writing.logged >= LOG_MOST
            ):  # and never begins anew, while mail comes all the time
                await self._writing.tend(_checkpoint)
        if self._writing.logged >= LONG_LOG:
            self._place.report_fault(f"{self._place.path}-wal", LogGrows(GROWS))
        if await self._second.run(_has_much_free):
            await self._writing.tend(_give_back)
        await self._blocking.run(self._take_ballast)
        await self._check()

    def _take_ballast(self) -> None:
        try:
            self._space.take_ballast()
        except OSError as error:
            self._place.report_fault(self._space.ballast, error)

    async def _check(self) -> None:
        """After an unclean end, read all of the database once."""
        if self._place.was_unclean and not self._is_checked:
            self._is_checked = True
            await self._second.run(_check)

    async def close(self) -> None:
        """Close the connection."""
        await self._second.close()


def _checkpoint(connection: apsw.Connection) -> None:
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)


def _has_much_free(connection: apsw.Connection) -> bool:
    free: int = connection.pragma("freelist_count")
    return free > FREE_PAGES


def _give_back(connection: apsw.Connection) -> None:
    connection.pragma("incremental_vacuum", STEP)


def _check(connection: apsw.Connection) -> None:
    """Raises apsw.CorruptError if the database is damaged."""
    found = connection.pragma("quick_check")
    if found != "ok":
        raise apsw.CorruptError(str(found))
