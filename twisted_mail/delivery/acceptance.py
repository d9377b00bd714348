"""Taking responsibility for mail: the accounts here get their copies, the queue the rest.

For a message with several kinds of recipients, in this order:

1. Every recipient is routed, unless the route found at RCPT still holds, and every list is asked whether
   it accepts the message: what is refused is refused before anybody gets anything.
2. What is for programs, lists and other hosts is prepared as one job, on disk and not promised yet.
3. The accounts get their copies.
4. The job is kept, and the sender gets a positive reply. An account that could not take its copy now
   joins it; of one that never will the sender gets a report, in the same commit.

Where no account here gets a copy, the job is written and promised in one commit. Where all accounts fail,
the job is dropped, and the reply is the refusal of one of them.

A sender that keeps a message though some accounts have it, because the queue could not take the others
either (a full disk strikes both), sends it again: ``partial_deliveries`` remembers who has it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from twisted_mail.delivery.attempt import DeliveryAttempt
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.owed_recipients import OwedRecipients, waits_for_release
from twisted_mail.delivery.queued_part import HandedPart, QueuedPart
from twisted_mail.interfaces import Clock, Journal, Router
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.mail.queued.target import carried_targets
from twisted_mail.mail.route import NoRoute, RemoteRoute, Routes

SLICE_SECONDS = 0.02  # of routing, before others go first: each recipient may be a large alias
NO_QUEUE = Outcome(451, "4.3.5", "Mail for programs, lists and other hosts is not taken now")

Part = QueuedPart | HandedPart | None  # None: there is no queue, or nothing for it


class MailAcceptance:
    """Takes mail in. Fulfils ``interfaces.Queue``."""

    supported_keywords = frozenset({"DSN", "REQUIRETLS", "TLS-Required"})

    def __init__(self, backend: DeliveryBackend) -> None:
        self._backend = backend
        self._owed = None if backend.queue is None else OwedRecipients(backend.queue, backend.clock)

    async def accept(self, envelope: Envelope, message: Message) -> None:
        """Take a message for every recipient. Raises Refused or Unavailable; closes its blob."""
        try:
            routes = await self._routes(envelope)
            if self._backend.handoff is not None and is_handed_over(
                self._backend, envelope, routes
            ):
                await self._backend.handoff.accept(envelope, message)
                return
            part, has_accounts = await self._prepare(envelope, message, routes)
        except BaseException:
            message.blob.close()
            raise
        if has_accounts:
            await self._deliver(envelope, message, routes, part)
        else:
            message.blob.close()
            self._log(envelope, message, {}, is_accepted=True)

    async def accept_failed(
        self, envelope: Envelope, message: Message, failed: Sequence[OwedRecipient]
    ) -> None:
        """Take a message for accounts that a worker could not give it to; the blob is lent.

        Raises Unavailable.
        """
        if self._backend.queue is None:
            raise Unavailable(NO_QUEUE)
        clock = self._backend.clock
        await QueuedPart(self._backend.queue, clock, envelope, message).take(failed)

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
                raise as_error(route.outcome)
            routes[recipient] = route
        return routes

    # ------------------------------------------------------------ the queue

    async def _prepare(
        self, envelope: Envelope, message: Message, routes: Routes
    ) -> tuple[Part, bool]:
        """Prepare what is for the queue; return it, and whether accounts get copies now.

        Where they do not, it is accepted already. Raises Refused and Unavailable.
        """
        if is_for_accounts_alone(envelope, routes):  # nearly all mail
            return None, True
        clock = self._backend.clock
        if self._backend.queue is None or self._owed is None:
            return self._without_queue(envelope, message, routes), True
        owed = await self._owed.find(envelope, message, routes)
        part = QueuedPart(self._backend.queue, clock, envelope, message, owed)
        is_early = waits_for_release(envelope, clock.now())
        has_accounts = not is_early and any(route.accounts for route in routes.values())
        await (part.prepare() if has_accounts else part.accept(routes))
        return part, has_accounts

    def _without_queue(self, envelope: Envelope, message: Message, routes: Routes) -> Part:
        if any(carried_targets(route) for route in routes.values()):
            raise Unavailable(NO_QUEUE)
        return handed_part(self._backend, envelope, message)

    def _part_for_accounts(self, envelope: Envelope, message: Message) -> Part:
        """Return what takes accounts that get no copy now, of a message that is for accounts alone."""
        if self._backend.queue is None:
            return handed_part(self._backend, envelope, message)
        return QueuedPart(self._backend.queue, self._backend.clock, envelope, message)

    # ------------------------------------------------------------ accounts

    async def _deliver(
        self, envelope: Envelope, message: Message, routes: Routes, part: Part
    ) -> None:
        """Put the message into the accounts, then keep the job; log what happened."""
        attempt = DeliveryAttempt(self._backend, envelope, message)
        error: Exception | None = None
        try:
            results = await results_of(attempt, routes)
            if part is None and any(results.values()):
                part = self._part_for_accounts(envelope, message)
            error = await _keep(part, routes, results)
        except BaseException as caught:
            error = caught if isinstance(caught, Exception) else None
            raise
        finally:
            if part is not None:
                await part.drop()  # what is not kept by now
            is_tried_again = error is not None and _is_tried_again(error)
            await attempt.end(attempt.accounts if is_tried_again else ())
        self._log(envelope, message, attempt.new, is_accepted=error is None)
        if error is not None:
            raise error

    def _log(
        self,
        envelope: Envelope,
        message: Message,
        done: Mapping[str, Sequence[str]],
        is_accepted: bool,
    ) -> None:
        size = message.size - len(message.prefix)  # as it was received
        log_delivery(self._backend.journal, envelope, size, done, is_accepted)


async def _keep(
    part: Part, routes: Routes, results: Mapping[str, MailError | None]
) -> Exception | None:
    """Keep the job, if any account has its copy; return why the sender keeps the message, or None.

    Whatever it is, it does not keep the log from saying which accounts have the message.
    """
    failure = _failure(results)
    errors = {name: error for name, error in results.items() if error is not None}
    if part is None or (errors and len(errors) == len(results)):
        return failure
    try:
        await part.keep(routes, results, errors)
    except Unavailable as unavailable:
        return failure if failure is not None and _is_tried_again(failure) else unavailable
    except Exception as bug:
        return bug
    return None


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


def is_for_accounts_alone(envelope: Envelope, routes: Routes) -> bool:
    """Return whether nothing of a message is for the queue, as long as the accounts get their copies."""
    if envelope.dsn_requests or envelope.mail_parameters.future_release is not None:
        return False
    return not any(
        isinstance(route, RemoteRoute) or route.programs or route.lists for route in routes.values()
    )


def is_handed_over(backend: DeliveryBackend, envelope: Envelope, routes: Routes) -> bool:
    """Return whether the process that has the queue is to take a message whole."""
    if envelope.is_quarantined or envelope.dsn_requests:
        return True
    if waits_for_release(envelope, backend.clock.now()):
        return True
    return any(carried_targets(route) for route in routes.values())


def handed_part(
    backend: DeliveryBackend, envelope: Envelope, message: Message
) -> HandedPart | None:
    """Return what is handed over of a message that is delivered here; None if there is nobody."""
    if backend.handoff is None:
        return None
    return HandedPart(backend.handoff, backend.clock, envelope, message)


async def results_of(attempt: DeliveryAttempt, routes: Routes) -> Mapping[str, MailError | None]:
    """Return why each account has no copy, or None; what fails them all is why of each."""
    try:
        return await attempt.deliver(routes)
    except MailError as error:
        return {one: attempt.results.get(one, error) for one in attempt.accounts}


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
        return as_error(worst.outcome)
    text = f"Not delivered to every recipient: {worst.outcome.text}"
    return as_error(Outcome(worst.outcome.code, worst.outcome.enhanced, text))


def _is_tried_again(error: Exception) -> bool:
    """Return whether the sender will send the message again: after a bug, too."""
    return not isinstance(error, MailError) or error.outcome.is_temporary


def as_error(outcome: Outcome) -> MailError:
    """Return an outcome as the error that has it."""
    return Unavailable(outcome) if outcome.is_temporary else Refused(outcome)
