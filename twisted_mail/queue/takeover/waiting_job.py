"""A job of an earlier version: one message for one program or one mailing list, described in JSON."""

import json
from dataclasses import dataclass
from typing import Any

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import BodyType, MailParameters
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.mail.route import JobTarget, ListTarget, ProgramTarget

MAX_DESCRIPTION = 64 * 1024  # octets of the file that describes a job
_LAST_TIME = 253_402_300_799.0  # the end of the year 9999
_BODIES: dict[str, BodyType] = {"7BIT": "7BIT", "8BITMIME": "8BITMIME", "BINARYMIME": "BINARYMIME"}


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job as it was described. ``reason`` says why it is held, or why the last attempt failed."""

    id: str
    created: float
    sender: Address
    target: JobTarget
    submitter: str
    body: BodyType
    is_utf8: bool
    due: float
    attempts: int
    is_held: bool
    reason: str

    def queued(self, size: int) -> QueuedJob:
        """Return it as a job of today, with a message of ``size`` octets."""
        return QueuedJob(
            self.id,
            self.created,
            self.sender,
            submitter=self.submitter,
            mail_parameters=MailParameters(body=self.body, is_utf8=self.is_utf8),
            size=size,
        )

    def recipient(self) -> OwedRecipient:
        """Return its only recipient. For a post that is held, tries were letters to the owners."""
        return OwedRecipient(
            1,
            self.target,
            state=RecipientState.HELD if self.is_held else RecipientState.WAITING,
            due=self.due,
            tries=0 if self.is_held else self.attempts,
            notices=min(1, self.attempts) if self.is_held else 0,
            reason=self.reason if self.is_held else "",
        )


def decode(data: bytes) -> WaitingJob:
    """Return the job that a file describes. Raises ValueError."""
    try:
        values = json.loads(data)
        return WaitingJob(
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
