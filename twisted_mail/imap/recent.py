r"""Which messages are \Recent for one session (RFC 3501 §2.3.2): a few ranges of UIDs."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from twisted_mail.mail.mailbox.numbers import Range


class RecentRanges:
    """Ascending, disjoint ranges, to which only higher ones are added; ``ranges`` is to be read."""

    __slots__ = ("ranges",)

    def __init__(self) -> None:
        self.ranges: list[Range] = []

    def add(self, first: int, last: int) -> None:
        """Add the UIDs from ``first`` to ``last``, both included; none if ``last`` is lower."""
        if last < first:
            return
        if self.ranges and self.ranges[-1][1] >= first - 1:
            first = min(first, self.ranges.pop()[0])
        self.ranges.append((first, last))

    def __contains__(self, uid: int) -> bool:
        for first, last in reversed(self.ranges):
            if first <= uid:
                return uid <= last
        return False

    def count(self, uids: Sequence[int]) -> int:
        """Return how many of the ascending ``uids`` are recent."""
        return sum(
            bisect_right(uids, last) - bisect_left(uids, first) for first, last in self.ranges
        )
