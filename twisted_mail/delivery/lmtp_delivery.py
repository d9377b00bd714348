"""Final delivery with an answer for each recipient, for LMTP (RFC 2033 §4.2).

The order is that of ``local``: every recipient is routed, jobs for programs and lists are written and
not committed yet, the accounts get their copies, and the jobs of those recipients are committed whose
every account has one. What concerns one recipient alone keeps nobody else waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from twisted_mail.delivery.attempt import DeliveryAttempt
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.local import (
    NO_QUEUE,
    in_slices,
    known_routes,
    log_delivery,
)
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import Job
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Outcome, Unavailable
from twisted_mail.mail.route import JobTarget, LocalRoute, NoRoute

_NOT_HERE = Outcome(550, "5.1.2", "Mail for other domains is not taken here")

PreparedJobs = list[Job] | Outcome  # of one target: it may need none, or cannot be accepted


@dataclass(slots=True)
class _RecipientPlan:
    """What is to be done for the recipients of one message, and what came of it."""

    answers: dict[Address, Outcome | None] = field(default_factory=dict)
    routes: dict[Address, LocalRoute] = field(default_factory=dict)
    jobs: dict[JobTarget, PreparedJobs] = field(default_factory=dict)

    @property
    def deliverable(self) -> list[tuple[Address, LocalRoute]]:
        """Return the recipients that can be delivered to, with their routes."""
        return [(one, route) for one, route in self.routes.items() if self.answers[one] is None]

    @property
    def retried(self) -> set[str]:
        """Return the accounts that the client will send the message to again."""
        return {
            account
            for recipient, route in self.routes.items()
            for account in route.accounts
            if (answer := self.answers[recipient]) is not None and answer.is_temporary
        }


class LmtpDelivery:
    """Fulfils ``interfaces.Delivery``."""

    def __init__(self, backend: DeliveryBackend) -> None:
        self._backend = backend

    async def deliver_each(
        self, envelope: Envelope, message: Message
    ) -> Mapping[Address, Outcome | None]:
        """Deliver to every recipient for whom it can be done; closes the message's blob."""
        plan = _RecipientPlan()
        try:
            await self._find_routes(envelope, plan)
            if self._is_handed_over(envelope, plan):
                assert self._backend.handoff is not None
                return await self._backend.handoff.deliver_each(envelope, message)
            for recipient, route in plan.deliverable:
                plan.answers[recipient] = await self._prepare(envelope, message, route, plan)
        except BaseException:
            message.blob.close()
            raise
        await self._carry_out(envelope, message, plan)
        return plan.answers

    async def _carry_out(self, envelope: Envelope, message: Message, plan: _RecipientPlan) -> None:
        """Deliver what can be delivered; log what happened, even if a bug ends it."""
        attempt = DeliveryAttempt(self._backend, envelope, message)
        size, is_accepted = message.blob.size, False
        try:
            try:
                await self._deliver(attempt, plan)
            finally:
                await self._finish_jobs(plan)
            is_accepted = None in plan.answers.values()
        finally:
            await attempt.end(plan.retried)
            log_delivery(self._backend.journal, envelope, size, attempt.new, is_accepted)

    def _is_handed_over(self, envelope: Envelope, plan: _RecipientPlan) -> bool:
        if self._backend.handoff is None:
            return False
        return envelope.is_quarantined or any(_targets(route) for _, route in plan.deliverable)

    async def _find_routes(self, envelope: Envelope, plan: _RecipientPlan) -> None:
        """Find the route of each recipient; note why there is none."""
        known = known_routes(self._backend.router, envelope)
        async for recipient in in_slices(envelope.recipients, self._backend.clock):
            route = known.get(recipient)
            if isinstance(route, LocalRoute):
                plan.answers[recipient], plan.routes[recipient] = None, route
            elif recipient not in plan.answers:
                plan.answers[recipient] = await self._route(recipient, plan)

    async def _route(self, recipient: Address, plan: _RecipientPlan) -> Outcome | None:
        try:
            route = await self._backend.router.route(recipient)
        except MailError as error:
            return error.outcome
        if isinstance(route, NoRoute):
            return route.outcome
        if not isinstance(route, LocalRoute):
            return _NOT_HERE
        plan.routes[recipient] = route
        return None

    # ------------------------------------------------------------ programs and lists

    async def _prepare(
        self, envelope: Envelope, message: Message, route: LocalRoute, plan: _RecipientPlan
    ) -> Outcome | None:
        """Write the jobs that a recipient needs; return why one cannot be accepted, or None."""
        for target in _targets(route):
            if target not in plan.jobs:
                plan.jobs[target] = await self._prepare_job(envelope, message, target, plan)
            jobs = plan.jobs[target]
            if isinstance(jobs, Outcome):
                return jobs
        return None

    async def _prepare_job(
        self,
        envelope: Envelope,
        message: Message,
        target: JobTarget,
        plan: _RecipientPlan,
    ) -> PreparedJobs:
        if self._backend.job_queue is None:
            return NO_QUEUE
        alone = replace(envelope, id=f"{envelope.id}-{len(plan.jobs) + 1}")
        try:
            return await self._backend.job_queue.prepare(alone, message, [target])
        except MailError as error:
            return error.outcome

    async def _finish_jobs(self, plan: _RecipientPlan) -> None:
        """Commit the jobs of those recipients who are served, and roll the others back."""
        served = {target for _, route in plan.deliverable for target in _targets(route)}
        for target, jobs in plan.jobs.items():
            if self._backend.job_queue is None or isinstance(jobs, Outcome) or not jobs:
                continue
            try:
                settle = (
                    self._backend.job_queue.commit
                    if target in served
                    else self._backend.job_queue.rollback
                )
                await settle(jobs)
            except Unavailable as error:  # what stays is removed at the next start
                self._fail(target, error.outcome, plan)

    def _fail(self, target: JobTarget, outcome: Outcome, plan: _RecipientPlan) -> None:
        for recipient, route in plan.deliverable:
            if target in _targets(route):
                plan.answers[recipient] = outcome

    # ------------------------------------------------------------ accounts

    async def _deliver(self, attempt: DeliveryAttempt, plan: _RecipientPlan) -> None:
        """Put the message into the accounts, each once; note which recipients are not served."""
        deliverable = plan.deliverable
        try:
            results = await attempt.deliver(dict(deliverable))
        except BaseException as error:
            outcome = error.outcome if isinstance(error, MailError) else _BUG
            plan.answers |= dict.fromkeys((one for one, _ in deliverable), outcome)
            if not isinstance(error, MailError):
                raise
            return
        for recipient, route in deliverable:
            plan.answers[recipient] = _worst([results[name] for name in route.accounts])


def _targets(route: LocalRoute) -> tuple[JobTarget, ...]:
    return (*route.programs, *route.lists)


_BUG = Outcome(451, "4.3.0", "Something went wrong here; try again later")


def _worst(results: list[MailError | None]) -> Outcome | None:
    """Return why an account that a recipient leads to got no copy, temporary reasons first."""
    outcomes = [error.outcome for error in results if error is not None]
    return next((one for one in outcomes if one.is_temporary), next(iter(outcomes), None))
