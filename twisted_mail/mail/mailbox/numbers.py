"""Sets of message numbers (RFC 3501 §9, sequence-set).

A set is kept as ranges, so ``1:4294967295`` costs nothing; ``STAR`` stands for ``*``, the number that is
the highest when the set is used.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

STAR = 0  # no message has the number 0, so it can stand for "*"
MAX_NUMBER = 2**32 - 1
_RANGE = re.compile(r"(\*|[1-9][0-9]{0,9})(?::(\*|[1-9][0-9]{0,9}))?")
_SINGLE = re.compile(r"[1-9][0-9]{0,8}(?:,[1-9][0-9]{0,8})*")

Range = tuple[int, int]  # first and last, both included


class NumberSet(NamedTuple):
    """Ranges as they were written, in that order; either end may be ``STAR``.

    One that ``is_single`` is known to be one number, which means the same whatever is the highest.
    """

    ranges: tuple[Range, ...]
    is_single: bool = False

    def resolved(self, highest: int) -> list[Range]:
        """Return ascending, disjoint ranges with ``*`` taken as ``highest``.

        ``9:*`` always includes ``highest``, whichever is larger (RFC 3501 §6.4.8).
        """
        pairs = [(first or highest, last or highest) for first, last in self.ranges]
        ascending = [(one, two) if one <= two else (two, one) for one, two in pairs]
        return merged(ascending) if len(ascending) > 1 else ascending


def parse(text: str) -> NumberSet:
    """Read a sequence set. Raises ValueError."""
    if _SINGLE.fullmatch(text):  # the longest sets are of these, ten thousand in a line
        return NumberSet(tuple([(number, number) for number in map(int, text.split(","))]))
    return NumberSet(tuple(_parse_range(part) for part in text.split(",")))


def _parse_range(text: str) -> Range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError("malformed set of numbers")
    first = _parse_number(match[1])
    return first, first if match[2] is None else _parse_number(match[2])


def _parse_number(text: str) -> int:
    number = STAR if text == "*" else int(text)
    if number > MAX_NUMBER:
        raise ValueError("a number of the set is too large")
    return number


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Return ascending, disjoint ranges that cover the same numbers."""
    result: list[Range] = []
    begin, end = 0, -1  # of the last range of the result, which is not in it yet
    for first, last in sorted(ranges):
        if first > end + 1:
            if end >= 0:
                result.append((begin, end))
            begin, end = first, last
        elif last > end:
            end = last
    if end >= 0:
        result.append((begin, end))
    return result


def format_ranges(ranges: Sequence[Range]) -> str:
    """Write ranges as a sequence set."""
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in ranges)
