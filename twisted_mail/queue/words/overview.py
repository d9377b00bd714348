"""The queue at a glance: how much waits, for what, since when, and why. All block, and read only."""

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from twisted_mail.interfaces import SelectedRecipient, SiteRecord
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.queue.words.queries import read_selected, sites, suspensions

_WAITING, _HELD, _DAMAGED, _UNREPORTED = 0, 1, 2, 5

# The index alone: no envelope is read. The lowest job is the oldest but for what was salvaged.
_COUNTS = """
    SELECT destination, state, count(*), sum(due <= :now), min(due), min(job)
    FROM recipients WHERE state <= 2 OR state = 5 GROUP BY destination, state
"""
_EXAMPLE = """
    SELECT j.id, j.envelope, r.number, r.recipient
    FROM recipients AS r JOIN jobs AS j ON j.row = r.job
    WHERE r.destination = ? AND r.state <= 1 AND r.tries >= ? LIMIT 1
"""


@dataclass(slots=True)
class DestinationOverview:
    """What waits for one destination.

    ``due`` are those whose time has come, ``next_due`` is that of the first, ``oldest`` the row of the
    oldest job, ``arrived`` when that came. ``example`` is one of them, which was tried if any was; None
    where none can be read.
    """

    name: str
    waiting: int = 0
    due: int = 0
    held: int = 0
    damaged: int = 0
    unreported: int = 0
    next_due: float = 0.0
    oldest: int = 0
    arrived: float = 0.0
    example: SelectedRecipient | None = None

    @property
    def last(self) -> Attempt | None:
        """Return how the last try of the example ended; None where nothing was tried."""
        return None if self.example is None else self.example.recipient.last

    @property
    def recipients(self) -> int:
        """Return how many are owed."""
        return self.waiting + self.held + self.damaged + self.unreported


@dataclass(frozen=True, slots=True)
class QueueOverview:
    """The whole queue: ``destinations`` are those with the most recipients, and ``all`` counts them."""

    jobs: int
    waiting: int
    due: int
    held: int
    damaged: int
    unreported: int
    oldest: float
    all: int
    destinations: Sequence[DestinationOverview]
    resting: Sequence[SiteRecord]
    suspended: Sequence[Suspension]


def overview(connection: apsw.Connection, now: float, shown: int) -> QueueOverview:
    """Return the queue as it is, with as many destinations as are to be shown."""
    found = _counts(connection, now)
    top = sorted(found, key=lambda one: (-one.recipients, one.name))[:shown]
    for one in top:
        one.arrived = _arrived(connection, one.oldest)
        one.example = _example(connection, one.name, 1) or _example(connection, one.name, 0)
    oldest = min((one.oldest for one in found), default=0)
    return QueueOverview(
        _number(connection, "SELECT count(*) FROM jobs"),
        sum(one.waiting for one in found),
        sum(one.due for one in found),
        sum(one.held for one in found),
        sum(one.damaged for one in found),
        sum(one.unreported for one in found),
        _arrived(connection, oldest),
        len(found),
        top,
        [site for site in sites(connection) if site.rest_until > now],
        [one for one in suspensions(connection) if one.holds(now)],
    )


def _counts(connection: apsw.Connection, now: float) -> list[DestinationOverview]:
    found: dict[str, DestinationOverview] = {}
    rows = connection.execute(_COUNTS, {"now": now})
    for name, state, number, due, next_due, oldest in rows:
        one = found.setdefault(name, DestinationOverview(name, oldest=oldest))
        one.oldest = min(one.oldest, oldest)
        if state == _WAITING:
            one.waiting, one.due, one.next_due = number, due, next_due
        elif state == _HELD:
            one.held = number
        elif state == _DAMAGED:
            one.damaged = number
        elif state == _UNREPORTED:
            one.unreported = number
    return list(found.values())


def _arrived(connection: apsw.Connection, job: int) -> float:
    row = connection.execute("SELECT arrived FROM jobs WHERE row = ?", (job,)).fetchone()
    return 0.0 if row is None else row[0]


def _example(connection: apsw.Connection, destination: str, tries: int) -> SelectedRecipient | None:
    row = connection.execute(_EXAMPLE, (destination, tries)).fetchone()
    return None if row is None else read_selected(*row)


def _number(connection: apsw.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])
