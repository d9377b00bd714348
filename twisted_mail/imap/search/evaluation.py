r"""Evaluation: the messages among which SEARCH chooses, and the choosing.

What a session's client knows and the store still has is copied once into columns, so that the answer is
about one moment though the choosing waits for the store in between. Each criterion narrows a list of
rows, and is asked only about rows that cheaper criteria have left over.
"""

from collections.abc import Awaitable, Callable, Collection, MutableSequence, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from twisted_mail.imap.bulk_column import BulkColumn
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE
from twisted_mail.mail.mailbox.entry_columns import EntryColumns
from twisted_mail.mail.mailbox.flags import Flags

T = TypeVar("T")
Rows = Sequence[int]

# What finding out costs: nothing, a column, what the store must look up, the message's text.
FREE, COLUMN, LOADED, TEXT = range(4)

_LARGE_AT_A_TIME = 100  # messages whose values of a bulk column are loaded together
_SMALL_AT_A_TIME = 1000
_SETS_AT_A_TIME = 100  # of flags, each of as many keywords as a message can have


class Criterion(Protocol):
    """What a message must be to be found: a value, compared and hashed as one.

    ``cost`` is one of the constants above; ``depth`` is 0 but for groups of criteria.
    """

    @property
    def cost(self) -> int:
        """Return what finding out costs."""

    @property
    def depth(self) -> int:
        """Return how deep other criteria are nested in it."""

    async def narrow(self, search: "SearchEvaluator", rows: Rows) -> Rows:
        """Return those of the rows whose messages meet the criterion, ascending as they come."""


@dataclass(slots=True)
class SearchCandidates:
    """Columns of the messages to choose from, in ascending order.

    ``numbers`` are sequence numbers; ``highest`` is the number and the UID that ``*`` stands for;
    ``sent_days`` keeps the days of Date fields once they were read.
    """

    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[Flags]
    dates: MutableSequence[int]
    sizes: MutableSequence[int]
    highest: tuple[int, int]
    sent_days: dict[int, int | None] = field(default_factory=dict)


def candidates_of(uids: Sequence[int], columns: EntryColumns) -> SearchCandidates:
    """Copy what is in both: the UIDs that the client knows, and the store's columns."""
    highest = (len(uids), uids[-1]) if uids else (0, 0)
    if uids == columns.uids:
        return SearchCandidates(
            range(1, len(uids) + 1),
            columns.uids[:],
            columns.flags[:],
            columns.dates[:],
            columns.sizes[:],
            highest,
        )
    row_of = {uid: row for row, uid in enumerate(columns.uids)}
    pairs = [(number, row_of[uid]) for number, uid in enumerate(uids, 1) if uid in row_of]
    rows = [row for _, row in pairs]
    return SearchCandidates(
        [number for number, _ in pairs],
        [columns.uids[row] for row in rows],
        [columns.flags[row] for row in rows],
        [columns.dates[row] for row in rows],
        [columns.sizes[row] for row in rows],
        highest,
    )


@dataclass(slots=True)
class SearchEvaluator:
    """Narrows candidates by criteria.

    ``is_recent`` answers for a UID; ``now`` is in seconds since 1970; ``turn`` lets other connections
    go first.
    """

    candidates: SearchCandidates
    mailbox: Mailbox
    is_recent: Callable[[int], bool]
    now: float
    turn: Callable[[], Awaitable[None]]
    _sets: list[Flags] | None = None  # the different sets of flags of the candidates
    _spellings: dict[str, set[str]] = field(default_factory=dict)  # of each flag, by lower case

    async def evaluate(self, criterion: Criterion) -> Rows:
        """Return the rows of the candidates that meet the criterion, ascending.

        Messages of which that cannot be found out, for their files' faults or since they went away in
        the meantime, are left out, whatever is asked: also where ``NOT`` would find what a criterion did
        not.
        """
        rows = await self.narrow(criterion, range(len(self.candidates.uids)))
        faulty, uids = self.mailbox.faulty, self.candidates.uids
        if faulty:
            rows = [row for row in rows if uids[row] not in faulty]
        return self._present(rows)

    def _present(self, rows: Rows) -> Rows:
        """Return the rows of the messages that are still there."""
        uids, columns = self.candidates.uids, self.mailbox.columns
        if not rows or len(columns.rows_between(uids[0], uids[-1])) == len(uids):
            return rows
        return [row for row in rows if columns.row(uids[row]) is not None]

    async def narrow(self, criterion: Criterion, rows: Rows) -> Rows:
        """Return those of the rows that meet a criterion; other connections go first."""
        if not rows:
            return rows
        await self.turn()
        return await criterion.narrow(self, rows)

    async def sets_with(self, name: str) -> frozenset[Flags]:
        """Return the sets of flags that have a flag or keyword, which is spelled in lower case.

        There are few in most mailboxes; where there are thousands, each name in them is looked at once.
        """
        if self._sets is None:
            self._sets = await self._learn_flags()
        names = self._spellings.get(name)
        if names is None:
            return frozenset()
        return frozenset([one for one in self._sets if not names.isdisjoint(one)])

    async def _learn_flags(self) -> list[Flags]:
        sets = list(dict.fromkeys(self.candidates.flags))
        known: set[str] = set()
        for start in range(0, len(sets), _SETS_AT_A_TIME):
            await self.turn()
            known.update(*sets[start : start + _SETS_AT_A_TIME])
        for name in known:
            self._spellings.setdefault(name.lower(), set()).add(name)
        return sets

    async def measure(self, rows: Rows) -> None:
        """Learn dates and sizes that the store did not know before they were asked for."""
        columns, candidates = self.mailbox.columns, self.candidates
        unknown = [row for row in rows if candidates.dates[row] == UNKNOWN_DATE]
        if not unknown:
            return
        await self.mailbox.measure([candidates.uids[row] for row in unknown])
        for row in unknown:
            at = columns.row(candidates.uids[row])
            if at is not None:
                candidates.dates[row], candidates.sizes[row] = columns.dates[at], columns.sizes[at]

    async def load(
        self, column: BulkColumn, rows: Rows, extract: Callable[[Any], T]
    ) -> list[T | None]:
        """Return what ``extract`` takes of a bulk column's values; None where a message is gone.

        Values are loaded few at a time, so only what was extracted of them is held.
        """
        found: list[T | None] = []
        step = _LARGE_AT_A_TIME if column.are_large else _SMALL_AT_A_TIME
        for start in range(0, len(rows), step):
            await self.turn()
            uids = [self.candidates.uids[row] for row in rows[start : start + step]]
            values = await column.ask(self.mailbox, uids)
            found += [None if value is None else extract(value) for value in values]
        return found


def rows_in(rows: Rows, wanted: Collection[int]) -> Rows:
    """Return those of the rows that are wanted."""
    return [row for row in rows if row in wanted]
