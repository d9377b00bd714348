"""The description of a job as it is kept in a file: JSON, whose keys are those of older versions."""

import json
from typing import Any

from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import BodyType
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.route import JobTarget, ListTarget, ProgramTarget

MAX_DESCRIPTION = 64 * 1024  # octets of the file that describes a job
_LAST_TIME = 253_402_300_799.0  # the end of the year 9999
_BODIES: dict[str, BodyType] = {"7BIT": "7BIT", "8BITMIME": "8BITMIME", "BINARYMIME": "BINARYMIME"}


def encode(job: Job) -> bytes:
    """Return the description of a job."""
    values = {
        "id": job.id,
        "created": job.created,
        "sender": str(job.sender),
        "errand": _encode_target(job.target),
        "submitter": job.submitter,
        "body": job.body,
        "is_utf8": job.is_utf8,
        "due": job.due,
        "tries": job.attempts,
        "is_held": job.is_held,
        "reason": job.reason,
    }
    return json.dumps(values, indent=1).encode() + b"\n"


def _encode_target(target: JobTarget) -> dict[str, str]:
    if isinstance(target, ProgramTarget):
        return {
            "program": target.program,
            "for": str(target.recipient),
            "detail": target.detail,
        }
    return {"list": target.list, "role": target.role.value, "detail": target.detail}


def decode(data: bytes) -> Job:
    """Return the job that ``encode`` described. Raises ValueError."""
    try:
        values = json.loads(data)
        return Job(
            str(values["id"]),
            _time(values["created"]),
            parse(values["sender"]) if values["sender"] else NULL,
            _decode_target(values["errand"]),
            str(values["submitter"]),
            _BODIES[values["body"]],
            bool(values["is_utf8"]),
            _time(values["due"]),
            int(values["tries"]),
            bool(values["is_held"]),
            str(values["reason"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this describes no job: {error}") from None


def _time(value: Any) -> float:
    """Return seconds since 1970 that are a date, as long pauses between attempts may lead beyond all."""
    seconds = float(value)
    if not seconds >= 0:
        raise ValueError(f"{value} is no time")
    return min(seconds, _LAST_TIME)


def _decode_target(values: dict[str, Any]) -> JobTarget:
    if "program" in values:
        return ProgramTarget(str(values["program"]), parse(values["for"]), str(values["detail"]))
    return ListTarget(str(values["list"]), ListRole(values["role"]), str(values["detail"]))
