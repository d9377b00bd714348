"""Taking mail with an answer for each recipient, for LMTP (RFC 2033 §4.2).

The order is that of ``acceptance``: every recipient is routed, what is for the queue is prepared as one
job, the accounts get their copies, and the job is kept. What concerns one recipient alone keeps nobody
else waiting: a recipient none of whose accounts has a copy is answered so, and left out of the job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twisted_mail.delivery.acceptance import (
    NO_QUEUE,
    Part,
    handed_part,
    in_slices,
    is_handed_over,
    known_routes,
    log_delivery,
    results_of,
)
from twisted_mail.delivery.attempt import DeliveryAttempt
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.owed_recipients import OwedRecipients
from twisted_mail.delivery.queued_part import QueuedPart
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Unavailable
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.mail.queued.target import Target, carried_targets
from twisted_mail.mail.route import LocalRoute, NoRoute, RemoteRoute

_NOT_HERE = Outcome(550, "5.1.2", "Mail for other domains is not taken here")
_BUG = Outcome(451, "4.3.0", "Something went wrong here; try again later")


@dataclass(slots=True)
class _AnswerPlan:
    """What is to be done for the recipients of one message, and what came of it.

    ``owed`` has what the queue brings the message to: as a recipient of the job, or None for what gets
    nothing. ``results`` are those of the accounts.
    """

    answers: dict[Address, Outcome | None] = field(default_factory=dict)
    routes: dict[Address, LocalRoute | RemoteRoute] = field(default_factory=dict)
    owed: dict[Target, OwedRecipient | None] = field(default_factory=dict)
    results: Mapping[str, MailError | None] = field(default_factory=dict)

    @property
    def deliverable(self) -> dict[Address, LocalRoute | RemoteRoute]:
        """Return the recipients that are served, as far as is known, with their routes."""
        return {one: route for one, route in self.routes.items() if self.answers[one] is None}

    @property
    def retried(self) -> set[str]:
        """Return the accounts that the client will send the message to again."""
        return {
            account
            for recipient, route in self.routes.items()
            for account in route.accounts
            if (answer := self.answers[recipient]) is not None and answer.is_temporary
        }

    @property
    def kept(self) -> list[OwedRecipient]:
        """Return the recipients of the job, as far as they are served."""
        targets = dict.fromkeys(
            target for route in self.deliverable.values() for target in carried_targets(route)
        )
        return [owed for target in targets if (owed := self.owed.get(target)) is not None]

    @property
    def joining(self) -> dict[str, MailError]:
        """Return the accounts that the queue is to serve: the client sends to them no more."""
        failed = {
            account
            for recipient, route in self.routes.items()
            if self.answers[recipient] is not None
            for account in route.accounts
        }
        wanted = {account for route in self.deliverable.values() for account in route.accounts}
        return {
            account: error
            for account, error in self.results.items()
            if error is not None and account in wanted - failed
        }

    def answer_by_results(self) -> None:
        """Note which recipients are not served: none of their accounts has a copy."""
        for recipient, route in self.deliverable.items():
            errors = [self.results[name] for name in route.accounts]
            if errors and None not in errors:
                self.answers[recipient] = _worst(errors)

    def fail_queued(self, outcome: Outcome) -> None:
        """Note why what is for the queue is not taken."""
        joining = self.joining
        for recipient, route in self.deliverable.items():
            if carried_targets(route) or any(name in joining for name in route.accounts):
                self.answers[recipient] = outcome

    def fail_reported(self, envelope: Envelope, outcome: Outcome) -> None:
        """Note why it cannot be reported yet that recipients were served, where that is asked for."""
        for recipient in self.deliverable:
            if "SUCCESS" in (envelope.dsn_request(recipient).events or ()):
                self.answers[recipient] = outcome


class LmtpAcceptance:
    """Fulfils ``interfaces.Delivery``."""

    def __init__(self, backend: DeliveryBackend) -> None:
        self._backend = backend
        self._owed = None if backend.queue is None else OwedRecipients(backend.queue, backend.clock)

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Take a message for every recipient for whom it can be done; closes the message's blob."""
        plan = _AnswerPlan()
        try:
            await self._find_routes(envelope, plan)
            handoff = self._backend.handoff
            if handoff and is_handed_over(self._backend, envelope, plan.deliverable):
                return await handoff.deliver_each(envelope, message)
            part = await self._prepare(envelope, message, plan)
        except BaseException:
            message.blob.close()
            raise
        await self._carry_out(envelope, message, plan, part)
        return plan.answers

    # ------------------------------------------------------------ routes

    async def _find_routes(self, envelope: Envelope, plan: _AnswerPlan) -> None:
        """Find the route of each recipient; note why there is none."""
        known = known_routes(self._backend.router, envelope)
        async for recipient in in_slices(envelope.recipients, self._backend.clock):
            if recipient in known:
                plan.answers[recipient], plan.routes[recipient] = None, known[recipient]
            elif recipient not in plan.answers:
                plan.answers[recipient] = await self._route(recipient, plan)

    async def _route(self, recipient: Address, plan: _AnswerPlan) -> Outcome | None:
        try:
            route = await self._backend.router.route(recipient)
        except MailError as error:
            return error.outcome
        if isinstance(route, NoRoute):
            return route.outcome
        if isinstance(route, RemoteRoute) and recipient in route.addresses:
            return _NOT_HERE
        plan.routes[recipient] = route
        return None

    # ------------------------------------------------------------ the queue

    async def _prepare(self, envelope: Envelope, message: Message, plan: _AnswerPlan) -> Part:
        """Prepare what is for the queue; note whose mail it does not take."""
        if self._backend.queue is None or self._owed is None:
            plan.fail_queued(NO_QUEUE)
            return handed_part(self._backend, envelope, message)
        await self._admit(self._owed, envelope, message, plan)
        clock = self._backend.clock
        part = QueuedPart(self._backend.queue, clock, envelope, message, plan.kept)
        try:
            await part.prepare()
        except Unavailable as error:
            plan.fail_queued(error.outcome)
            await part.restrict(())
        return part

    async def _admit(
        self, owed: OwedRecipients, envelope: Envelope, message: Message, plan: _AnswerPlan
    ) -> None:
        """Ask for each recipient whether what it leads to takes the message."""
        header: bytes | None = None
        for recipient, route in plan.deliverable.items():
            for target in owed.targets(envelope, {recipient: route}):
                try:
                    header = await owed.header(envelope.id, message) if header is None else header
                    if target not in plan.owed:
                        reason = await owed.admit(envelope, target, header)
                        number = len(plan.owed) + 1
                        plan.owed[target] = (
                            None
                            if reason is None
                            else owed.owed(envelope, number, target, recipient, route, reason)
                        )
                except MailError as error:
                    plan.answers[recipient] = error.outcome

    # ------------------------------------------------------------ accounts

    async def _carry_out(
        self, envelope: Envelope, message: Message, plan: _AnswerPlan, part: Part
    ) -> None:
        """Deliver what can be delivered; log what happened, even if a bug ends it."""
        attempt = DeliveryAttempt(self._backend, envelope, message)
        size, is_accepted = message.blob.size, False
        try:
            await self._deliver(attempt, plan)
            await self._keep(envelope, plan, part)
            is_accepted = None in plan.answers.values()
        finally:
            if part is not None:
                await part.drop()
            await attempt.end(plan.retried)
            log_delivery(self._backend.journal, envelope, size, attempt.new, is_accepted)

    async def _deliver(self, attempt: DeliveryAttempt, plan: _AnswerPlan) -> None:
        """Put the message into the accounts, each once; note which recipients are not served."""
        deliverable = plan.deliverable
        try:
            plan.results = await results_of(attempt, deliverable)
        except BaseException:
            plan.answers |= dict.fromkeys(deliverable, _BUG)
            raise
        plan.answer_by_results()

    async def _keep(self, envelope: Envelope, plan: _AnswerPlan, part: Part) -> None:
        """Keep the job for those who are served, with the accounts that failed."""
        try:
            if isinstance(part, QueuedPart):
                await part.restrict(plan.kept)
            if part is not None:
                await part.keep(plan.deliverable, plan.results, plan.joining)
            elif plan.joining:
                plan.fail_queued(_worst(list(plan.joining.values())))
        except Unavailable as error:
            plan.fail_queued(error.outcome)
            plan.fail_reported(envelope, error.outcome)


def _worst(errors: Sequence[MailError | None]) -> Outcome:
    """Return why accounts got no copy, temporary reasons first."""
    outcomes = [error.outcome for error in errors if error is not None]
    return next((one for one in outcomes if one.is_temporary), outcomes[0])
