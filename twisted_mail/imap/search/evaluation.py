r"""Candidates: the messages among which SEARCH chooses, and the choosing.

What a session's client knows and the store still has is copied once into columns, so that the answer is
about one moment though the choosing waits for the store in between. Each criterion narrows a list of
rows, and is asked only about rows that cheaper criteria have left over.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Collection, MutableSequence, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from twisted_mail.imap.objectid import ObjectIdKind
from twisted_mail.imap.search.keys import (
    AllOf,
    AnyOf,
    ArrivedBetween,
    ContainsText,
    Criterion,
    HasFlag,
    HasObjectId,
    InNumberSet,
    IsRecent,
    Not,
    OlderOrYounger,
    SentBetween,
    SizeBetween,
)
from twisted_mail.interfaces import Mailbox
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, EntryColumns
from twisted_mail.mail.mailbox.flags import Flags

Rows = Sequence[int]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_DAY = 86400  # seconds
_BATCH = 100  # messages whose rendered items are read at a time
_MANY = 1000  # messages whose names are


@dataclass(slots=True)
class SearchCandidates:
    """Columns of the messages to choose from, in ascending order.

    ``numbers`` are sequence numbers; ``highest`` is the number and the UID that ``*`` stands for;
    ``sent`` keeps the days of Date fields once they were read.
    """

    numbers: Sequence[int]
    uids: Sequence[int]
    flags: Sequence[Flags]
    dates: MutableSequence[int]
    sizes: MutableSequence[int]
    highest: tuple[int, int]
    sent: dict[int, int | None] = field(default_factory=dict)


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
    go first; ``day_of`` reads the day of the Date field from a rendered ENVELOPE.
    """

    candidates: SearchCandidates
    mailbox: Mailbox
    is_recent: Callable[[int], bool]
    now: float
    turn: Callable[[], Awaitable[None]]
    day_of: Callable[[bytes], int | None]

    async def evaluate(self, criterion: Criterion) -> Rows:
        """Return the rows of the candidates that meet the criterion, ascending."""
        return await self._narrow(criterion, range(len(self.candidates.uids)))

    async def _narrow(self, criterion: Criterion, rows: Rows) -> Rows:
        if not rows:
            return rows
        await self.turn()
        match criterion:
            case AllOf(criteria):
                return await self._every(criteria, rows)
            case AnyOf(criteria):
                return await self._either(criteria, rows)
            case Not(inner):
                return _without(rows, await self._narrow(inner, rows))
            case SentBetween(first, end):
                return await self._sent(first, end, rows)
            case HasObjectId(letter, name):
                return await self._identified(letter, name, rows)
            case ContainsText():
                return await self._holding(criterion, rows)
            case SizeBetween() | ArrivedBetween() | OlderOrYounger():
                await self._measure(rows)
                return self._by_column(criterion, rows)
            case _:
                return self._by_column(criterion, rows)

    async def _measure(self, rows: Rows) -> None:
        """Learn dates and sizes that the store did not know before somebody asked."""
        columns, candidates_of = self.mailbox.columns, self.candidates
        unknown = [row for row in rows if candidates_of.dates[row] == UNKNOWN_DATE]
        if not unknown:
            return
        await self.mailbox.measure([candidates_of.uids[row] for row in unknown])
        for row in unknown:
            at = columns.row(candidates_of.uids[row])
            if at is not None:
                candidates_of.dates[row], candidates_of.sizes[row] = (
                    columns.dates[at],
                    columns.sizes[at],
                )

    async def _every(self, criteria: Sequence[Criterion], rows: Rows) -> Rows:
        for one in criteria:
            rows = await self._narrow(one, rows)
        return rows

    async def _either(self, criteria: Sequence[Criterion], rows: Rows) -> Rows:
        found: set[int] = set()
        rest = rows
        for one in criteria:
            hits = await self._narrow(one, rest)
            found.update(hits)
            rest = _without(rest, hits)
        return _only(rows, found)

    async def _sent(self, first: int, end: int, rows: Rows) -> Rows:
        sent = self.candidates.sent
        unread = [row for row in rows if row not in sent]
        for start in range(0, len(unread), _BATCH):
            await self._read_days(unread[start : start + _BATCH])
        return [row for row in rows if (day := sent[row]) is not None and first <= day < end]

    async def _read_days(self, rows: Rows) -> None:
        await self.turn()
        uids = [self.candidates.uids[row] for row in rows]
        for row, items in zip(rows, await self.mailbox.items(uids), strict=True):
            self.candidates.sent[row] = None if items is None else self.day_of(items.envelope)

    async def _identified(self, letter: ObjectIdKind, name: str, rows: Rows) -> Rows:
        hits: list[int] = []
        for start in range(0, len(rows) if name else 0, _MANY):
            await self.turn()
            some = rows[start : start + _MANY]
            names = await self._names(letter, [self.candidates.uids[row] for row in some])
            hits += [row for row, one in zip(some, names, strict=True) if one == name]
        return hits

    async def _names(self, letter: ObjectIdKind, uids: Sequence[int]) -> Sequence[str | None]:
        if letter is ObjectIdKind.THREAD:
            return await self.mailbox.threads(uids)
        return [one and one.email for one in await self.mailbox.identities(uids)]

    async def _holding(self, criterion: ContainsText, rows: Rows) -> Rows:
        uids = self.candidates.uids
        hits = await self.mailbox.matching([uids[row] for row in rows], criterion.what)
        return [row for row in rows if uids[row] in hits]

    def _by_column(self, criterion: Criterion, rows: Rows) -> Rows:
        columns = self.candidates
        match criterion:
            case InNumberSet():
                return _only(rows, _numbered(criterion, columns))
            case HasFlag(flag):
                good = {s for s in set(columns.flags) if flag in map(str.lower, s)}
                return [row for row in rows if columns.flags[row] in good] if good else []
            case IsRecent():
                return [row for row in rows if self.is_recent(columns.uids[row])]
            case SizeBetween(first, end):
                return [row for row in rows if first <= columns.sizes[row] < end]
            case ArrivedBetween(first, end):
                start, stop = (first - _EPOCH) * _DAY, (end - _EPOCH) * _DAY
                return [row for row in rows if start <= columns.dates[row] < stop]
            case _:
                return _aged(cast("OlderOrYounger", criterion), int(self.now), columns.dates, rows)


def _aged(criterion: OlderOrYounger, now: int, dates: Sequence[int], rows: Rows) -> Rows:
    """Choose by age; a message of just that age is both older and younger (RFC 5032 §2)."""
    limit = now - criterion.seconds
    if criterion.or_more:
        return [row for row in rows if dates[row] <= limit]
    return [row for row in rows if dates[row] >= limit]


def _numbered(criterion: InNumberSet, columns: SearchCandidates) -> Collection[int]:
    """Return the rows that a set names; numbers that nothing has are passed over."""
    named = columns.uids if criterion.is_uid else columns.numbers
    rows: list[range] = []
    for first, last in criterion.numbers.resolved(columns.highest[criterion.is_uid]):
        rows.append(range(bisect_left(named, first), bisect_right(named, last)))
    return rows[0] if len(rows) == 1 else {row for one in rows for row in one}


def _only(rows: Rows, wanted: Collection[int]) -> Rows:
    return [row for row in rows if row in wanted]


def _without(rows: Rows, unwanted: Rows) -> Rows:
    gone = set(unwanted)
    return [row for row in rows if row not in gone] if gone else rows
