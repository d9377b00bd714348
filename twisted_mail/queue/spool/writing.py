"""What is written into the queue's database, inside a transaction that somebody else begins and ends."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import apsw

from twisted_mail.interfaces import SiteRecord, SpoolChange
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, may_follow_unreported
from twisted_mail.queue.spool.bodies import StoredBody
from twisted_mail.queue.spool.rows import (
    DamagedRow,
    job_row,
    read_recipient,
    recipient_row,
    write_job,
    write_site,
)
from twisted_mail.queue.spool.schema import PREPARED, RowState

_FIND = "SELECT row, is_kept, highest FROM jobs WHERE id = ?"
_RECIPIENT = (
    "SELECT recipient FROM recipients JOIN jobs ON jobs.row = job WHERE id = ? AND number = ?"
)
_INSERT_JOB = "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_BODY = "INSERT INTO bodies VALUES (?, ?, ?)"
_DELETE_BODY = "DELETE FROM bodies WHERE job = ? RETURNING body IS NULL"
_INSERT_RECIPIENT = "INSERT INTO recipients VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPDATE_RECIPIENT = (
    "UPDATE recipients SET destination = ?3, state = ?4, due = ?5, address = ?6, original = ?7,"
    " tries = ?8, notices = ?9, reply_class = ?10, recipient = ?11 WHERE job = ?1 AND number = ?2"
    " AND (state != ?12 OR ?13)"
)
_DAMAGE_REPORTED = "UPDATE recipients SET notices = 1 WHERE job = ? AND number = ?"
_ANSWER = "UPDATE words SET done_at = ?, result = ? WHERE id = ?"
_SUSPEND = (
    "INSERT INTO suspensions (kind, name, until, since) VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (kind, name) DO UPDATE SET until = ?3, since = ?4"
)
_RESUME = "DELETE FROM suspensions WHERE kind = ? AND name = ?"
ANSWER_SECONDS = 86400.0  # that an answered word is kept


class IdTaken(Exception):
    """There is a job with this id."""


class JobGone(Exception):
    """What was prepared is not there any more: the database was damaged, and mended, meanwhile."""


@dataclass(slots=True)
class Tally:
    """What a transaction changes besides the database: the counts, and the files that are not needed."""

    jobs: int = 0
    recipients: int = 0
    files: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add what another transaction changed."""
        self.jobs += other.jobs
        self.recipients += other.recipients
        self.files.extend(other.files)  # in place: another thread takes them out

    def become(self, other: "Tally") -> None:
        """Be as another one."""
        self.jobs, self.recipients, self.files = other.jobs, other.recipients, other.files


