"""The doors that final delivery needs, for SMTP and for LMTP."""

from dataclasses import dataclass
from typing import Protocol

from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.interfaces import Clock, Delivery, JobQueue, Journal, Router, Store
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message


class DeliveryHandoff(Delivery, Protocol):
    """Another process of this server, which does what this one hands over."""

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Take responsibility for a message, as ``interfaces.Queue`` does."""


@dataclass(frozen=True, slots=True)
class DeliveryBackend:
    """What ``local`` and ``lmtp_delivery`` deliver with.

    Without ``job_queue`` there are no programs and lists. ``handoff`` gets what is for those, and what
    is quarantined, whole: all that needs more than putting files into inboxes. Without
    ``partial_deliveries`` a retry gives all accounts a message again. With ``saves_to_detail_mailbox``
    mail with a detail goes to the mailbox of that name, if there is one.
    """

    router: Router
    store: Store
    journal: Journal
    clock: Clock
    job_queue: JobQueue | None = None
    handoff: DeliveryHandoff | None = None
    partial_deliveries: PartialDeliveries | None = None
    saves_to_detail_mailbox: bool = False
