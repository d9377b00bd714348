"""What recipients that are shown wait for: from the database, and from the server, if one runs."""

from collections.abc import Iterable, Mapping
from typing import Any

import apsw

from twisted_mail.control.queue.opened import OpenedQueue
from twisted_mail.control.queue.speaking import speak, speaker
from twisted_mail.interfaces import SelectedRecipient
from twisted_mail.mail.queued.suspension import Suspension
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.words import queries
from twisted_mail.queue.words.waiting import reasons

TURN = WaitReason(WaitKind.TURN)


class Waiting:
    """Knows what waits for what, for the destinations that it was made for."""

    def __init__(self, queue: OpenedQueue, destinations: Iterable[str]) -> None:
        self.suspended: list[Suspension] = queries.suspensions(queue.connection)
        self.is_served = queue.is_served()
        self._known = _asked(queue, sorted(set(destinations))) if self.is_served else {}

    def reasons(self, one: SelectedRecipient, now: float) -> list[WaitReason]:
        """Return all that a recipient waits for."""
        at_destination = self.at_destination(str(one.recipient.destination))
        return reasons(one.job, one.recipient, self.suspended, at_destination, now)

    def at_destination(self, name: str) -> WaitReason | None:
        """Return what mail that is due waits for at a destination; None where no server runs."""
        return self._known.get(name, TURN) if self.is_served else None


def _asked(queue: OpenedQueue, destinations: list[str]) -> dict[str, WaitReason]:
    """Return what the server says; it may end meanwhile, and on a full disk it cannot be asked."""
    if not destinations:
        return {}
    try:
        answer = speak(queue, Word(Act.ASK, destinations=tuple(destinations), by=speaker()))
    except apsw.FullError:
        return {}
    return {name: _reason(data) for name, data in answer.get("waits", {}).items()}


def _reason(data: Mapping[str, Any]) -> WaitReason:
    return WaitReason(WaitKind(data["kind"]), data["until"], data["text"], data["site"])
