"""Groups of criteria: all of them, any of them, or none (RFC 3501 §6.4.4).

Groups are made by ``all_of``, ``any_of`` and ``negated`` only, which flatten them, put what is cheap to
find out first, and bound how deep they are nested.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from twisted_mail.imap.search.evaluation import FREE, Criterion, Rows, SearchEvaluator, rows_in
from twisted_mail.mail.outcome import ProtocolError

MAX_DEPTH = 50  # levels that are left after flattening


@dataclass(frozen=True, slots=True)
class AllOf:
    """Messages that meet every one of the criteria; all messages if there are none."""

    criteria: tuple[Criterion, ...]
    cost: int = FREE
    depth: int = 0

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        for one in self.criteria:
            rows = await search.narrow(one, rows)
        return rows


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Messages that meet at least one of the criteria."""

    criteria: tuple[Criterion, ...]
    cost: int
    depth: int

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it; what one has found the next is not asked."""
        found: set[int] = set()
        rest = rows
        for one in self.criteria:
            hits = await search.narrow(one, rest)
            found.update(hits)
            rest = _without(rest, hits)
        return rows_in(rows, found)


@dataclass(frozen=True, slots=True)
class Not:
    """Messages that do not meet the criterion."""

    criterion: Criterion
    cost: int
    depth: int

    async def narrow(self, search: SearchEvaluator, rows: Rows) -> Rows:
        """Return the rows of the messages that meet it."""
        return _without(rows, await search.narrow(self.criterion, rows))


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


def _without(rows: Rows, unwanted: Collection[int]) -> Rows:
    gone = set(unwanted)
    return [row for row in rows if row not in gone] if gone else rows
