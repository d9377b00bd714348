"""OLDER and YOUNGER, the search keys of RFC 5032."""

from dataclasses import dataclass
from typing import ClassVar

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.search.evaluation import COLUMN, Rows, SearchEvaluator
from twisted_mail.imap.search.key import SearchKey


@dataclass(frozen=True, slots=True)
class OlderOrYounger:
    """Messages that arrived that many seconds ago or more, or else or less.

    A message of just that age is both older and younger (RFC 5032 §2).
    """

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    seconds: int
    or_more: bool

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        await search.measure(rows)
        dates, limit = search.candidates.dates, int(search.now) - self.seconds
        if self.or_more:
            return [row for row in rows if dates[row] <= limit]
        return [row for row in rows if dates[row] >= limit]


EXTENSION = Extension(
    "WITHIN",
    capabilities=(Capability("WITHIN"),),
    search_keys=(
        SearchKey("OLDER", lambda arguments: OlderOrYounger(arguments.nonzero(), or_more=True)),
        SearchKey("YOUNGER", lambda arguments: OlderOrYounger(arguments.nonzero(), or_more=False)),
    ),
)
