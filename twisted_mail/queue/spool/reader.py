"""What is read of the queue's database. All functions raise apsw.Error."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from twisted_mail.interfaces import (
    DestinationSummary,
    DueRecipient,
    HeldPlace,
    SiteRecord,
    UnreportedPage,
    UnreportedPlace,
)
from twisted_mail.mail.queued.destination import Destination, parse_destination
from twisted_mail.mail.queued.job import JobKind
from twisted_mail.queue.spool.rows import DamagedRow, read_site
from twisted_mail.queue.spool.schema import RowState
from twisted_mail.queue.spool.turns import crowd, without_crowds
from twisted_mail.queue.spool.writing import Tally

Row = Sequence[Any]

_DUE_COLUMNS = "jobs.id, number, due, arrived, submitter, sender, priority, notices"
_NUMBER, _DUE_AT = 1, 2  # places of columns
_MAX_NUMBER = (1 << 63) - 1

_COUNTS = "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM recipients)"

_DESTINATIONS = (
    "SELECT destination, count(*), min(due) FROM recipients WHERE state = ? GROUP BY destination"
)

_DUE = (
    f"SELECT {_DUE_COLUMNS}, job FROM recipients CROSS JOIN jobs ON jobs.row = job"
    " WHERE destination = ?1 AND state = ?2 AND (due, job, number) > (?3, ?4, ?5)"
    " AND due < ?6 ORDER BY due, job, number LIMIT ?7"
)

_FIRST_DUE = "SELECT min(due) FROM recipients WHERE destination = ? AND state = ? AND due > ?"

# The index finds the first job, of which some recipients may be behind already.
_OLDER = (
    f"SELECT {_DUE_COLUMNS}, destination FROM jobs CROSS JOIN recipients ON job = jobs.row"
    " WHERE kind = ?1 AND arrived < ?2 AND (arrived, id) >= (?3, ?4)"
    " AND (arrived, id, number) > (?3, ?4, ?5) AND state = ?6"
    " ORDER BY arrived, id, number LIMIT ?7"
)

_JOB = "SELECT row, envelope FROM jobs WHERE id = ? AND is_kept"

_HELD = (
    "SELECT id, envelope, number, recipient, destination, due, job"
    " FROM recipients INDEXED BY recipients_by_due CROSS JOIN jobs ON jobs.row = job"
    " WHERE state = ?1 AND (destination, state, due, job, number) > (?2, ?1, ?3, ?4, ?5)"
    " AND destination < ?6 ORDER BY destination, state, due, job, number LIMIT ?7"
)
_HELD_COUNT = (
    "SELECT count(*) FROM (SELECT 1 FROM recipients WHERE destination = ? AND state = ? LIMIT ?)"
)

_UNREPORTED = (
    "SELECT job, id, number"
    " FROM recipients INDEXED BY recipients_not_waiting CROSS JOIN jobs ON jobs.row = job"
    " WHERE state != 0 AND state = ?1 AND (job, number) > (?2, ?3) ORDER BY job, number LIMIT ?4"
)

_BEFORE_ALL, _AFTER_ALL = "", "\U0010ffff"  # of destinations


@dataclass(frozen=True, slots=True)
class JobBlobs:
    """A job as its rows have it: blobs that are not looked at yet, by number those of recipients."""

    id: str
    envelope: bytes
    recipients: Sequence[tuple[int, bytes]]
    prefix: bytes
    body: bytes | None


def _rows(connection: apsw.Connection, query: str, values: Sequence[Any] = ()) -> list[Any]:
    """Return all rows at once: a query that is not read to its end holds up the log."""
    return connection.execute(query, values).fetchall()


def count(connection: apsw.Connection) -> Tally:
    """Return how many jobs and recipients there are, damaged and prepared ones among them."""
    [(jobs, recipients)] = _rows(connection, _COUNTS)
    return Tally(jobs, recipients)


def destinations(connection: apsw.Connection) -> list[DestinationSummary]:
    """Return what waits, by destination."""
    rows = _rows(connection, _DESTINATIONS, (RowState.WAITING,))
    return [DestinationSummary(_destination(name), number, due) for name, number, due in rows]


def _destination(text: str) -> Destination:
    """Return a destination that was written by us; one that was damaged is still somebody's."""
    try:
        return parse_destination(text)
    except ValueError:
        return Destination("", text)


def due(
    connection: apsw.Connection, destination: Destination, before: float, limit: int
) -> list[DueRecipient]:
    """Return who is due, and of one job with one due time no more than ``crowd`` allows."""
    found: list[DueRecipient] = []
    since: tuple[float, int, int] = (float("-inf"), 0, 0)
    name = str(destination)
    while len(found) < limit:
        values = (name, RowState.WAITING, *since, before, limit)
        rows = _rows(connection, _DUE, values)
        found = without_crowds([*found, *map(_due_recipient, rows)], limit)
        if len(rows) < limit:
            break
        since = _place_behind(rows, crowd(limit))
    return found


