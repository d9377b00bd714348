"""The criteria of RFC 3501 §6.4.4, as values that narrow the rows of the candidates.

Groups of them are in ``groups``; those that extensions bring are in ``imap.extensions``.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from twisted_mail.imap.bulk_column import HEADER
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.search.evaluation import (
    COLUMN,
    FREE,
    LOADED,
    TEXT,
    Rows,
    SearchCandidates,
    SearchEvaluator,
    rows_in,
)
from twisted_mail.mail import dates
from twisted_mail.mail.mailbox.entry import Contains, RenderedItems
from twisted_mail.mail.mailbox.numbers import NumberSet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_DAY = 86400  # seconds
_FEW_HITS = 16  # up to one in so many messages, hits are cheaper found one by one


@dataclass(frozen=True, slots=True)
class InNumberSet:
    """Messages in a set of sequence numbers, or of UIDs."""

    cost: ClassVar[int] = FREE
    depth: ClassVar[int] = 0
    numbers: NumberSet
    is_uid: bool

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        return rows_in(rows, self._named(search.candidates))

    def _named(self, candidates: SearchCandidates) -> Collection[int]:
        """Return the rows that the set names; numbers that nothing has are passed over."""
        named = candidates.uids if self.is_uid else candidates.numbers
        ranges = [
            range(bisect_left(named, first), bisect_right(named, last))
            for first, last in self.numbers.resolved(candidates.highest[self.is_uid])
        ]
        return ranges[0] if len(ranges) == 1 else {row for one in ranges for row in one}


@dataclass(frozen=True, slots=True)
class HasFlag:
    """Messages with a flag or keyword, which is spelled in lower case here."""

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    flag: str

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        good = await search.sets_with(self.flag)
        flags = search.candidates.flags
        return [row for row in rows if flags[row] in good] if good else []


@dataclass(frozen=True, slots=True)
class IsRecent:
    r"""Messages that are \Recent in this session."""

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        uids = search.candidates.uids
        return [row for row in rows if search.is_recent(uids[row])]


@dataclass(frozen=True, slots=True)
class SizeBetween:
    """Messages of ``first`` octets up to but not including ``end``."""

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    first: int = 0
    end: int = 2**63

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        await search.measure(rows)
        sizes = search.candidates.sizes
        return [row for row in rows if self.first <= sizes[row] < self.end]


@dataclass(frozen=True, slots=True)
class ArrivedBetween:
    """Messages whose internal date is on the day ``first`` up to but not including ``end``.

    Days are proleptic Gregorian ordinals, so the day after the last one can be named too.
    """

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    first: int = 0
    end: int = 2**32

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        await search.measure(rows)
        start, stop = (self.first - _EPOCH) * _DAY, (self.end - _EPOCH) * _DAY
        internal_dates = search.candidates.dates
        return [row for row in rows if start <= internal_dates[row] < stop]


@dataclass(frozen=True, slots=True)
class SentBetween:
    """Messages whose Date field names a day from ``first`` up to but not including ``end``."""

    cost: ClassVar[int] = LOADED
    depth: ClassVar[int] = 0
    first: int = 0
    end: int = 2**32

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it; a message's day is read once a search."""
        sent = search.candidates.sent_days
        unread = [row for row in rows if row not in sent]
        days = await search.load(HEADER, unread, sent_day)
        sent.update(zip(unread, days, strict=True))
        return [
            row for row in rows if (day := sent[row]) is not None and self.first <= day < self.end
        ]


def sent_day(items: RenderedItems) -> int | None:
    """Return the day, as an ordinal, that a rendered ENVELOPE's date names in its own zone."""
    reader = Reader(items.envelope)
    reader.take(b"(")
    value = reader.nstring()
    sent = None if value is None else dates.parse_mail_date(value)
    return None if sent is None else sent.toordinal()


@dataclass(frozen=True, slots=True)
class ContainsText:
    """Messages that hold a substring."""

    cost: ClassVar[int] = TEXT
    depth: ClassVar[int] = 0
    what: Contains

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        uids = search.candidates.uids
        asked = uids if len(rows) == len(uids) else [uids[row] for row in rows]
        hits = await search.mailbox.matching(asked, self.what)
        if len(hits) < len(rows) // _FEW_HITS:
            return sorted([bisect_left(uids, uid) for uid in hits])
        return [row for row in rows if uids[row] in hits]