class JobWriter:
    """Writes jobs through a connection. ``tally`` has what the present transaction does.

    A message's body is a ``StoredBody`` already: inside, or a file that is synced.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._next_row = self._one("SELECT ifnull(max(row), 0) + 1 FROM jobs")
        self.tally = Tally()

    def _one(self, query: str, *values: object) -> int:
        [(number,)] = self._connection.execute(query, values)
        return int(number)

    # ------------------------------------------------------------ taking in

    def insert(self, new: NewJob, body: StoredBody, is_kept: bool) -> None:
        """Write a job. Raises IdTaken. One that owes nobody is not written."""
        if is_kept and not new.recipients:
            return
        job, row = new.job, self._next_row
        highest = max((one.number for one in new.recipients), default=0)
        values = job_row(row, job, is_kept, highest, write_job(job, body.sum))
        try:
            self._connection.execute(_INSERT_JOB, values)
        except apsw.ConstraintError as error:
            raise IdTaken(job.id) from error
        self._next_row += 1
        self._connection.execute(_INSERT_BODY, (row, new.message.prefix, body.data))
        self._insert_recipients(row, job.id, new.recipients, is_kept)
        self.tally.jobs += is_kept

    def _insert_recipients(
        self, row: int, id: str, recipients: Iterable[OwedRecipient], is_kept: bool
    ) -> None:
        added = 0 if is_kept else PREPARED
        rows = [recipient_row(row, id, one, added) for one in recipients]
        self._connection.executemany(_INSERT_RECIPIENT, rows)
        self.tally.recipients += len(rows) if is_kept else 0

    def keep(
        self,
        id: str,
        joined: Sequence[OwedRecipient] = (),
        new: Sequence[NewJob] = (),
        bodies: Sequence[StoredBody] = (),
    ) -> None:
        """Make a prepared job ours, with more recipients, and jobs that come of it.

        Raises IdTaken and JobGone.
        """
        self._keep(id, joined)
        self._insert_all(new, bodies)

    def _insert_all(self, new: Sequence[NewJob], bodies: Sequence[StoredBody]) -> None:
        for one, body in zip(new, bodies, strict=True):
            self.insert(one, body, is_kept=True)

    def _keep(self, id: str, joined: Sequence[OwedRecipient]) -> None:
        found = self._find(id)
        if found is None:
            raise JobGone(id)
        if found.is_kept:
            return
        self._connection.execute("UPDATE jobs SET is_kept = 1 WHERE row = ?", (found.row,))
        self._connection.execute(
            "UPDATE recipients SET state = state - ? WHERE job = ?", (PREPARED, found.row)
        )
        self.tally.jobs += 1
        self.tally.recipients += self._connection.changes()
        found.is_kept = True
        for one in joined:
            self._put(found, one)
        self._remove_if_served(found)

    def drop(self, id: str) -> None:
        """Remove a prepared job."""
        found = self._find(id)
        if found is not None and not found.is_kept:
            self._connection.execute("DELETE FROM recipients WHERE job = ?", (found.row,))
            self._remove(found)

    def drop_prepared(self) -> None:
        """Remove all prepared jobs: the process that prepared them has ended."""
        query = "SELECT id FROM jobs WHERE is_kept = 0"
        for (id,) in self._connection.execute(query).fetchall():
            self.drop(str(id))

    # ------------------------------------------------------------ changing

    def apply(self, change: SpoolChange, bodies: Sequence[StoredBody] = (), now: float = 0) -> None:
        """Make a change; ``bodies`` are those of its new jobs. Raises IdTaken."""
        found: dict[str, JobRow | None] = {}
        stale = {(id, one.number) for id, one in change.provided if not self._has(id, one)}
        for id, number in change.gone:
            if (job := self._find_once(id, found)) is not None and (id, number) not in stale:
                self._delete(job, number)
        for id, recipient in change.altered:
            job = self._find_once(id, found)
            if job is not None and (id, recipient.number) not in stale:
                self._put(job, recipient)
        for id in {id: None for id, _ in change.gone}:
            if (job := found[id]) is not None:
                self._remove_if_served(job)
        self._insert_all(change.new, bodies)
        for id, number in change.damage_reported:
            if (job := self._find_once(id, found)) is not None:
                self._connection.execute(_DAMAGE_REPORTED, (job.row, number))
        self._suspend(change)
        self._answer(change.answered, now)

    def _suspend(self, change: SpoolChange) -> None:
        for one in change.suspended:
            self._connection.execute(_SUSPEND, (one.kind, one.name, one.until, one.since))
        for resumed in change.resumed:
            self._connection.execute(_RESUME, resumed)

    def _answer(self, answered: Sequence[tuple[int, str]], now: float) -> None:
        """Answer words of the operator, and forget those that were answered long ago."""
        rows = [(now, result, number) for number, result in answered]
        if rows:
            self._connection.executemany(_ANSWER, rows)
            self._connection.execute("DELETE FROM words WHERE done_at < ?", (now - ANSWER_SECONDS,))

    def _has(self, id: str, recipient: OwedRecipient) -> bool:
        """Return whether a recipient is on disk as it is here."""
        found: Any = self._connection.execute(_RECIPIENT, (id, recipient.number)).fetchone()
        try:
            return found is not None and read_recipient(id, recipient.number, found[0]) == recipient
        except DamagedRow:
            return False

    def _find_once(self, id: str, found: "dict[str, JobRow | None]") -> "JobRow | None":
        if id not in found:
            found[id] = self._find(id)
        return found[id]

    def _find(self, id: str) -> "JobRow | None":
        found: Any = self._connection.execute(_FIND, (id,)).fetchone()
        return None if found is None else JobRow(found[0], id, bool(found[1]), found[2])

    def _delete(self, job: "JobRow", number: int) -> None:
        self._connection.execute(
            "DELETE FROM recipients WHERE job = ? AND number = ?", (job.row, number)
        )
        if job.is_kept:
            self.tally.recipients -= self._connection.changes()

    def _put(self, job: "JobRow", recipient: OwedRecipient) -> None:
        """Put a recipient in the place of the one with its number, or let a new one join.

        A number that is not there, and not above all that there were, is of one who is served. Who is
        unreported stays so, whatever a word makes of one that still waited when it was given.
        """
        if recipient.number <= job.highest:
            added = 0 if job.is_kept else PREPARED
            row = recipient_row(job.row, job.id, recipient, added)
            values = (*row, RowState.UNREPORTED, may_follow_unreported(recipient))
            self._connection.execute(_UPDATE_RECIPIENT, values)
            return
        job.highest = recipient.number
        self._connection.execute(
            "UPDATE jobs SET highest = ? WHERE row = ?", (job.highest, job.row)
        )
        self._insert_recipients(job.row, job.id, [recipient], job.is_kept)

    def _remove_if_served(self, job: "JobRow") -> None:
        if job.is_kept and not self._one(
            "SELECT EXISTS (SELECT 1 FROM recipients WHERE job = ?)", job.row
        ):
            self._remove(job)
            self.tally.jobs -= 1

    def _remove(self, job: "JobRow") -> None:
        """Remove a job without recipients, and its body."""
        connection = self._connection
        for (is_file,) in connection.execute(_DELETE_BODY, (job.row,)).fetchall():
            self.tally.files += [job.id] if is_file else []
        connection.execute("DELETE FROM jobs WHERE row = ?", (job.row,))

    def hold_damaged(self, id: str, numbers: Sequence[int] | None) -> None:
        """Hold recipients of a job, or all of them, which are never tried again."""
        if (found := self._find(id)) is None:
            return
        for number in (None,) if numbers is None else numbers:
            self._connection.execute(
                "UPDATE recipients SET state = ?1, notices = 0"  # from now on: to the postmaster
                " WHERE job = ?2 AND (?3 IS NULL OR number = ?3) AND state != ?1",
                (RowState.DAMAGED, found.row, number),
            )

    def save_site(self, site: SiteRecord) -> None:
        """Put what is known of a site in the place of what was; of one with a name alone, forget it."""
        if site == SiteRecord(site.name):
            self._connection.execute("DELETE FROM sites WHERE name = ?", (site.name,))
            return
        self._connection.execute(
            "INSERT INTO sites (name, site) VALUES (?1, ?2)"
            " ON CONFLICT (name) DO UPDATE SET site = ?2",
            (site.name, write_site(site)),
        )


@dataclass(slots=True)
class JobRow:
    """Where a job is."""

    row: int
    id: str
    is_kept: bool
    highest: int