def _place_behind(rows: Sequence[Row], most: int) -> tuple[float, int, int]:
    """Return due time, job and number of the last row, or of the end of the crowd it is in."""
    last = rows[-1]
    is_crowd = sum(row[_DUE_AT] == last[_DUE_AT] and row[-1] == last[-1] for row in rows) >= most
    return last[_DUE_AT], last[-1], _MAX_NUMBER if is_crowd else last[_NUMBER]


def _due_recipient(row: Row) -> DueRecipient:
    id, number, due_at, arrived, submitter, sender, priority, notices, _ = row
    domain = sender.rpartition("@")[2] if "@" in sender else ""
    return DueRecipient(id, number, due_at, arrived, submitter or domain, priority, notices)


def first_due(connection: apsw.Connection, destination: Destination, after: float) -> float | None:
    """Return the earliest due time of a destination after a time."""
    values = (str(destination), RowState.WAITING, after)
    [(found,)] = _rows(connection, _FIRST_DUE, values)
    return None if found is None else float(found)


def older(
    connection: apsw.Connection,
    kind: JobKind,
    arrived_before: float,
    limit: int,
    after: DueRecipient | None,
) -> list[tuple[Destination, DueRecipient]]:
    """Return who waits of the oldest jobs, behind ``after``."""
    since = (float("-inf"), "", 0) if after is None else (after.arrived, after.job, after.number)
    values = (kind.value, arrived_before, *since, RowState.WAITING, limit)
    rows = _rows(connection, _OLDER, values)
    return [(_destination(row[-1]), _due_recipient(row)) for row in rows]


def job_blobs(
    connection: apsw.Connection,
    id: str,
    numbers: Sequence[int] | None,
    state: RowState = RowState.WAITING,
) -> JobBlobs | None:
    """Return a job with those of these recipients in a state, or with all; None if there is none."""
    jobs = _rows(connection, _JOB, (id,))
    if not jobs:
        return None
    row, envelope = jobs[0]
    recipients = _some(connection, row, numbers, state)
    if not recipients:
        return None
    bodies = _rows(connection, "SELECT prefix, body FROM bodies WHERE job = ?", (row,))
    prefix, body = bodies[0] if bodies else (b"", None)
    return JobBlobs(id, envelope, recipients, prefix, body)


def _all_of(connection: apsw.Connection, row: int) -> list[tuple[int, bytes]]:
    return _rows(
        connection,
        "SELECT number, recipient FROM recipients WHERE job = ? AND state != ? ORDER BY number",
        (row, RowState.DAMAGED),
    )


def _some(
    connection: apsw.Connection, row: int, numbers: Iterable[int] | None, state: RowState
) -> list[tuple[int, bytes]]:
    if numbers is None:
        return _all_of(connection, row)
    query = "SELECT number, recipient FROM recipients WHERE job = ? AND number = ? AND state = ?"
    found = []
    for number in numbers:
        found += _rows(connection, query, (row, number, state))
    return found


def held_blobs(
    connection: apsw.Connection, carrier: str, after: HeldPlace | None, limit: int
) -> list[Row]:
    """Return recipients that are held: id and envelope of the job, number and blob, and the place."""
    first, end = (f"{carrier}:", f"{carrier};") if carrier else (_BEFORE_ALL, _AFTER_ALL)
    place = after or (first, float("-inf"), 0, 0)
    return _rows(connection, _HELD, (RowState.HELD, *place, end, limit))


def held_place(row: Row) -> HeldPlace:
    """Return the place of a row of ``held_blobs``."""
    _, _, number, _, name, due_at, job = row
    return name, due_at, job, number


def count_held(connection: apsw.Connection, destination: Destination, most: int) -> int:
    """Return how many recipients of a destination are held; ``most``, if they are more."""
    [(found,)] = _rows(connection, _HELD_COUNT, (str(destination), RowState.HELD, most))
    return int(found)


def unreported_page(
    connection: apsw.Connection, after: UnreportedPlace, limit: int
) -> UnreportedPage:
    """Return recipients whose report is owed, behind a job's row and a number."""
    rows = _rows(connection, _UNREPORTED, (RowState.UNREPORTED, *after, limit))
    jobs: dict[str, list[int]] = {}
    for _, id, number in rows:
        jobs.setdefault(id, []).append(number)
    place = (rows[-1][0], rows[-1][2]) if len(rows) >= limit else None
    return UnreportedPage(jobs, place)


def sites(connection: apsw.Connection) -> tuple[list[SiteRecord], list[DamagedRow]]:
    """Return what is known of sites, and what could not be read."""
    found: list[SiteRecord] = []
    damaged: list[DamagedRow] = []
    for name, blob in connection.execute("SELECT name, site FROM sites ORDER BY name"):
        try:
            found.append(read_site(name, blob))
        except DamagedRow as error:
            damaged.append(error)
    return found, damaged


def has_job(connection: apsw.Connection, id: str) -> bool:
    """Return whether there is a job with this id, kept or prepared."""
    return connection.execute("SELECT 1 FROM jobs WHERE id = ?", (id,)).fetchone() is not None


def has_file(connection: apsw.Connection, id: str) -> bool:
    """Return whether a job's body is a file."""
    rows = connection.execute(
        "SELECT 1 FROM jobs JOIN bodies ON job = row WHERE id = ? AND body IS NULL", (id,)
    )
    return rows.fetchone() is not None
