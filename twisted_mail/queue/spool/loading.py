"""Jobs as they are read for an attempt: every blob compared with its checksum."""

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from twisted_mail.interfaces import HeldPage, HeldPlace, HeldRecipient, LoadedJob
from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.queue.spool.bodies import BodyFolder
from twisted_mail.queue.spool.reader import JobBlobs, held_blobs, held_place, job_blobs
from twisted_mail.queue.spool.rows import DamagedRow, read_job, read_recipient
from twisted_mail.queue.spool.schema import RowState


@dataclass(frozen=True, slots=True)
class Damage:
    """What of a job is damaged: recipients by number, or all that owe on it."""

    id: str
    numbers: Sequence[int] | None
    error: DamagedRow


@dataclass(frozen=True, slots=True)
class ReadJob:
    """A job as it was read, if anything of it can be used, and what is damaged."""

    loaded: LoadedJob | None
    damage: Sequence[Damage] = ()


def read_whole(
    connection: apsw.Connection,
    bodies: BodyFolder,
    id: str,
    numbers: Sequence[int] | None,
    state: RowState = RowState.WAITING,
) -> JobBlobs | ReadJob | None:
    """Return a job with those of these recipients in a state, or with all; None if there is none.

    One whose body is a file is returned as it is, for ``opened`` on another thread.
    """
    blobs = job_blobs(connection, id, numbers, state)
    return blobs if blobs is None or blobs.body is None else opened(blobs, bodies)


def opened(blobs: JobBlobs, bodies: BodyFolder) -> ReadJob:
    """Read what is in blobs. Raises OSError."""
    try:
        stored = read_job(blobs.id, blobs.envelope)
        blob = bodies.read(blobs.id, blobs.prefix, blobs.body, stored.body)
    except DamagedRow as error:
        return ReadJob(None, [Damage(blobs.id, None, error)])
    recipients, damage = _recipients(blobs)
    if not recipients:
        blob.close()
        return ReadJob(None, damage)
    return ReadJob(LoadedJob(stored.job, recipients, Message(blob, blobs.prefix)), damage)


def _recipients(blobs: JobBlobs) -> tuple[list[OwedRecipient], list[Damage]]:
    found: list[OwedRecipient] = []
    damage: list[Damage] = []
    for number, blob in blobs.recipients:
        try:
            found.append(read_recipient(blobs.id, number, blob))
        except DamagedRow as error:
            damage.append(Damage(blobs.id, [number], error))
    return found, damage


def read_held(
    connection: apsw.Connection, carrier: str, after: HeldPlace | None, limit: int
) -> tuple[HeldPage, list[Damage]]:
    """Return recipients that are held, and what of these is damaged."""
    found: list[HeldRecipient] = []
    damage: list[Damage] = []
    rows = held_blobs(connection, carrier, after, limit)
    for id, envelope, number, blob, *_ in rows:
        try:
            job = read_job(id, envelope).job
            found.append(HeldRecipient(job, read_recipient(id, number, blob)))
        except DamagedRow as error:
            damage.append(Damage(id, [number], error))
    return HeldPage(found, held_place(rows[-1]) if len(rows) == limit else None), damage
