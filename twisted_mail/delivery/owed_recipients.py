"""Whom the queue will owe a message: what recipients lead to besides accounts, if it takes the message.

It is asked before anything is promised, so that what is refused is refused in the dialogue.
"""

from twisted_mail.delivery.doors import QueueDoors
from twisted_mail.interfaces import Clock
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Outcome, Refused, Unavailable
from twisted_mail.mail.queued.destination import LIST, Destination
from twisted_mail.mail.queued.job import OwedRecipient, RecipientState
from twisted_mail.mail.queued.target import (
    AccountTarget,
    RemoteTarget,
    Target,
    account_targets,
    carried_targets,
)
from twisted_mail.mail.route import ListTarget, LocalRoute, ProgramTarget, RemoteRoute, Routes

MAX_HEADER = 128 * 1024  # octets of header that are looked at
_LOOPS = Outcome(554, "5.4.6", "The message has been at this address before")
_JUNK = Outcome(550, "5.7.1", "The message was taken for junk, and is not sent on")
_TOO_MANY_HELD = Outcome(452, "4.3.1", "Too many messages wait for the owners of this list")


def waits_for_release(envelope: Envelope, now: float) -> bool:
    """Return whether nobody is to get a message yet (RFC 4865 §4)."""
    wanted = envelope.mail_parameters.future_release
    return wanted is not None and wanted.until > now


class OwedRecipients:
    """Finds the recipients of jobs, with the consent of lists."""

    def __init__(self, doors: QueueDoors, clock: Clock) -> None:
        self._doors = doors
        self._clock = clock

    async def find(
        self, envelope: Envelope, message: Message, routes: Routes
    ) -> list[OwedRecipient]:
        """Return the recipients for the queue. Raises Refused and Unavailable.

        Mail that is quarantined is not sent on; that is refused where nobody else gets it.
        """
        targets = self.targets(envelope, routes)
        if not targets:  # nearly all mail
            return []
        if envelope.is_quarantined and all(isinstance(one, RemoteTarget) for one in targets):
            if not any(route.accounts for route in routes.values()):
                raise Refused(_JUNK)
            return []
        is_asked = any(not isinstance(one, RemoteTarget) for one in targets)
        header = await self.header(envelope.id, message) if is_asked else b""
        found: list[OwedRecipient] = []
        for target, recipient in targets.items():
            if envelope.is_quarantined and isinstance(target, RemoteTarget):
                continue
            reason = await self.admit(envelope, target, header)
            if reason is not None:
                number, route = len(found) + 1, routes[recipient]
                found.append(self.owed(envelope, number, target, recipient, route, reason))
        return found

    def targets(self, envelope: Envelope, routes: Routes) -> dict[Target, Address]:
        """Return what the queue brings a message to, with the recipient that leads there."""
        found: dict[Target, Address] = {}
        is_early = waits_for_release(envelope, self._clock.now())
        for recipient, route in routes.items():
            for target in carried_targets(route):
                found.setdefault(target, recipient)
            if is_early:
                for account in account_targets(route, recipient):
                    found.setdefault(account, recipient)
        return found

    async def header(self, id: str, message: Message) -> bytes:
        """Return the header of a message as far as it is looked at. Raises Unavailable."""
        try:
            return await self._doors.blocking.run(_header, message)
        except OSError as error:
            self._doors.report_fault(f"message {id}", error)
            raise Unavailable("The message cannot be read now") from error

    async def admit(self, envelope: Envelope, target: Target, header: bytes) -> str | None:
        """Return the empty text for mail that a target takes, or why it is held; None to drop it.

        Raises Refused and Unavailable.
        """
        match target:
            case ListTarget():
                reason = await self._doors.admission.admit(envelope, target, header)
                if reason:
                    await self._check_held(target)
                return reason
            case ProgramTarget() if _was_delivered_to(header, str(target.recipient)):
                raise Refused(_LOOPS)
            case RemoteTarget() if envelope.is_quarantined:
                raise Refused(_JUNK)
        return ""

    async def _check_held(self, target: ListTarget) -> None:
        most = self._doors.max_held
        if await self._doors.spool.count_held(Destination(LIST, target.list), most) >= most:
            raise Unavailable(_TOO_MANY_HELD)

    def owed(
        self,
        envelope: Envelope,
        number: int,
        target: Target,
        recipient: Address,
        route: LocalRoute | RemoteRoute,
        reason: str,
    ) -> OwedRecipient:
        """Return a new recipient, held if there is a reason."""
        wanted = envelope.mail_parameters.future_release
        is_itself = isinstance(target, AccountTarget) or target.recipient.key == recipient.key
        return OwedRecipient(
            number,
            target,
            self._doors.onward_request(envelope.dsn_request(recipient), recipient, route),
            None if is_itself else recipient,
            state=RecipientState.HELD if reason else RecipientState.WAITING,
            due=0.0 if wanted is None else wanted.until,  # 0: at once
            reason=reason,
        )


def _header(message: Message) -> bytes:
    """Return the header of a message as far as it is looked at, our trace fields included."""
    data = bytearray()
    for piece in message.pieces():
        data += piece[:MAX_HEADER]
        end = data.find(b"\r\n\r\n")
        if end >= 0 or len(data) >= MAX_HEADER:
            return bytes(data[: end + 2 if end >= 0 else MAX_HEADER])
    return bytes(data)


def _was_delivered_to(header: bytes, address: str) -> bool:
    """Return whether a message has been delivered to this address before.

    What comes in again has the field as ``Old-Delivered-To``, so that it does not pass for one of now.
    """
    field = b"delivered-to: " + address.encode().lower() + b"\r\n"
    lines = b"\r\n" + header.lower()
    return b"\r\n" + field in lines or b"\r\nold-" + field in lines
