"""Writing into the queue: bodies first, then one transaction for all that has gathered."""

import errno
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import apsw

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import NewJob
from twisted_mail.queue.spool import reader
from twisted_mail.queue.spool.bodies import StoredBody
from twisted_mail.queue.spool.body_files import BodyFiles
from twisted_mail.queue.spool.commit_groups import CommitGroups, SpoolWrite
from twisted_mail.queue.spool.database import SpoolDatabase
from twisted_mail.queue.spool.place import SpoolPlace
from twisted_mail.queue.spool.room import ID_TAKEN, MIN_INODES, NO_ROOM, TOO_MANY, FreeSpace
from twisted_mail.queue.spool.writing import IdTaken, JobGone, JobWriter, Tally

OPENING_SECONDS = 10.0  # that mail which comes while the queue is opened waits for that
_LOOK_SECONDS = 0.02  # between two looks whether it is open
_TROUBLE = "The message cannot be stored now; try again later."


class WritingLane:
    """The one lane that writes. ``run`` belongs to the reactor thread, what is private to the lane's."""

    def __init__(self, place: SpoolPlace, space: FreeSpace, blocking: Blocking) -> None:
        self._place = place
        self._space = space
        self._bodies = place.bodies
        self._files = BodyFiles(place, blocking)
        self._blocking = blocking
        self._lane = blocking.lane()
        self._groups = CommitGroups(self._lane, space, self._mend, place.report_fault)
        self._is_open = self._is_opening = False
        self._has_moved = False  # the database, from its name

    @property
    def total(self) -> Tally:
        """Return what is kept, and which files are not needed any more."""
        return self._groups.total

    @property
    def logged(self) -> int:
        """Return how many pages the log has; some may be in their places already."""
        return self._groups.logged

    async def start(self, first: Callable[[], None]) -> None:
        """Open the queue, after something that is done first. Raises what that does.

        Raises SpoolUnusable and Unavailable, too. What is written meanwhile waits.
        """
        self._is_opening = True
        try:
            await self._blocking.run(first)
            await self._lane.run(self._start)
            self._is_open = True
        finally:
            self._is_opening = False

    def _start(self) -> None:
        try:
            self._groups.use(*self._place.open())
        except (OSError, apsw.Error) as error:
            self._place.report_fault(self._place.path, error)
            raise Unavailable("The queue cannot be opened now.") from error

    async def close(self) -> None:
        """Close the database, after all that is to be written."""
        self._is_open = False
        await self._lane.run(self._groups.close)

    # ------------------------------------------------------------ writing

    async def run(
        self,
        write: Callable[[JobWriter, Sequence[StoredBody]], None],
        new: Sequence[NewJob] = (),
        takes_room: bool = False,
    ) -> Sequence[StoredBody]:
        """Write something, with the bodies of new jobs, which are returned; durable on return.

        Raises Unavailable.
        """
        await self._opened()
        stored: dict[str, StoredBody] = {}
        piece = SpoolWrite(write, new, partial(self._body, stored, takes_room), takes_room)
        large = [one for one in new if self._bodies.is_large(one.message)]
        try:
            if large:
                await self._run(piece, large, stored, takes_room)
            else:
                await self._groups.run(piece)
        except (OSError, IdTaken, JobGone, Unavailable) as error:
            raise self._answer(error) from error
        if self.total.files:
            await self._files.remove_unneeded(self.total.files)
        return piece.bodies

    async def _run(
        self,
        piece: SpoolWrite,
        large: Sequence[NewJob],
        stored: dict[str, StoredBody],
        takes_room: bool,
    ) -> None:
        """Write the large bodies, then all; where it fails, nothing of it stays."""
        with self._files.using([one.job.id for one in large]):
            try:
                for one in large:
                    stored[one.job.id] = await self._store(one, takes_room)
                await self._groups.run(piece)
            except Exception as error:
                # Who is cancelled does not know whether it is written all the same.
                if piece.failure is not None or isinstance(error, OSError | IdTaken | Unavailable):
                    await self._files.remove([*stored])
                raise

    async def _store(self, new: NewJob, takes_room: bool) -> StoredBody:
        """Write a large body, in the place of one that no job has: what failed has left it."""
        try:
            return await self._blocking.run(self._body, {}, takes_room, new)
        except FileExistsError:
            await self._lane.run(self._remove_left, new.job.id)
        return await self._blocking.run(self._body, {}, takes_room, new)

    def _remove_left(self, id: str) -> None:
        """Remove a file that no job has. Raises IdTaken where one has it, or had until a moment ago."""
        try:
            is_taken = id in self.total.files or reader.has_job(self._groups.connection, id)
        except apsw.Error as error:
            self._place.report_fault(self._place.path, error)
            raise Unavailable(_TROUBLE) from error
        if is_taken:
            raise IdTaken(id)
        self._bodies.remove([id])

    async def _opened(self) -> None:
        """Return when the queue is open, at once or soon. Raises Unavailable."""
        clock = self._place.clock
        deadline = clock.monotonic() + OPENING_SECONDS
        while self._is_opening and clock.monotonic() < deadline:
            await clock.sleep(_LOOK_SECONDS)
        if not self._is_open:
            raise Unavailable("The queue is not open now.")

    def _body(self, stored: Mapping[str, StoredBody], takes_room: bool, new: NewJob) -> StoredBody:
        """Return the body of a new job, written if it is large. Raises Unavailable, IdTaken, OSError."""
        if takes_room:
            self._check_room()
        if new.job.id in stored:
            self._bodies.require(new.job.id)
            return stored[new.job.id]
        return self._bodies.store(new.job.id, new.message)

    def _check_room(self) -> None:
        if self._has_moved:
            raise Unavailable(_TROUBLE)
        if self.total.jobs >= self._place.settings.max_messages:
            raise Unavailable(TOO_MANY)
        if not self._space.is_enough(self._place.clock.monotonic()):
            self._report_little_room()
            raise Unavailable(NO_ROOM)

    def _report_little_room(self) -> None:
        least = self._place.settings.min_free >> 20
        text = f"less than {least} MiB or {MIN_INODES} files are left: no mail is taken in"
        self._place.report_fault(self._place.folder, OSError(errno.ENOSPC, text))

    def _answer(self, error: Exception) -> Unavailable:
        if isinstance(error, Unavailable):
            return error
        if isinstance(error, IdTaken):
            return Unavailable(ID_TAKEN)
        self._place.report_fault(self._place.folder, error)
        is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Unavailable(NO_ROOM if is_full else _TROUBLE)

    # ------------------------------------------------------------ damage and upkeep

    def _mend(self, error: apsw.Error) -> tuple[SpoolDatabase, Tally]:
        """Put another database in the place of a damaged one."""
        try:
            return self._place.mend(error)
        except (OSError, apsw.Error) as failure:
            self._place.report_fault(self._place.path, failure)
            raise Unavailable("The queue is damaged, and cannot be mended now.") from failure

    async def mend(self, generation: int, error: apsw.Error) -> None:
        """Mend the database that a reader found damaged, unless that was done since.

        Raises Unavailable.
        """
        await self._lane.run(self._mend_once, generation, error)

    def _mend_once(self, generation: int, error: apsw.Error) -> None:
        if generation == self._place.generation:
            self._groups.replace_damaged(error)

    async def look(self) -> None:
        """Look whether the database is still there: else no mail is taken in. Raises Unavailable."""
        await self.tend(self._look)

    def _look(self, _: apsw.Connection) -> None:
        self._has_moved = self._groups.has_moved
        if self._has_moved:
            text = "somebody has moved or removed it: no mail is taken in until the next start"
            self._place.report_fault(self._place.path, OSError(errno.ENOENT, text))

    async def tend(self, work: Callable[[apsw.Connection], None]) -> None:
        """Do something with the connection that is no transaction of a job's. Raises Unavailable."""
        await self._lane.run(self._tend, work)

    def _tend(self, work: Callable[[apsw.Connection], None]) -> None:
        try:
            work(self._groups.connection)
        except apsw.Error as error:
            self._place.report_fault(self._place.path, error)
            raise Unavailable(_TROUBLE) from error
