"""What the database of the queue has for the operator: words, selected recipients, suspensions.

All block. They read only, on any connection: that of the server which reads, or the control command's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import apsw

from twisted_mail.interfaces import DamagedRecipient, SelectedPage, SelectedRecipient, SiteRecord
from twisted_mail.mail.queued.job import QueuedJob
from twisted_mail.mail.queued.selection import SelectedState, Selection
from twisted_mail.mail.queued.suspension import SUSPENSION_KINDS, Suspension
from twisted_mail.mail.queued.word import Word, read_word
from twisted_mail.queue.spool.rows import DamagedRow, read_job, read_recipient, read_site
from twisted_mail.queue.spool.schema import RowState
from twisted_mail.queue.words.filters import condition, is_named, is_selected

PAGE = 2000  # recipients that one page has at most
LOOKED_AT = 5000  # rows that one page looks at: what is in the other side's words has no index
CROWDED = 20_000  # recipients of destinations from which on all rows are gone through, in order
MAX_DAMAGED = 10_000  # recipients that one command is about
MAX_WORDS = 100  # that are done in one round

# Rows are found and sorted by their numbers alone: the blobs of those that are behind are not moved.
_SELECT = """
    SELECT r.row, j.id, j.envelope, r.number, r.recipient
    FROM (
        SELECT r.row AS place FROM recipients AS r {jobs}
        WHERE r.row > ? AND r.row <= ? AND r.state IN (0, 1, 5) AND {condition}
        ORDER BY r.row LIMIT ?
    )
    CROSS JOIN recipients AS r ON r.row = place
    CROSS JOIN jobs AS j ON j.row = r.job
    ORDER BY place
"""
_DAMAGED = """
    SELECT j.id, r.number, j.arrived, j.sender, r.address, r.destination, r.notices > 0
    FROM recipients AS r JOIN jobs AS j ON j.row = r.job
    WHERE r.state != 0 AND r.state = 2 AND {condition} ORDER BY r.job, r.number LIMIT ?
"""
_JOBS = "JOIN jobs AS j ON j.row = r.job"


def selected_page(
    connection: apsw.Connection,
    selection: Selection,
    now: float,
    after: int,
    last: int,
    most: int = PAGE,
) -> SelectedPage:
    """Return the next recipients that filters select, behind a row, up to the row ``last``."""
    text, values = condition(selection, now)
    if after and _is_crowded(connection, selection):  # each page would sort all of them anew
        text = text.replace("r.destination", "+r.destination")
    query = _SELECT.format(condition=text, jobs=_JOBS if "j." in text else "")
    rows = connection.execute(query, (after, last, *values, LOOKED_AT))
    found: list[SelectedRecipient] = []
    seen = 0
    for after, id, envelope, number, recipient in rows:
        seen += 1
        one = read_selected(id, envelope, number, recipient)
        if one is not None and is_selected(selection, one, now):
            found.append(one)
            if len(found) == most:
                return SelectedPage(found, after)
    return SelectedPage(found, after if seen == LOOKED_AT else None)


def damaged(
    connection: apsw.Connection, selection: Selection, now: float
) -> list[DamagedRecipient]:
    """Return recipients that are damaged, and that filters mean; of very many the first."""
    if not selection.means_damaged or selection.state not in (None, SelectedState.DAMAGED):
        return []
    text, values = condition(replace(selection, state=None), now)
    rows = connection.execute(_DAMAGED.format(condition=text), (*values, MAX_DAMAGED))
    found = (DamagedRecipient(*row) for row in rows)
    ids = selection.ids
    return [one for one in found if not ids or is_named(ids, one.id, one.number)]


def _is_crowded(connection: apsw.Connection, selection: Selection) -> bool:
    """Return whether destinations have so many recipients that the index is of no help."""
    if not selection.destinations:
        return False
    text, values = condition(Selection(destinations=selection.destinations), 0.0)
    query = f"SELECT count(*) FROM (SELECT 1 FROM recipients AS r WHERE {text} LIMIT ?)"
    row = connection.execute(query, (*values, CROWDED)).fetchone()
    return row is not None and int(row[0]) == CROWDED


def last_place(connection: apsw.Connection) -> int:
    """Return the row of the recipient that came last."""
    row = connection.execute("SELECT ifnull(max(row), 0) FROM recipients").fetchone()
    return 0 if row is None else int(row[0])


def read_selected(
    id: str, envelope: bytes, number: int, recipient: bytes
) -> SelectedRecipient | None:
    """Return a recipient and its job; None for what is damaged, which the spool sets aside itself."""
    try:
        return SelectedRecipient(read_job(id, envelope).job, read_recipient(id, number, recipient))
    except DamagedRow:
        return None


# ---------------------------------------------------------------- one job


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job with its recipients; ``damaged`` are the numbers of those that cannot be read."""

    job: QueuedJob
    recipients: tuple[SelectedRecipient, ...]
    damaged: tuple[int, ...]


def shown_job(connection: apsw.Connection, id: str) -> ShownJob | None:
    """Return a job by its id; None if there is none. Raises DamagedRow if it cannot be read."""
    row = connection.execute("SELECT row, envelope FROM jobs WHERE id = ?", (id,)).fetchone()
    if row is None:
        return None
    job = read_job(id, row[1]).job
    found: list[SelectedRecipient] = []
    spoilt: list[int] = []
    for number, state, blob in connection.execute(_OF_JOB, (row[0],)):
        if state == RowState.DAMAGED:
            spoilt.append(number)
            continue
        try:
            found.append(SelectedRecipient(job, read_recipient(id, number, blob)))
        except DamagedRow:
            spoilt.append(number)
    return ShownJob(job, tuple(found), tuple(spoilt))


_OF_JOB = "SELECT number, state, recipient FROM recipients WHERE job = ? ORDER BY number"


# ---------------------------------------------------------------- words, suspensions, sites


def waiting_words(
    connection: apsw.Connection, most: int | None = None
) -> list[tuple[int, Word | None]]:
    """Return the words that are not answered yet; None for what is no word."""
    rows = connection.execute(
        "SELECT id, word FROM words WHERE done_at IS NULL ORDER BY id LIMIT ?",
        (MAX_WORDS if most is None else most,),
    )
    return [(number, _word(text)) for number, text in rows]


def _word(text: object) -> Word | None:
    try:
        return read_word(str(text))
    except ValueError:
        return None


def suspensions(connection: apsw.Connection) -> list[Suspension]:
    """Return what is suspended, and what was so until a time that has passed."""
    rows = connection.execute(
        "SELECT kind, name, until, since FROM suspensions ORDER BY kind, name"
    )
    return [Suspension(*row) for row in rows if row[0] in SUSPENSION_KINDS]


def sites(connection: apsw.Connection) -> Iterator[SiteRecord]:
    """Yield what is remembered of sites; damaged records are passed over."""
    for name, site in connection.execute("SELECT name, site FROM sites ORDER BY name"):
        try:
            yield read_site(name, site)
        except DamagedRow:
            continue
