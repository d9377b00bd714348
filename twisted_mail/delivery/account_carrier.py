"""Bringing mail to accounts here that could not be given it at once, or were not to have it yet."""

from collections.abc import Mapping
from dataclasses import replace

from twisted_mail.delivery.attempt import DeliveryAttempt
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.interfaces import Site, Work
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import BorrowedBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.destination import ACCOUNT, Destination
from twisted_mail.mail.queued.job import Transaction
from twisted_mail.mail.queued.target import AccountTarget
from twisted_mail.mail.route import LocalRoute, NoRoute, Routes

READ_SECONDS = 5.0  # within which the first message is read from the queue
_DELIVERED = Outcome(250, "2.0.0", "Delivered")
_GONE = Outcome(550, "5.1.1", "There is no such mailbox here any more")


class AccountCarrier:
    """Delivers into accounts. Fulfils ``interfaces.Carrier``."""

    name = ACCOUNT

    def __init__(self, backend: DeliveryBackend) -> None:
        # Nobody tries this again but the queue, which knows who is still owed a copy.
        self._backend = replace(backend, partial_deliveries=None)

    async def site(self, destination: Destination) -> Site | Attempt:
        """Return the site of an account: itself."""
        return Site(ACCOUNT, destination.name)

    async def serve(self, site: Site, work: Work) -> None:
        """Deliver what there is for an account."""
        transaction = await work.wait(READ_SECONDS)
        while transaction is not None:
            work.done(transaction, await self._attempts(transaction))
            transaction = work.next()

    async def _attempts(self, transaction: Transaction) -> Mapping[int, Attempt]:
        """Try one message; all its recipients are addresses of one account."""
        account = transaction.destination.name
        try:
            await self._check_account(account)
            outcome = await self._deliver(account, transaction)
        except MailError as error:
            outcome = error.outcome
        attempt = Attempt(outcome, self._backend.clock.now(), _class_of(outcome))
        return {recipient.number: attempt for recipient in transaction.recipients}

    async def _check_account(self, account: str) -> None:
        """Make sure that there is still such an account. Raises Refused and Unavailable."""
        route = await self._backend.router.route(parse(account))
        if not isinstance(route, NoRoute) and account in route.accounts:
            return
        is_temporary = isinstance(route, NoRoute) and route.outcome.is_temporary
        raise Refused(route.outcome if isinstance(route, NoRoute) and is_temporary else _GONE)

    async def _deliver(self, account: str, transaction: Transaction) -> Outcome:
        job, message = transaction.job, transaction.message
        routes = _routes(account, transaction)
        envelope = Envelope(
            job.id,
            transaction.sender,
            tuple(routes),
            job.submitter,
            job.is_quarantined,
            job.mail_parameters,
            message_id=job.message_id,
        )
        lent = Message(BorrowedBlob(message.blob), transaction.fields + message.prefix)
        attempt = DeliveryAttempt(self._backend, envelope, lent)
        error = (await attempt.deliver(routes))[account]
        for mailbox, accounts in attempt.new.items():
            self._backend.journal.delivered(job.id, accounts, mailbox)
        return _DELIVERED if error is None else error.outcome


def _routes(account: str, transaction: Transaction) -> Routes:
    """Return the recipients with the route to their account."""
    found = {}
    for recipient in transaction.recipients:
        target = recipient.target
        detail = target.detail if isinstance(target, AccountTarget) else ""
        details = ((account, detail),) if detail else ()
        found[target.recipient] = LocalRoute((account,), details=details)
    return found


def _class_of(outcome: Outcome) -> ReplyClass:
    """Return what a failure is about, by its enhanced code (RFC 3463 §3)."""
    if outcome.enhanced.endswith(".2.2"):
        return ReplyClass.FULL
    return ReplyClass.MAILBOX if outcome.enhanced.endswith(".1.1") else ReplyClass.OTHER
