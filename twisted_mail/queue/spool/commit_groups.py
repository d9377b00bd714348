"""Group commit: whatever gathers while the database is busy goes into one transaction, and one sync."""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

import apsw

from twisted_mail.interfaces import Blocking, FaultReport
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob
from twisted_mail.queue.spool.bodies import StoredBody
from twisted_mail.queue.spool.database import DAMAGED, TROUBLE, SpoolDatabase
from twisted_mail.queue.spool.room import NO_ROOM, FreeSpace
from twisted_mail.queue.spool.writing import JobWriter, Tally

MAX_WRITES = 1000  # in one transaction
_TROUBLE = "The queue cannot be written now; try again later."


class SpoolWrite:
    """Something that is written: a function of the writer and of the bodies of ``new`` jobs.

    It may be called again, if the transaction of its group was undone. ``store`` makes the bodies
    before the transaction; one that ``takes_room`` is refused when the disk is full.
    """

    __slots__ = (
        "_new",
        "_store",
        "_write",
        "bodies",
        "failure",
        "is_begun",
        "is_done",
        "takes_room",
    )

    def __init__(
        self,
        write: Callable[[JobWriter, Sequence[StoredBody]], None],
        new: Sequence[NewJob] = (),
        store: Callable[[NewJob], StoredBody] | None = None,
        takes_room: bool = False,
    ) -> None:
        self._write = write
        self._new = new
        self._store = store
        self.takes_room = takes_room
        self.bodies: Sequence[StoredBody] = ()
        self.failure: BaseException | None = None
        self.is_begun = False
        self.is_done = False

    def prepare(self) -> None:
        """Do what needs no transaction. What it raises is raised to whoever waits."""
        if self._store is not None:
            self.bodies = [self._store(new) for new in self._new]

    def write(self, writer: JobWriter) -> None:
        """Write it. What it raises is raised to whoever waits, and nothing of it stays."""
        self._write(writer, self.bodies)


