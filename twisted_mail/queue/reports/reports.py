"""The door to reports: whether one is due, to whom it goes, and the job that brings it there."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from twisted_mail.interfaces import (
    Blocking,
    Clock,
    FaultReport,
    Journal,
    ReportAction,
    ReportedRecipient,
    Router,
    WrittenReports,
    unreported,
)
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.ids import make_id
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.notice import Notice, compose, text_content
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.target import AccountTarget, Target, targets_of
from twisted_mail.mail.route import ListTarget, NoRoute
from twisted_mail.queue.reports import rules
from twisted_mail.queue.reports.composition import ComposedReport, ReportComposer, ReportOrder
from twisted_mail.queue.reports.delivery_status import final_recipient
from twisted_mail.queue.reports.original import OriginalMessage, read_original
from twisted_mail.queue.reports.rate import ReportRate
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.reports.templates import ReportTexts

MAX_TOLD = 1000  # recipients in one report; of more there are several
NEVER = DsnRequest(frozenset())  # nobody reports of a report, anywhere (RFC 3461 §6.1)
_WHERE = "reports:"  # in the log


@dataclass(slots=True)
class ReportCounts:
    """What became of reports since the start."""

    written: int = 0
    lost: int = 0  # nobody could be told
    limited: int = 0  # the sender got too many in an hour


@dataclass(frozen=True, slots=True)
class ReportBackend:
    """What reports need of the server."""

    router: Router
    clock: Clock
    blocking: Blocking
    journal: Journal
    hostname: str
    report_fault: FaultReport = unreported


@dataclass(slots=True)
class _Writing:
    """One call: the job, its message once it is read, and what came of it so far."""

    job: QueuedJob
    message: Message
    original: OriginalMessage | None = None
    jobs: list[NewJob] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    counted: list[Address] = field(default_factory=list)  # against the rate


class QueueReports:
    """Writes reports as jobs. Fulfils ``interfaces.Reports``."""

    def __init__(
        self, backend: ReportBackend, settings: ReportSettings, texts: ReportTexts
    ) -> None:
        self._backend = backend
        self._settings = settings
        self._postmaster = parse(settings.postmaster) if settings.postmaster else NULL
        hostname = backend.hostname
        is_plain = not self._postmaster.is_null and self._postmaster.text.isascii()
        author = self._postmaster if is_plain else Address("postmaster", hostname)
        self._composer = ReportComposer(hostname, author, texts)
        self._rate = ReportRate(settings.rate)
        self.counts = ReportCounts()

    async def write(
        self, job: QueuedJob, message: Message, told: Sequence[ReportedRecipient]
    ) -> WrittenReports:
        """Return what is to be sent about these recipients of a job. Raises Unavailable."""
        writing = _Writing(job, message)
        due = [one for one in told if rules.is_due(job, one)]
        try:
            for sender, group in _by_sender(job, due).items():
                for part in _parts(group, MAX_TOLD):
                    await self._report(writing, sender, part)
        except BaseException:  # all of them are written anew
            for one in writing.counted:
                self._rate.give_back(one.key)
            raise
        return WrittenReports(tuple(writing.jobs), frozenset(writing.lost))

    async def _report(
        self, writing: _Writing, sender: Address, told: list[ReportedRecipient]
    ) -> None:
        """Write a report to a sender, or to the postmaster of what the sender cannot be told."""
        original = await self._read(writing)
        told = [one for one in told if not _is_left_out(one, original)]
        if not told:
            return
        # The sender of junk is mostly forged: a report would be junk for a stranger.
        targets = () if writing.job.is_quarantined else await self._way_to(sender)
        if targets:
            if self._is_allowed(writing, sender):
                await self._add(writing, sender, targets, told)
            return
        failed = [one for one in told if one.action is ReportAction.FAILED]
        if failed:
            await self._report_lost(writing, failed)

    async def _report_lost(self, writing: _Writing, told: list[ReportedRecipient]) -> None:
        """Tell the postmaster of failures of which the sender cannot be told, once (RFC 3461 §5.2)."""
        job, postmaster = writing.job, self._postmaster
        is_own = any(final_recipient(one.recipient) == postmaster for one in told)
        targets = () if is_own else await self._way_to(postmaster)
        self.counts.lost += 1
        self._backend.journal.warned(_WHERE, f"nobody can be told that {job.id} failed")
        if targets and self._is_allowed(writing, postmaster):
            await self._add(writing, postmaster, targets, told, is_lost=True)
        elif job.kind is JobKind.MAIL:
            writing.lost.update(one.recipient.number for one in told)

    async def _read(self, writing: _Writing) -> OriginalMessage:
        if writing.original is None:
            try:
                writing.original = await self._backend.blocking.run(
                    read_original, writing.message, self._settings.returned
                )
            except OSError as error:
                self._backend.report_fault(writing.job.id, error)
                raise Unavailable("The message cannot be read now") from error
        return writing.original

    async def _way_to(self, address: Address) -> tuple[Target, ...]:
        """Return where mail for an address goes, if anywhere. Raises Unavailable."""
        if address.is_null:
            return ()
        route = await self._backend.router.route(address)
        if not isinstance(route, NoRoute):
            return tuple(one for one in targets_of(address, route) if _takes_reports(one))
        if route.outcome.is_temporary:
            raise Unavailable(route.outcome)
        return ()

    async def tell_postmaster(self, subject: str, text: str) -> NewJob | None:
        """Return a notice as a job; None where no postmaster can be reached. Raises Unavailable."""
        targets = await self._way_to(self._postmaster)
        if not targets:
            return None
        now = self._backend.clock.now()
        id = make_id(now, random.getrandbits)
        message_id = f"{id}@{self._backend.hostname}"
        notice = Notice(self._postmaster, self._postmaster, subject, text_content(text))
        data = compose(notice, now, message_id)
        size = len(data)
        job = QueuedJob(id, now, NULL, JobKind.REPORT, message_id=f"<{message_id}>", size=size)
        owed = [OwedRecipient(number, one, NEVER) for number, one in enumerate(targets, 1)]
        return NewJob(job, tuple(owed), Message(MemoryBlob(data)))

    def _is_allowed(self, writing: _Writing, sender: Address) -> bool:
        if self._rate.allows(sender.key, self._backend.clock.now()):
            writing.counted.append(sender)
            return True
        self.counts.limited += 1
        text = f"{sender} has had enough reports this hour: none of {writing.job.id}"
        self._backend.journal.warned(_WHERE, text)
        return False

    async def _add(
        self,
        writing: _Writing,
        recipient: Address,
        targets: tuple[Target, ...],
        told: list[ReportedRecipient],
        is_lost: bool = False,
    ) -> None:
        """Add a report as a job."""
        assert writing.original is not None
        now = self._backend.clock.now()
        order = ReportOrder(
            make_id(now, random.getrandbits),
            now,
            recipient,
            writing.job,
            writing.original,
            told,
            _takes_utf8(recipient, targets),
            is_lost,
        )
        report = await self._backend.blocking.run(self._composer.compose, order)
        writing.jobs.append(_job(order, targets, report))
        self.counts.written += 1


def _job(order: ReportOrder, targets: Iterable[Target], report: ComposedReport) -> NewJob:
    """Return the job of a report: the null sender, and nothing asked for (RFC 3461 §6.1)."""
    parameters = MailParameters(
        body="7BIT" if report.data.isascii() else "8BITMIME",
        is_utf8=report.is_utf8,
        requires_tls=order.job.mail_parameters.requires_tls,  # RFC 8689 §5
    )
    job = QueuedJob(
        order.id,
        order.now,
        NULL,
        JobKind.REPORT,
        mail_parameters=parameters,
        is_tls_optional=order.job.is_tls_optional,
        message_id=report.message_id,
        size=len(report.data),
    )
    return NewJob(job, tuple(_recipients(order, targets)), Message(MemoryBlob(report.data)))


def _recipients(order: ReportOrder, targets: Iterable[Target]) -> Iterator[OwedRecipient]:
    for number, target in enumerate(targets, 1):
        original = None if target.recipient == order.recipient else order.recipient
        yield OwedRecipient(number, target, NEVER, original=original)


def _takes_reports(target: Target) -> bool:
    """Return whether a target may get reports: not the addresses of a list for posts and commands.

    Such senders are forged, and nobody asks the list whether it takes what is written here.
    """
    return not isinstance(target, ListTarget) or target.role is ListRole.BOUNCES


def _takes_utf8(recipient: Address, targets: Iterable[Target]) -> bool:
    """Return whether the way to a recipient takes UTF-8 in addresses and headers.

    Accounts here do, and who has such an address. Elsewhere nobody knows before it is tried.
    """
    return not recipient.text.isascii() or all(isinstance(one, AccountTarget) for one in targets)


def _is_left_out(told: ReportedRecipient, original: OriginalMessage) -> bool:
    """Return whether this is a notice of delay about mail that a program wrote, or that goes to many."""
    return told.action is ReportAction.DELAYED and original.is_automatic


def _by_sender(
    job: QueuedJob, told: Iterable[ReportedRecipient]
) -> dict[Address, list[ReportedRecipient]]:
    groups: dict[Address, list[ReportedRecipient]] = {}
    for one in told:
        own = one.recipient.sender
        groups.setdefault(job.sender if own is None else own, []).append(one)
    return groups


def _parts(told: list[ReportedRecipient], most: int) -> Iterator[list[ReportedRecipient]]:
    for start in range(0, len(told), most):
        yield told[start : start + most]
