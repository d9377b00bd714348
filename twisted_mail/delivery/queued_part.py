"""The part of a message that the queue brings on: its job, from prepared to kept or gone.

| step | what is on disk |
| --- | --- |
| ``prepare`` | the job, which nobody is promised |
| accounts get their copies | |
| ``keep`` | the job is ours, with the accounts that failed for now, and reports on the others |
| ``drop`` | nothing: the sender keeps the message |
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from twisted_mail.delivery.doors import DeliveryHandoff, OnwardRequest, QueueDoors, unaltered
from twisted_mail.interfaces import Clock, ReportAction, ReportedRecipient, SpoolChange
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, job_of, undeliverable
from twisted_mail.mail.queued.target import AccountTarget
from twisted_mail.mail.route import Routes

Results = Mapping[str, MailError | None]  # of accounts: why they have no copy, or None


class QueuedPart:
    """The job of one message for ``owed``, who may be nobody; the blob stays the caller's."""

    def __init__(
        self,
        doors: QueueDoors,
        clock: Clock,
        envelope: Envelope,
        message: Message,
        owed: Sequence[OwedRecipient] = (),
    ) -> None:
        self._doors = doors
        self._clock = clock
        self._envelope = envelope
        self._message = message
        self._owed = tuple(owed)
        self._is_prepared = False
        self.job = job_of(envelope, message.size, clock.now())

    async def accept(self, routes: Routes) -> None:
        """Take responsibility for those who are owed, in one commit. Raises Unavailable."""
        told = self._doors.told_at_acceptance(self._envelope, routes, {}, self._clock.now())
        if told:
            await self.prepare()  # where there is room for it
            try:
                await self.take((), told)
            except BaseException:
                await self.drop()
                raise
        elif self._owed:
            await self._doors.spool.accept(self._new_job())
            self._note(self._owed)

    async def prepare(self) -> None:
        """Write the job, and promise nothing yet. Raises Unavailable."""
        if self._owed:
            await self._doors.spool.prepare(self._new_job())
            self._is_prepared = True

    def _new_job(self, *joined: OwedRecipient) -> NewJob:
        return NewJob(self.job, (*self._owed, *joined), self._message)

    async def restrict(self, owed: Sequence[OwedRecipient]) -> None:
        """Leave out of the job all but these of its recipients."""
        if len(owed) != len(self._owed):
            await self.drop()
            self._owed = tuple(owed)

    async def keep(self, routes: Routes, results: Results, errors: Mapping[str, MailError]) -> None:
        """Take responsibility for the job, and for the accounts that got no copy, by ``errors``.

        Raises Unavailable; then the sender keeps the message.
        """
        now = self._clock.now()
        told = self._doors.told_at_acceptance(self._envelope, routes, results, now)
        if self._owed or errors or told:
            first = max((one.number for one in self._owed), default=0) + 1
            failed = failed_recipients(
                self._envelope, routes, errors, first, now, self._doors.onward_request
            )
            await self.take(failed, told)

    async def take(
        self, failed: Sequence[OwedRecipient], told: Sequence[ReportedRecipient] = ()
    ) -> None:
        """Take responsibility for the job, and for accounts that were tried once.

        One that can never take its copy is not tried again: the sender gets a report, which tells of
        ``told``, too. Raises Unavailable.
        """
        due = self._clock.now() + self._doors.first_retry
        later = [replace(one, due=due) for one in failed if _is_temporary(one)]
        failures = [one for one in failed if not _is_temporary(one)]
        successes = [one for one in told if one.action is not ReportAction.FAILED]
        new, unreported = await self._reports(failures, successes)
        joined = [*later, *unreported]
        if self._is_prepared:
            await self._doors.spool.keep(self.job.id, joined, new)
            self._is_prepared = False
        elif self._owed or joined or new:
            jobs = [self._new_job(*joined)] if self._owed or joined else []
            await self._doors.spool.apply(SpoolChange(new=[*jobs, *new]))
        self._note((*self._owed, *joined))

    def _note(self, recipients: Sequence[OwedRecipient]) -> None:
        if recipients and self._doors.events is not None:
            self._doors.events.accepted(self.job, recipients)

    async def _reports(
        self, failures: Sequence[OwedRecipient], successes: Sequence[ReportedRecipient]
    ) -> tuple[Sequence[NewJob], Sequence[OwedRecipient]]:
        """Return the reports, and those who have failed and whom none of them tells of.

        Raises Unavailable where successes cannot be reported now, and would not be later either: the
        sender keeps the message then, and sends it again.
        """
        told = [*(ReportedRecipient(one, ReportAction.FAILED) for one in failures), *successes]
        if not told:
            return (), ()
        try:
            written = await self._doors.reports.write(self.job, self._message, told)
        except Unavailable:
            if successes:
                raise
            return (), failures  # they fail once more, and are reported on then
        until = self._clock.now() + self._doors.dead_seconds
        lost = [undeliverable(one, until) for one in failures if one.number in written.lost]
        return written.jobs, lost

    async def drop(self) -> None:
        """Forget a job that is prepared only. What stays for now goes with the process."""
        if self._is_prepared:
            self._is_prepared = False
            with suppress(Unavailable):
                await self._doors.spool.drop(self.job.id)


class HandedPart:
    """What another process queues of a message that was delivered here: accounts that got no copy."""

    def __init__(
        self, handoff: DeliveryHandoff, clock: Clock, envelope: Envelope, message: Message
    ) -> None:
        self._handoff = handoff
        self._clock = clock
        self._envelope = envelope
        self._message = message

    async def keep(self, routes: Routes, results: Results, errors: Mapping[str, MailError]) -> None:
        """Hand the accounts over that got no copy. Raises Unavailable."""
        if errors:
            failed = failed_recipients(self._envelope, routes, errors, 1, self._clock.now())
            await self._handoff.accept_failed(self._envelope, self._message, failed)

    async def drop(self) -> None:
        """Do nothing: nothing is prepared here."""


def _is_temporary(one: OwedRecipient) -> bool:
    return one.last is not None and one.last.outcome.is_temporary


def failed_recipients(
    envelope: Envelope,
    routes: Routes,
    errors: Mapping[str, MailError],
    first: int,
    now: float,
    onward_request: OnwardRequest = unaltered,
) -> list[OwedRecipient]:
    """Return accounts that got no copy as recipients who were tried once, numbered from ``first``."""
    found = []
    for number, (account, error) in enumerate(errors.items(), first):
        recipient = _recipient_of(account, routes)
        route, last = routes[recipient], Attempt(error.outcome, now)
        target = AccountTarget(account, recipient, dict(route.details).get(account, ""))
        request = onward_request(envelope.dsn_request(recipient), recipient, route)
        found.append(OwedRecipient(number, target, request, due=now, tries=1, last=last))
    return found


def _recipient_of(account: str, routes: Routes) -> Address:
    """Return the recipient that leads to an account: its own address, if that is among them."""
    leading = [one for one, route in routes.items() if account in route.accounts]
    return next((one for one in leading if one.key == account), leading[0])