class CommitGroups:
    """Commits writes, one group at a time. ``run`` belongs to the reactor thread, the rest to the lane's.

    ``mend`` is called when the database turns out to be damaged, and returns another one, and what is
    in it; it raises Unavailable. ``total`` counts what was committed, and ``logged`` is how many pages
    the log had after that; other threads may read them.
    """

    def __init__(
        self,
        lane: Blocking,
        space: FreeSpace,
        mend: Callable[[apsw.Error], tuple[SpoolDatabase, Tally]],
        report_fault: FaultReport,
    ) -> None:
        self._lane = lane
        self._space = space
        self._mend = mend
        self._report_fault = report_fault
        self._gathered: deque[SpoolWrite] = deque()
        self._damage: apsw.Error | None = None  # of a database that could not be mended yet
        self.total = Tally()
        self.logged = 0

    def use(self, database: SpoolDatabase, total: Tally) -> None:
        """Write into this database from now on, in which there is so much."""
        self._database = database
        self._writer = JobWriter(database.connection)
        self.total = total
        database.connection.set_wal_hook(self._note_log)

    def _note_log(self, connection: apsw.Connection, name: str, pages: int) -> int:
        self.logged = pages
        return apsw.SQLITE_OK

    @property
    def connection(self) -> apsw.Connection:
        """Return the connection that writes; used in the lane's thread."""
        return self._database.connection

    @property
    def has_moved(self) -> bool:
        """Return whether somebody has moved or removed the database; used in the lane's thread."""
        return self._database.has_moved

    def close(self) -> None:
        """Close the database. In the lane's thread."""
        self._database.close()

    async def run(self, write: SpoolWrite) -> None:
        """Write something, durably. Raises Unavailable, and what the write itself raises."""
        self._gathered.append(write)
        try:
            await self._lane.run(self._finish, write)
        except Unavailable:
            if not write.is_begun:  # and never will be: no thread took it
                with suppress(ValueError):
                    self._gathered.remove(write)
            # An earlier write's group may have had it along before its own turn was refused.
            if not write.is_done or write.failure is not None:
                raise

    # ------------------------------------------------------------ in the lane's thread

    def _finish(self, write: SpoolWrite) -> None:
        """Commit a group, unless an earlier one had this write along; raise what became of it."""
        if not write.is_begun:
            self._commit_group()
        if write.failure is not None:
            raise write.failure

    def _commit_group(self) -> None:
        writes: list[SpoolWrite] = []
        while self._gathered and len(writes) < MAX_WRITES:
            writes.append(self._gathered.popleft())
            writes[-1].is_begun = True
        try:
            self._commit([write for write in writes if self._is_prepared(write)])
        except BaseException as error:
            _fail(writes, error)
            raise
        finally:
            for write in writes:
                write.is_done = True

    def _is_prepared(self, write: SpoolWrite) -> bool:
        try:
            write.prepare()
        except Exception as error:
            write.failure = error
        return write.failure is None

    def replace_damaged(self, error: apsw.Error) -> None:
        """Have the database mended. Raises Unavailable: then it is tried again at the next commit."""
        self.close()
        self._damage = error
        self.use(*self._mend(error))
        self._damage = None

    def _commit(self, writes: Sequence[SpoolWrite]) -> None:
        if self._damage is not None:
            self.replace_damaged(self._damage)
        try:
            self._commit_together(writes)
        except apsw.FullError as error:
            self._report_fault(self._database.path, error)
            self._commit_without_room(writes)
        except DAMAGED as error:
            self.replace_damaged(error)
            whole = [write for write in writes if self._is_prepared(write)]  # bodies are set aside
            self._commit_or_fail(whole, is_apart=True)
        except TROUBLE as error:
            self._failed(writes, error)
        except Exception:  # of one of them: the others are to be written all the same
            self._commit_or_fail(writes, is_apart=True)

    def _commit_or_fail(self, writes: Sequence[SpoolWrite], is_apart: bool = False) -> None:
        try:
            self._commit_together(writes, is_apart)
        except (*TROUBLE, *DAMAGED) as error:
            self._failed(writes, error)

    def _commit_together(self, writes: Sequence[SpoolWrite], is_apart: bool = False) -> None:
        if not writes:
            return
        tally = self._writer.tally = Tally()
        with self._database.transaction() as connection:
            for write in writes:
                if is_apart:
                    self._write_apart(connection, write)
                else:
                    write.write(self._writer)
        self.total.add(tally)

    def _write_apart(self, connection: apsw.Connection, write: SpoolWrite) -> None:
        """Write one thing so that nothing of it stays if it fails."""
        before = replace(self._writer.tally, files=[*self._writer.tally.files])
        connection.execute("SAVEPOINT one")
        try:
            write.write(self._writer)
        except (*TROUBLE, *DAMAGED):
            raise
        except Exception as error:
            connection.execute("ROLLBACK TO one")
            self._writer.tally.become(before)
            write.failure = error
        connection.execute("RELEASE one")

    def _commit_without_room(self, writes: Sequence[SpoolWrite]) -> None:
        """Note what needs hardly any room, once some was made, and refuse the rest."""
        refused = [write for write in writes if write.takes_room]
        _fail(refused, Unavailable(NO_ROOM))
        try:
            self._space.give_up_ballast()
        except OSError as error:
            self._report_fault(self._space.ballast, error)
        self._commit_or_fail([write for write in writes if not write.takes_room], is_apart=True)

    def _failed(self, writes: Sequence[SpoolWrite], error: apsw.Error) -> None:
        self._report_fault(self._database.path, error)
        is_full = isinstance(error, apsw.FullError)
        _fail(writes, Unavailable(NO_ROOM if is_full else _TROUBLE))


def _fail(writes: Sequence[SpoolWrite], error: BaseException) -> None:
    for write in writes:
        if write.failure is None:
            write.failure = error
