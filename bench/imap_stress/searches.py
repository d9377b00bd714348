"""Random search programs, each with a predicate: does a message meet it?.

A predicate is None where it cannot be known: the message is another's and nobody has seen it yet.
"""

import calendar
import email.utils
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.imap_stress.grammar import sequence_set
from bench.imap_stress.knowledge import Knowledge
from bench.imap_stress.samples import SAMPLES, WORDS, Sample

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY = 86_400
DEEPEST = 3
Meets = Callable[[int, int], bool | None]  # number, UID (0: not known)


@dataclass(frozen=True)
class Criterion:
    """A search key as it is sent, and what it means."""

    text: str
    meets: Meets


class Searches:
    """Makes criteria for a client that sees ``size`` messages."""

    def __init__(self, chance: random.Random, known: Knowledge, size: int) -> None:
        self._chance = chance
        self._known = known
        self._size = size
        self._simple = (
            self._numbers,
            self._size_of,
            self._sent,
            self._came,
            self._subject,
            self._in_text,
            self._field,
        )
        self._compound = (self._or, self._not, self._both)

    def criterion(self, depth: int = 0) -> Criterion:
        """Return one by chance, with others inside up to ``DEEPEST``."""
        if depth < DEEPEST and self._chance.random() < 0.2:
            return self._chance.choice(self._compound)(depth + 1)
        return self._chance.choice(self._simple)()

    # ------------------------------------------------------------ of the mailbox

    def _numbers(self) -> Criterion:
        most = self._chance.randint(1, self._size)
        numbers = sorted(self._chance.sample(range(1, self._size + 1), most))
        return Criterion(sequence_set(numbers), lambda number, uid: number in numbers)

    def _came(self) -> Criterion:
        name = self._chance.choice(("BEFORE", "SINCE"))
        limit = calendar.timegm((2023, 11, self._chance.randint(1, 29), 0, 0, 0))

        def meets(number: int, uid: int) -> bool | None:
            day = _local_day(self._known.dates.get(uid))
            return None if day is None else day < limit if name == "BEFORE" else day >= limit

        return Criterion(f"{name} {_day(limit)}", meets)

    # ------------------------------------------------------------ of the message

    def _of(self, text: str, meets: Callable[[Sample], bool | None]) -> Criterion:
        def known(number: int, uid: int) -> bool | None:
            sample = self._known.sample(uid)
            return None if sample is None else meets(sample)

        return Criterion(text, known)

    def _any(self) -> Sample:
        return self._chance.choice(SAMPLES)

    def _size_of(self) -> Criterion:
        size = len(self._any().octets)
        if self._chance.random() < 0.5:
            return self._of(f"SMALLER {size}", lambda one: len(one.octets) < size)
        return self._of(f"LARGER {size}", lambda one: len(one.octets) > size)

    def _sent(self) -> Criterion:
        day = self._any().sent // DAY * DAY
        name = self._chance.choice(("SENTBEFORE", "SENTON", "SENTSINCE"))
        sent = {
            "SENTBEFORE": lambda one: one.sent < day,
            "SENTON": lambda one: day <= one.sent < day + DAY,
            "SENTSINCE": lambda one: one.sent >= day,
        }[name]
        return self._of(f"{name} {_day(day)}", sent)

    def _subject(self) -> Criterion:
        word = self._chance.choice(WORDS)[self._chance.randint(0, 1) :]
        return self._of(f"SUBJECT {word}", lambda one: word in one.subject)

    def _in_text(self) -> Criterion:
        word = self._chance.choice(self._any().words)
        if self._chance.random() < 0.5:
            return self._of(f'BODY "{word}"', lambda one: word in one.body)
        # A word that is not in the body may be in the header.
        return self._of(f'TEXT "{word}"', lambda one: True if word in one.body else None)

    def _field(self) -> Criterion:
        name = self._chance.choice(("Cc", "References", "X-None"))
        return self._of(f'HEADER {name} ""', lambda one: f"\r\n{name}:" in one.header)

    # ------------------------------------------------------------ of others

    def _not(self, depth: int) -> Criterion:
        inner = self.criterion(depth)
        return Criterion(f"NOT {inner.text}", lambda *one: _negated(inner.meets(*one)))

    def _or(self, depth: int) -> Criterion:
        first, second = self.criterion(depth), self.criterion(depth)

        def meets(number: int, uid: int) -> bool | None:
            negated = (_negated(one.meets(number, uid)) for one in (first, second))
            return _negated(_all(*negated))

        return Criterion(f"OR {first.text} {second.text}", meets)

    def _both(self, depth: int) -> Criterion:
        first, second = self.criterion(depth), self.criterion(depth)
        return Criterion(
            f"({first.text} {second.text})",
            lambda *one: _all(first.meets(*one), second.meets(*one)),
        )


def _negated(truth: bool | None) -> bool | None:
    return None if truth is None else not truth


def _all(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _day(seconds: float) -> str:
    day = time.gmtime(seconds)
    return f"{day.tm_mday}-{MONTHS[day.tm_mon - 1]}-{day.tm_year}"


def _local_day(date: str | None) -> int | None:
    """Return the midnight of an internal date, its zone disregarded (RFC 3501 §6.4.4)."""
    read = email.utils.parsedate_tz(date.replace("-", " ", 2)) if date else None
    return None if read is None else calendar.timegm((*read[:3], 0, 0, 0))
