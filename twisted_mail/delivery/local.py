"""Delivery to accounts, programs and lists here: the queue of a server that sends nothing on.

For a message with several kinds of recipients, in this order:

1. Every recipient is routed, unless the route found at RCPT still holds, and every list is asked whether
   it accepts the message: what is refused is refused before anybody gets anything.
2. Jobs for programs and lists are written and synced, and not committed yet.
3. The accounts get their copies.
4. The jobs are committed by a rename, and the sender gets a positive reply.

When 3 fails, the jobs are rolled back: the sender, who keeps the message, sends it again, and no
program or list gets it twice, and accounts that have their copies get no others (see
``partial_deliveries``). When a program fails later, its job is tried again, and nobody else gets a
second copy.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress

from twisted_mail.delivery.attempt import DeliveryAttempt
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.interfaces import Clock, Journal, Router
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.mail.route import JobTarget, LocalRoute, NoRoute, Routes

SLICE_SECONDS = 0.02  # of routing, before others go first: each recipient may be a large alias
NO_QUEUE = Outcome(451, "4.3.5", "Mail for programs and lists is not taken now")


class LocalDelivery:
    """Puts messages into inboxes, or into mailboxes for junk, and queues them for programs and lists.

    Fulfils ``interfaces.Queue``.

    A message is accepted when every account has it. When one does not, the sender keeps the message
    and sends it again, and it goes to the accounts that have it not.
    """

    # What is never sent on needs no TLS; reports would need a queue that sends them.
    supported_keywords = frozenset({"REQUIRETLS"})

    def __init__(self, backend: DeliveryBackend) -> None:
        self._backend = backend

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Deliver to every recipient. Raises Refused or Unavailable; closes the message's blob."""
        jobs: list[Job] = []
        try:
            routes = await self._routes(envelope)
            targets = _targets(routes)
            handoff = self._backend.handoff
            if handoff is not None and (targets or envelope.is_quarantined):
                await handoff.accept(envelope, message)
                return
            if targets:
                jobs = await self._prepare(envelope, message, targets)
        except BaseException:
            message.blob.close()
            raise
        await self._deliver(envelope, message, routes, jobs)

    async def accept_failed(
        self, envelope: Envelope, message: Message, failed: Sequence[OwedRecipient]
    ) -> None:
        """Leave accounts that got no copy to the sender. Raises Unavailable."""
        raise Unavailable(NO_QUEUE)

    async def check_quota(self, accounts: Sequence[str], size: int) -> Outcome | None:
        """Return why none of the accounts has room for ``size`` octets, or None."""
        answers = (await self._backend.store.check_quota(accounts, size)).values()
        errors = [error for error in answers if error is not None]
        if not errors or len(errors) < len(answers):
            return None
        return (next((one for one in errors if one.outcome.is_temporary), errors[0])).outcome

    async def _routes(self, envelope: Envelope) -> Routes:
        """Return the route of each recipient. Raises Refused and Unavailable."""
        known = known_routes(self._backend.router, envelope)
        routes = {one: known[one] for one in envelope.recipients if one in known}
        unknown = [one for one in envelope.recipients if one not in known]
        async for recipient in in_slices(unknown, self._backend.clock):
            route = await self._backend.router.route(recipient)
            if isinstance(route, NoRoute):
                raise _as_error(route.outcome)
            if not isinstance(route, LocalRoute):
                raise Refused(Outcome(550, "5.1.2", "Mail for other domains is not sent yet"))
            routes[recipient] = route
        return routes

    async def _prepare(
        self, envelope: Envelope, message: Message, targets: Sequence[JobTarget]
    ) -> list[Job]:
        if self._backend.job_queue is None:
            raise Unavailable(NO_QUEUE)
        return await self._backend.job_queue.prepare(envelope, message, targets)

    async def _deliver(
        self, envelope: Envelope, message: Message, routes: Routes, jobs: Sequence[Job]
    ) -> None:
        """Put the message into the accounts, then commit the jobs; log what happened."""
        size = message.size - len(message.prefix)  # as it was received
        attempt = DeliveryAttempt(self._backend, envelope, message)
        error: Exception | None = None
        try:
            try:
                error = _failure(await attempt.deliver(routes))
            except BaseException as caught:
                error = caught if isinstance(caught, Exception) else None
                await self._rollback(jobs)
                raise
            if error is not None:
                await self._rollback(jobs)
            elif jobs:
                error = await self._commit(jobs)
        finally:
            is_tried_again = error is not None and _is_tried_again(error)
            await attempt.end(attempt.accounts if is_tried_again else ())
        log_delivery(self._backend.journal, envelope, size, attempt.new, is_accepted=error is None)
        if error is not None:
            raise error

    async def _rollback(self, jobs: Sequence[Job]) -> None:
        if jobs and self._backend.job_queue is not None:
            # What stays is not committed, and removed at the next start.
            with suppress(Unavailable):
                await self._backend.job_queue.rollback(jobs)

    async def _commit(self, jobs: Sequence[Job]) -> Exception | None:
        """Commit the jobs; return why that was not possible, or None.

        Whatever it is, it does not keep the log from saying which accounts have the message.
        """
        if self._backend.job_queue is not None:
            try:
                await self._backend.job_queue.commit(jobs)
            except Exception as error:
                return error
        return None


def _targets(routes: Routes) -> list[JobTarget]:
    """Return the programs and lists that recipients lead to, each once."""
    found: list[JobTarget] = []
    for route in routes.values():
        found += route.programs
        found += route.lists
    return list(dict.fromkeys(found))


def known_routes(router: Router, envelope: Envelope) -> Routes:
    """Return the routes that the envelope knows, if they still hold. Raises Unavailable."""
    known = envelope.routes
    return known.by_recipient if known and known.version == router.version() else {}


async def in_slices(recipients: Sequence[Address], clock: Clock) -> AsyncIterator[Address]:
    """Yield recipients, and let others go first when looking at them takes long."""
    began = clock.monotonic()
    for recipient in recipients:
        yield recipient
        if clock.monotonic() - began >= SLICE_SECONDS:
            await clock.sleep(0)
            began = clock.monotonic()


def log_delivery(
    journal: Journal,
    envelope: Envelope,
    size: int,
    done: Mapping[str, Sequence[str]],
    is_accepted: bool,
) -> None:
    """Log that a message of ``size`` octets was received, if it was accepted, and who got it where.

    Here, so that the log has both in this order in any process; what we wrote ourselves came from no
    client, and is not received.
    """
    if is_accepted and envelope.client_host is not None:
        journal.received(envelope, size)
    for mailbox, accounts in done.items():
        journal.delivered(envelope.id, accounts, mailbox)


def _failure(results: Mapping[str, MailError | None]) -> MailError | None:
    """Return why an account did not get its copy: permanently only if no later attempt can help."""
    errors = [error for error in results.values() if error is not None]
    if not errors:
        return None
    temporary = [error for error in errors if error.outcome.is_temporary]
    worst = (temporary or errors)[0]
    if len(errors) == len(results):
        return _as_error(worst.outcome)
    text = f"Not delivered to every recipient: {worst.outcome.text}"
    return _as_error(Outcome(worst.outcome.code, worst.outcome.enhanced, text))


def _is_tried_again(error: Exception) -> bool:
    """Return whether the sender will send the message again: after a bug, too."""
    return not isinstance(error, MailError) or error.outcome.is_temporary


def _as_error(outcome: Outcome) -> MailError:
    return Unavailable(outcome) if outcome.is_temporary else Refused(outcome)
