"""Who may use the file of a large body: each has one user at a time, from its writing to the commit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from twisted_mail.interfaces import Blocking
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.queue.spool.place import SpoolPlace
from twisted_mail.queue.spool.writing import IdTaken


class BodyFiles:
    """The files of large bodies, by the ids of their jobs. Reactor thread."""

    def __init__(self, place: SpoolPlace, blocking: Blocking) -> None:
        self._place = place
        self._blocking = blocking
        self._in_use: set[str] = set()

    @contextmanager
    def using(self, ids: Sequence[str]) -> Iterator[None]:
        """Let nobody else write or remove these files meanwhile. Raises IdTaken where somebody does."""
        if taken := self._in_use.intersection(ids):
            raise IdTaken(taken.pop())
        self._in_use.update(ids)
        try:
            yield
        finally:
            self._in_use.difference_update(ids)

    async def remove_unneeded(self, ids: list[str]) -> None:
        """Remove the files of jobs that are gone, and take their ids out of the list."""
        free = [id for id in ids if id not in self._in_use]
        with self.using(free):
            for id in free:
                ids.remove(id)
            await self.remove(free)

    async def remove(self, ids: Sequence[str]) -> None:
        """Remove the files of jobs that are not there, whose user is the caller.

        What is left where that fails is no job's: whoever has the same id next takes its place, and the
        next start removes it.
        """
        if ids:
            with suppress(Unavailable):
                await self._blocking.run(self._remove, ids)

    def _remove(self, ids: Sequence[str]) -> None:
        try:
            self._place.bodies.remove(ids)
        except OSError as error:
            self._place.report_fault(self._place.bodies.path, error)
