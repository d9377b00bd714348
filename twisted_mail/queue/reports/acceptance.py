"""What is reported of mail when it is accepted: of accounts, aliases and lists here (RFC 3461 §5.2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.address import Address
from twisted_mail.mail.envelope import DsnRequest, Envelope
from twisted_mail.mail.outcome import MailError, Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget, Target, targets_of
from twisted_mail.mail.route import ListTarget, LocalRoute, RemoteRoute
from twisted_mail.queue.reports import rules

Results = Mapping[str, MailError | None]  # of accounts: None for one that has its copy
_TAKEN = Outcome(250, "2.1.5", "Taken")
_FULL = "5.2.2"  # RFC 3463 §3.3


def onward_request(
    request: DsnRequest, recipient: Address, route: LocalRoute | RemoteRoute
) -> DsnRequest:
    """Return the reports that are asked for about what a recipient leads to (RFC 3461 §5.2.7).

    An alias with one target passes everything on. One with several passes on all but SUCCESS, as it is
    reported to be expanded. What was reported to be delivered to a list is not reported again.
    """
    if not rules.is_wanted(ReportAction.DELIVERED, request):
        return request
    targets = targets_of(recipient, route)
    if len(targets) > 1:
        return replace(request, events=(request.events or frozenset()) - {"SUCCESS"})
    if isinstance(targets[0], ListTarget):
        return replace(request, events=frozenset())
    return request


def told_at_acceptance(
    envelope: Envelope,
    routes: Mapping[Address, LocalRoute | RemoteRoute],
    results: Results,
    now: float,
) -> list[ReportedRecipient]:
    """Return what is to be reported once the accounts here have their copies, numbered from 1.

    An account that failed permanently has failed; one that failed for now is not reported yet.
    """
    if not envelope.dsn_requests and not any(results.values()):  # nearly all mail
        return []
    told: list[ReportedRecipient] = []
    for recipient, route in routes.items():
        targets = targets_of(recipient, route)
        taken = _TakenRecipient(recipient, targets, envelope.dsn_request(recipient), results, now)
        told += [*taken.successes(), *taken.failures()]
    return [
        replace(one, recipient=replace(one.recipient, number=number))
        for number, one in enumerate(told, 1)
    ]


@dataclass(frozen=True, slots=True)
class _TakenRecipient:
    """A recipient as the envelope has it, and where it leads."""

    address: Address
    targets: Sequence[Target]
    request: DsnRequest
    results: Results
    now: float

    def successes(self) -> Iterator[ReportedRecipient]:
        """Yield that it was expanded or delivered, if that is asked for."""
        if not rules.is_wanted(ReportAction.DELIVERED, self.request):
            return
        attempt = Attempt(_TAKEN, self.now)
        if len(self.targets) > 1:
            # Of an alias nothing but its own address is reported.
            yield self._told(RemoteTarget(self.address), attempt, ReportAction.EXPANDED)
        elif self._is_delivered(self.targets[0]):
            yield self._told(self.targets[0], attempt, ReportAction.DELIVERED)

    def failures(self) -> Iterator[ReportedRecipient]:
        """Yield the accounts that will never get their copies."""
        for target in self.targets:
            error = self.results.get(target.account) if isinstance(target, AccountTarget) else None
            if error is not None and not error.outcome.is_temporary:
                is_full = error.outcome.enhanced == _FULL
                kind = ReplyClass.FULL if is_full else ReplyClass.OTHER
                attempt = Attempt(error.outcome, self.now, kind)
                yield self._told(target, attempt, ReportAction.FAILED)

    def _is_delivered(self, target: Target) -> bool:
        """Return whether the message is in a mailbox, or with a list (RFC 3461 §5.2.3)."""
        if isinstance(target, AccountTarget):
            return target.account in self.results and self.results[target.account] is None
        return isinstance(target, ListTarget)

    def _told(self, target: Target, attempt: Attempt, action: ReportAction) -> ReportedRecipient:
        owed = OwedRecipient(0, target, self.request, original=self.address, last=attempt)
        return ReportedRecipient(owed, action)
