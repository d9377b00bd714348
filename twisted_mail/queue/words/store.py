"""The operator's words in the database of a running queue."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import apsw

from twisted_mail.interfaces import DamagedRecipient, SelectedPage
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.word import Word
from twisted_mail.queue.words import queries

T = TypeVar("T")


class Query(Protocol):
    """Runs a function on the connection that reads, in its lane. Raises Unavailable."""

    async def __call__(self, work: Callable[[apsw.Connection], T], /) -> T:
        """Return what the function does."""


class SpoolWords:
    """Fulfils ``interfaces.WordStore`` with ``DiskJobSpool.query``.

    Words that wait have an index of their own: where there are none, a look costs some microseconds,
    however large the queue is.
    """

    def __init__(self, query: Query) -> None:
        self._query = query

    async def words(self) -> Sequence[tuple[int, Word | None]]:
        """Return the words that are not answered yet."""
        return await self._query(queries.waiting_words)

    async def last_place(self) -> int:
        """Return the place of the recipient that came last."""
        return await self._query(queries.last_place)

    async def select(self, selection: Selection, now: float, after: int, last: int) -> SelectedPage:
        """Return the next recipients that filters select."""
        return await self._query(
            lambda connection: queries.selected_page(connection, selection, now, after, last)
        )

    async def damaged(self, selection: Selection, now: float) -> Sequence[DamagedRecipient]:
        """Return recipients that are damaged, and that filters mean."""
        return await self._query(lambda connection: queries.damaged(connection, selection, now))

    async def suspensions(self) -> Sequence[Suspension]:
        """Return what is suspended."""
        return await self._query(queries.suspensions)
