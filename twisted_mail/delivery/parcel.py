"""Parcels: one message on its way to one program or one mailing list, as it is kept on disk."""

import json
from dataclasses import dataclass
from typing import Any

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import Body
from twisted_mail.mail.mailing_list import Role
from twisted_mail.mail.route import Errand, ListMail

MAX_STATE = 64 * 1024  # octets of the file that describes a parcel
_BODIES: dict[str, Body] = {"7BIT": "7BIT", "8BITMIME": "8BITMIME", "BINARYMIME": "BINARYMIME"}


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that waits, for whom, and how it stands.

    ``id`` is the message's and the number of the errand: ``0abc...-1``. ``due`` is when it is tried
    next, in seconds since 1970 as ``created``. What ``is_held`` waits for somebody's word;
    ``reason`` says why it is held or was not done.
    """

    id: str
    created: float
    sender: Address
    errand: Errand | ListMail
    submitter: str = ""
    body: Body = "7BIT"
    is_utf8: bool = False
    due: float = 0.0
    tries: int = 0
    is_held: bool = False
    reason: str = ""

    @property
    def key(self) -> str:
        """Return whose work it is: ``|name`` for a program, and the same word for all lists."""
        return f"|{self.errand.program}" if isinstance(self.errand, Errand) else LISTS


LISTS = "lists"


def encode(parcel: Parcel) -> bytes:
    """Write a parcel as JSON."""
    errand = parcel.errand
    if isinstance(errand, Errand):
        told = {"program": errand.program, "for": str(errand.recipient), "detail": errand.detail}
    else:
        told = {"list": errand.list, "role": errand.role.value, "detail": errand.detail}
    values = {
        "id": parcel.id,
        "created": parcel.created,
        "sender": str(parcel.sender),
        "errand": told,
        "submitter": parcel.submitter,
        "body": parcel.body,
        "is_utf8": parcel.is_utf8,
        "due": parcel.due,
        "tries": parcel.tries,
        "is_held": parcel.is_held,
        "reason": parcel.reason,
    }
    return json.dumps(values, indent=1).encode() + b"\n"


def decode(data: bytes) -> Parcel:
    """Read what ``encode`` has written. Raises ValueError."""
    try:
        values = json.loads(data)
        return Parcel(
            str(values["id"]),
            float(values["created"]),
            parse(values["sender"]) if values["sender"] else NULL,
            _errand(values["errand"]),
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


def _errand(told: dict[str, Any]) -> Errand | ListMail:
    if "program" in told:
        return Errand(str(told["program"]), parse(told["for"]), str(told["detail"]))
    return ListMail(str(told["list"]), Role(told["role"]), str(told["detail"]))
