"""Where the queue is on disk, and how its database is opened: whole, mended, or as a crash left it."""

import os
from dataclasses import dataclass

import apsw

from twisted_mail.interfaces import Clock, DurableFiles, FaultReport
from twisted_mail.queue.spool import reader
from twisted_mail.queue.spool.bodies import FOLDER as BODIES
from twisted_mail.queue.spool.bodies import BodyFolder
from twisted_mail.queue.spool.database import DAMAGED, NAME, SpoolDatabase
from twisted_mail.queue.spool.mending.salvage import finish_salvage, salvage
from twisted_mail.queue.spool.settings import SpoolSettings
from twisted_mail.queue.spool.writing import JobWriter, Tally


class QueueDamaged(Exception):
    """What the log has of a queue that was damaged."""


@dataclass(slots=True)
class SpoolPlace:
    """The folder of the queue. Methods block; they raise OSError, apsw.Error.

    ``generation`` counts how often another database took the place of a damaged one; connections of an
    earlier one are of no use. ``was_unclean``: the last process that had the queue did not close it.
    """

    folder: str
    files: DurableFiles
    clock: Clock
    report_fault: FaultReport
    settings: SpoolSettings
    generation: int = 0
    was_unclean: bool = False

    @property
    def path(self) -> str:
        """Return the path of the database."""
        return os.path.join(self.folder, NAME)

    @property
    def bodies(self) -> BodyFolder:
        """Return the folder of large bodies."""
        return BodyFolder(self.folder, self.files, self.settings.inline)

    def connect(self, is_reader: bool = False) -> SpoolDatabase:
        """Open one more connection to the database."""
        return SpoolDatabase(self.path, self.settings.vfs, is_reader)

    def open(self) -> tuple[SpoolDatabase, Tally]:
        """Open the database to write into it, without what a crash has left; mend it if need be.

        Raises SpoolUnusable, too.
        """
        self.files.make_folder(self.folder)
        self.bodies.make()
        finish_salvage(self.folder, self.files, self.clock.now())
        self.was_unclean = _has_content(self.path + "-wal")
        if not _has_content(self.path):
            self._keep_bodies()
        try:
            return self._open()
        except (*DAMAGED, apsw.SQLError) as error:
            return self.mend(error)

    def _keep_bodies(self) -> None:
        """Set the bodies aside where there is no database: then nobody knows whether they are needed."""
        if self.files.names(self.bodies.path):
            aside = os.path.join(self.folder, f"damaged-{int(self.clock.now())}")
            self.bodies.set_aside(os.path.join(aside, BODIES), lambda name: False)
            text = f"the database is gone, and a new one begins; large messages are in {aside}"
            self.report_fault(self.path, QueueDamaged(text))

    def _open(self) -> tuple[SpoolDatabase, Tally]:
        database = self.connect()
        try:
            with database.transaction() as connection:
                JobWriter(connection).drop_prepared()
            total = reader.count(database.connection)
            self._sweep(database)
        except BaseException:
            database.close()
            raise
        return database, total

    def _sweep(self, database: SpoolDatabase) -> None:
        """Remove the bodies of no job."""
        connection = database.connection
        self.bodies.sweep(lambda name: reader.has_file(connection, name))

    def mend(self, error: apsw.Error) -> tuple[SpoolDatabase, Tally]:
        """Put what can be read of a damaged database in its place; nobody writes meanwhile."""
        self.report_fault(self.path, error)
        now = self.clock.now()
        if finish_salvage(self.folder, self.files, now) is None:  # of an attempt that failed
            salvaged = salvage(self.folder, self.files, now)
            self.report_fault(self.path, QueueDamaged(str(salvaged)))
        self.generation += 1
        database = self.connect()
        return database, reader.count(database.connection)


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False
