"""The doors that final delivery and the acceptance of mail need, for SMTP and for LMTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.interfaces import (
    Blocking,
    Clock,
    Delivery,
    FaultReport,
    JobSpool,
    Journal,
    ListAdmission,
    QueueJournal,
    ReportedRecipient,
    Reports,
    Router,
    Store,
    unreported,
)
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import DsnRequest, Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.mail.route import LocalRoute, RemoteRoute, Routes

_DAY = 86_400.0


class DeliveryHandoff(Delivery, Protocol):
    """Another process of this server, which does what this one hands over."""

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Take responsibility for a message, as ``interfaces.Queue`` does."""

    async def accept_failed(
        self, envelope: Envelope, message: Message, failed: Sequence[OwedRecipient]
    ) -> None:
        """Take responsibility for accounts that could not be given their copies: others were.

        The message's blob stays the caller's. Raises Unavailable.
        """


OnwardRequest = Callable[[DsnRequest, Address, LocalRoute | RemoteRoute], DsnRequest]
ToldAtAcceptance = Callable[
    [Envelope, Routes, Mapping[str, MailError | None], float], Sequence[ReportedRecipient]
]


def unaltered(
    request: DsnRequest, recipient: Address, route: LocalRoute | RemoteRoute
) -> DsnRequest:
    """Return the reports that are asked for, which are asked for about all that a route leads to."""
    return request


def _nobody(*_: object) -> Sequence[ReportedRecipient]:
    return ()


@dataclass(frozen=True, slots=True)
class QueueDoors:
    """What puts mail into the queue.

    ``admission`` decides for mailing lists, of each of which at most ``max_held`` posts wait for its
    owners. An account that could not take its copy is tried again after ``first_retry`` seconds; what has
    failed and nobody can be told of is kept for ``dead_seconds``. ``onward_request`` returns the reports
    that are asked about what a route leads to, ``told_at_acceptance`` what the sender learns at once.
    """

    spool: JobSpool
    reports: Reports
    admission: ListAdmission
    blocking: Blocking
    max_held: int = 500
    first_retry: float = 300.0
    dead_seconds: float = 30 * _DAY
    onward_request: OnwardRequest = unaltered
    told_at_acceptance: ToldAtAcceptance = _nobody
    report_fault: FaultReport = unreported
    events: QueueJournal | None = None


@dataclass(frozen=True, slots=True)
class DeliveryBackend:
    """What mail is accepted and delivered with.

    Without ``queue`` there are no programs, lists and other hosts. ``handoff`` gets what is for those,
    and what is quarantined, whole: all that needs more than putting files into inboxes. Without
    ``partial_deliveries`` a retry gives all accounts a message again. With ``saves_to_detail_mailbox``
    mail with a detail goes to the mailbox of that name, if there is one.
    """

    router: Router
    store: Store
    journal: Journal
    clock: Clock
    handoff: DeliveryHandoff | None = None
    partial_deliveries: PartialDeliveries | None = None
    saves_to_detail_mailbox: bool = False
    queue: QueueDoors | None = None
