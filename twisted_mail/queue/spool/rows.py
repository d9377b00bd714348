"""Jobs, recipients and sites as blobs in the database: a checksum, and JSON behind it.

The blobs are the truth; what stands in columns is made of them, to be searched and sorted. A checksum
covers whose blob it is as well: what lies in a wrong place is as damaged as what was overwritten.
"""

import json
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from twisted_mail.interfaces import SiteRecord
from twisted_mail.mail.envelope import DEFAULT_DSN_REQUEST
from twisted_mail.mail.queued.job import JobKind, OwedRecipient, QueuedJob, RecipientState
from twisted_mail.queue.spool.schema import ROW_STATES
from twisted_mail.queue.spool.values import (
    Json,
    read_address,
    read_attempt,
    read_dsn_request,
    read_mail_parameters,
    read_target,
    write_address,
    write_attempt,
    write_dsn_request,
    write_mail_parameters,
    write_target,
)

CHECKSUM = 4  # octets in front of the JSON
_WRONG = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)

_write = json.JSONEncoder(separators=(",", ":")).encode
_read = json.JSONDecoder().decode


class DamagedRow(Exception):
    """A blob is not what was written."""


@dataclass(frozen=True, slots=True)
class BodySum:
    """What is known of a job's message: the checksum of prefix and blob, and where the blob is."""

    checksum: int
    is_file: bool


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as its row has it."""

    job: QueuedJob
    body: BodySum


def _sealed(key: str, data: Json) -> bytes:
    text = _write(data).encode("ascii")
    return crc32(text, crc32(key.encode("utf-8", "surrogatepass"))).to_bytes(CHECKSUM) + text


def _opened(key: str, blob: bytes) -> Any:
    """Return the JSON of a blob. Raises DamagedRow."""
    text = blob[CHECKSUM:]
    seal = crc32(text, crc32(key.encode("utf-8", "surrogatepass"))).to_bytes(CHECKSUM)
    if seal != blob[:CHECKSUM]:
        raise DamagedRow("the checksum is not that of the contents")
    return _read(text.decode("ascii"))


# ---------------------------------------------------------------- jobs


def write_job(job: QueuedJob, body: BodySum) -> bytes:
    """Return a job without its id, which is the row's."""
    data: Json = {
        "a": job.arrived,
        "s": write_address(job.sender),
        "z": job.size,
        "b": [body.checksum, body.is_file],
    }
    if job.kind is not JobKind.MAIL:
        data["k"] = job.kind.value
    if job.submitter:
        data["u"] = job.submitter
    if asked := write_mail_parameters(job.mail_parameters):
        data["p"] = asked
    if job.is_tls_optional:
        data["t"] = True
    if job.message_id:
        data["m"] = job.message_id
    if job.is_quarantined:
        data["q"] = True
    return _sealed(job.id, data)


def read_job(id: str, blob: bytes) -> StoredJob:
    """Read what ``write_job`` has written. Raises DamagedRow."""
    try:
        data = _opened(id, blob)
        job = QueuedJob(
            id,
            data["a"],
            read_address(data["s"]),
            JobKind(data.get("k", "mail")),
            data.get("u", ""),
            read_mail_parameters(data.get("p")),
            data.get("t", False),
            data.get("m", ""),
            data["z"],
            data.get("q", False),
        )
        return StoredJob(job, BodySum(*data["b"]))
    except _WRONG as error:
        raise DamagedRow("the job cannot be read") from error


# ---------------------------------------------------------------- recipients


def write_recipient(id: str, recipient: OwedRecipient) -> bytes:
    """Return a recipient of a job without its number, which is the row's."""
    last, original, sender = recipient.last, recipient.original, recipient.sender
    data: Json = {
        "d": recipient.due,
        "q": None
        if recipient.dsn_request == DEFAULT_DSN_REQUEST
        else write_dsn_request(recipient.dsn_request),
        "o": original and write_address(original),
        "s": sender and write_address(sender),
        "f": recipient.fields.decode("latin-1"),
        "h": recipient.state is RecipientState.HELD,
        "e": recipient.state is RecipientState.UNREPORTED,
        "n": recipient.tries,
        "w": recipient.notices,
        "l": last and write_attempt(last),
        "r": recipient.reason,
        "p": recipient.progress,
    }
    given = {key: value for key, value in data.items() if value}
    given["t"] = write_target(recipient.target)
    return _sealed(_key(id, recipient.number), given)


def read_recipient(id: str, number: int, blob: bytes) -> OwedRecipient:
    """Read what ``write_recipient`` has written. Raises DamagedRow."""
    try:
        data = _opened(_key(id, number), blob)
        get = data.get
        return OwedRecipient(
            number,
            read_target(data["t"]),
            read_dsn_request(get("q")),
            read_address(data["o"]) if "o" in data else None,
            read_address(data["s"]) if "s" in data else None,
            get("f", "").encode("latin-1"),
            _state(data),
            get("d", 0.0),
            get("n", 0),
            get("w", 0),
            read_attempt(get("l")),
            get("r", ""),
            get("p", 0),
        )
    except _WRONG as error:
        raise DamagedRow("the recipient cannot be read") from error


def _state(data: Json) -> RecipientState:
    if data.get("e"):
        return RecipientState.UNREPORTED
    return RecipientState.HELD if data.get("h") else RecipientState.WAITING


def _key(id: str, number: int) -> str:
    return f"{id} {number}"


# ---------------------------------------------------------------- sites


def write_site(site: SiteRecord) -> bytes:
    """Return what is remembered of a site, without its name, which is the row's."""
    data: Json = {
        "u": site.rest_until,
        "f": site.failures,
        "l": site.last and write_attempt(site.last),
        "m": site.max_messages,
        "a": site.avoids,
    }
    return _sealed(site.name, {key: value for key, value in data.items() if value})


def read_site(name: str, blob: bytes) -> SiteRecord:
    """Read what ``write_site`` has written. Raises DamagedRow."""
    try:
        data = _opened(name, blob)
        get = data.get
        last = read_attempt(get("l"))
        return SiteRecord(name, get("u", 0.0), get("f", 0), last, get("m", 0), get("a", 0))
    except _WRONG as error:
        raise DamagedRow("the site cannot be read") from error


# ---------------------------------------------------------------- columns

RecipientRow = tuple[int, int, str, int, float, str, str, int, int, str, bytes]


def job_row(
    row: int, job: QueuedJob, is_kept: bool, highest: int, envelope: bytes
) -> tuple[object, ...]:
    """Return the columns of a job."""
    return (
        row,
        job.id,
        is_kept,
        highest,
        job.kind.value,
        job.arrived,
        job.sender.key,
        job.submitter,
        job.mail_parameters.priority,
        job.size,
        envelope,
    )


def recipient_row(row: int, id: str, recipient: OwedRecipient, added: int = 0) -> RecipientRow:
    """Return the columns of a recipient of the job in ``row``; ``added`` is added to its state."""
    last, original = recipient.last, recipient.original
    return (
        row,
        recipient.number,
        str(recipient.destination),
        added + ROW_STATES[recipient.state],
        recipient.due,
        recipient.address.key,
        "" if original is None else original.key,
        recipient.tries,
        recipient.notices,
        "" if last is None else last.reply_class.value,
        write_recipient(id, recipient),
    )
