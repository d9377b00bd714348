"""Criteria: what a SEARCH asks for, as values (RFC 3501 §6.4.4).

A program is one criterion: a leaf, or ``AllOf``, ``AnyOf`` and ``Not`` of others. Groups are made by
``all_of``, ``any_of`` and ``negated`` only, which flatten them, put what is cheap to find out first, and
bound how deep they are nested.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from twisted_mail.imap.objectid import ObjectIdKind
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mailbox.numbers import NumberSet
from twisted_mail.mail.outcome import ProtocolError

MAX_DEPTH = 50  # levels that are left after flattening

# What finding out costs: nothing, a column, what the index has rendered, the message's text.
FREE, COLUMN, RENDERED, TEXT = range(4)


@dataclass(frozen=True, slots=True)
class InNumberSet:
    """Messages in a set of sequence numbers, or of UIDs."""

    cost: ClassVar[int] = FREE
    depth: ClassVar[int] = 0
    numbers: NumberSet
    is_uid: bool


@dataclass(frozen=True, slots=True)
class HasFlag:
    """Messages with a flag or keyword, which is spelled in lower case here."""

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    flag: str


@dataclass(frozen=True, slots=True)
class IsRecent:
    r"""Messages that are \Recent in this session."""

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0


@dataclass(frozen=True, slots=True)
class SizeBetween:
    """Messages of ``first`` octets up to but not including ``end``."""

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    first: int = 0
    end: int = 2**63


@dataclass(frozen=True, slots=True)
class ArrivedBetween:
    """Messages whose internal date is on the day ``first`` up to but not including ``end``.

    Days are proleptic Gregorian ordinals, so the day after the last one can be named too.
    """

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    first: int = 0
    end: int = 2**32


@dataclass(frozen=True, slots=True)
class SentBetween:
    """Messages whose Date field names a day from ``first`` up to but not including ``end``."""

    cost: ClassVar[int] = RENDERED
    depth: ClassVar[int] = 0
    first: int = 0
    end: int = 2**32


@dataclass(frozen=True, slots=True)
class OlderOrYounger:
    """Messages that arrived so many seconds ago or more, or else or less (RFC 5032 §2)."""

    cost: ClassVar[int] = COLUMN
    depth: ClassVar[int] = 0
    seconds: int
    or_more: bool


@dataclass(frozen=True, slots=True)
class HasObjectId:
    """Messages of an EMAILID or THREADID, without its letter (RFC 8474 §6); empty: none has it."""

    cost: ClassVar[int] = RENDERED
    depth: ClassVar[int] = 0
    letter: ObjectIdKind
    name: str


@dataclass(frozen=True, slots=True)
class ContainsText:
    """Messages that hold a substring."""

    cost: ClassVar[int] = TEXT
    depth: ClassVar[int] = 0
    what: Contains


@dataclass(frozen=True, slots=True)
class AllOf:
    """Messages that meet every one of the criteria; all messages if there are none."""

    criteria: tuple["Criterion", ...]
    cost: int = field(default=FREE, compare=False)
    depth: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Messages that meet at least one of the criteria."""

    criteria: tuple["Criterion", ...]
    cost: int = field(compare=False)
    depth: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Messages that do not meet the criterion."""

    criterion: "Criterion"
    cost: int = field(compare=False)
    depth: int = field(compare=False)


Criterion = (
    InNumberSet
    | HasFlag
    | IsRecent
    | SizeBetween
    | ArrivedBetween
    | SentBetween
    | OlderOrYounger
    | HasObjectId
    | ContainsText
    | AllOf
    | AnyOf
    | Not
)

ALL = AllOf(())


def all_of(criteria: Sequence[Criterion]) -> Criterion:
    """Return the criterion that asks for all of ``criteria``."""
    parts: list[Criterion] = []
    for one in criteria:
        parts.extend(one.criteria if isinstance(one, AllOf) else (one,))
    if len(parts) == 1:
        return parts[0]
    return AllOf(_cheap_first(parts), _cost(parts), _depth(parts)) if parts else ALL


def any_of(criteria: Sequence[Criterion]) -> Criterion:
    """Return the criterion that asks for any of ``criteria``, of which there are at least two."""
    parts: list[Criterion] = []
    for one in criteria:
        parts.extend(one.criteria if isinstance(one, AnyOf) else (one,))
    return AnyOf(_cheap_first(parts), _cost(parts), _depth(parts))


def negated(criterion: Criterion) -> Criterion:
    """Return the opposite of ``criterion``."""
    if isinstance(criterion, Not):
        return criterion.criterion
    return Not(criterion, criterion.cost, _depth((criterion,)))


def _cheap_first(criteria: Sequence[Criterion]) -> tuple[Criterion, ...]:
    return tuple(sorted(criteria, key=lambda one: one.cost))


def _cost(criteria: Sequence[Criterion]) -> int:
    return max(one.cost for one in criteria)


def _depth(criteria: Sequence[Criterion]) -> int:
    depth = 1 + max(one.depth for one in criteria)
    if depth > MAX_DEPTH:
        raise ProtocolError("The search program is nested too deeply")
    return depth
