"""Parcels: one message on its way to one program or one mailing list, as it is kept on disk."""

import json
from dataclasses import dataclass
from typing import Any

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import BodyType
from twisted_mail.mail.mailing_list import ListRole
from twisted_mail.mail.route import ListTarget, ProgramTarget

MAX_DESCRIPTION = 64 * 1024  # octets of the file that describes a parcel
_BODIES: dict[str, BodyType] = {"7BIT": "7BIT", "8BITMIME": "8BITMIME", "BINARYMIME": "BINARYMIME"}


@dataclass(frozen=True, slots=True)
class Job:
    """A message that waits, for whom, and how it stands.

    ``id`` is the message's and the number of the errand: ``0abc...-1``. ``due`` is when it is tried
    next, in seconds since 1970 as ``created``. What ``is_held`` waits for somebody's word;
    ``reason`` says why it is held or was not done.
    """

    id: str
    created: float
    sender: Address
    destination: ProgramTarget | ListTarget
    submitter: str = ""
    body: BodyType = "7BIT"
    is_utf8: bool = False
    due: float = 0.0
    attempts: int = 0
    is_held: bool = False
    reason: str = ""

    @property
    def key(self) -> str:
        """Return whose work it is: ``|name`` for a program, and the same word for all lists."""
        return (
            f"|{self.destination.program}"
            if isinstance(self.destination, ProgramTarget)
            else LISTS_KEY
        )


LISTS_KEY = "lists"


def encode(parcel: Job) -> bytes:
    """Write a parcel as JSON."""
    destination = parcel.destination
    if isinstance(destination, ProgramTarget):
        told = {
            "program": destination.program,
            "for": str(destination.recipient),
            "detail": destination.detail,
        }
    else:
        told = {
            "list": destination.list,
            "role": destination.role.value,
            "detail": destination.detail,
        }
    values = {
        "id": parcel.id,
        "created": parcel.created,
        "sender": str(parcel.sender),
        "errand": told,
        "submitter": parcel.submitter,
        "body": parcel.body,
        "is_utf8": parcel.is_utf8,
        "due": parcel.due,
        "tries": parcel.attempts,
        "is_held": parcel.is_held,
        "reason": parcel.reason,
    }
    return json.dumps(values, indent=1).encode() + b"\n"


def decode(data: bytes) -> Job:
    """Read what ``encode`` has written. Raises ValueError."""
    try:
        values = json.loads(data)
        return Job(
            str(values["id"]),
            float(values["created"]),
            parse(values["sender"]) if values["sender"] else NULL,
            _parse_destination(values["errand"]),
            str(values["submitter"]),
            _BODIES[values["body"]],
            bool(values["is_utf8"]),
            float(values["due"]),
            int(values["tries"]),
            bool(values["is_held"]),
            str(values["reason"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this describes no parcel: {error}") from None


def _parse_destination(told: dict[str, Any]) -> ProgramTarget | ListTarget:
    if "program" in told:
        return ProgramTarget(str(told["program"]), parse(told["for"]), str(told["detail"]))
    return ListTarget(str(told["list"]), ListRole(told["role"]), str(told["detail"]))
