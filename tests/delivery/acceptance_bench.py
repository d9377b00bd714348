"""Acceptance of mail over a queue in memory, with accounts, programs and lists that a test scripts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.doors import DeliveryBackend, QueueDoors
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.interfaces import ReportedRecipient
from twisted_mail.interfaces.reports import WrittenReports
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.route import ListTarget
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.job_spool import MemoryJobSpool
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

ALICE, BOB, TEAM = "alice@example.org", "bob@example.org", "team@example.org"
TICKETS, NEWS, AWAY = "tickets@example.org", "news@example.org", "away@example.org"
BOTH, DAVE = "both@example.org", "dave@elsewhere.example"
SENDER = "s@client.example"
FULL = Refused(Outcome(552, "5.2.2", "The mailbox is full"))
BUSY = Unavailable(Outcome(452, "4.3.1", "The disk is full"))
BODY = b"Subject: x\r\n\r\nbody\r\n"


class NotingBlob(MemoryBlob):
    closed = 0

    def close(self) -> None:
        NotingBlob.closed += 1


class FakeAdmission:
    """Admits, holds, drops or refuses posts, as ``answers`` says by list."""

    def __init__(self) -> None:
        self.answers: dict[str, str | MailError | None] = {}
        self.headers: list[bytes] = []

    async def admit(self, envelope: Envelope, target: ListTarget, header: bytes) -> str | None:
        self.headers.append(header)
        answer = self.answers.get(target.list, "")
        if isinstance(answer, MailError):
            raise answer
        return answer


class FakeReports:
    """Writes a report for each call, and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[QueuedJob, list[ReportedRecipient]]] = []
        self.error: Unavailable | None = None
        self.has_reader = True

    async def write(
        self, job: QueuedJob, message: Message, told: Sequence[ReportedRecipient]
    ) -> WrittenReports:
        if self.error is not None:
            raise self.error
        self.told.append((job, list(told)))
        if not self.has_reader:
            return WrittenReports(lost=frozenset(one.recipient.number for one in told))
        report = QueuedJob(f"report{len(self.told)}", job.arrived, NULL, JobKind.REPORT)
        reader = OwedRecipient(1, RemoteTarget(job.sender))
        return WrittenReports((NewJob(report, (reader,), Message(MemoryBlob(b"report"))),))


class AcceptanceBench:
    """``accept`` for SMTP, ``answers`` for LMTP, and what came of them in store, spool and log."""

    def __init__(self, max_held: int = 10, **failures: MailError) -> None:
        self.directory = FixedDirectory(
            {ALICE: "", BOB: ""},
            {
                TEAM: [parse(ALICE), parse(BOB)],
                AWAY: [parse("x@elsewhere.example")],
                BOTH: [parse(BOB)],
            },
            {TICKETS: ["ticket"], BOTH: ["ticket2"]},
            {NEWS: []},
        )
        self.clock, self.journal = StillClock(), ListJournal()
        self.store = RecordingStore({f"{name}@example.org": one for name, one in failures.items()})
        self.spool, self.reports, self.admission = MemoryJobSpool(), FakeReports(), FakeAdmission()
        store: Any = self.store
        self.backend = DeliveryBackend(
            LocalRouter(self.directory),
            store,
            self.journal,
            self.clock,
            partial_deliveries=PartialDeliveries(self.clock),
            queue=QueueDoors(
                self.spool, self.reports, self.admission, InlineBlocking(), max_held=max_held
            ),
        )
        self.queue = MailAcceptance(self.backend)
        self.each = LmtpAcceptance(self.backend)

    def envelope(self, *recipients: str, sender: str = SENDER, **more: Any) -> Envelope:
        addresses = tuple(parse(one) for one in recipients)
        return Envelope("id1", parse(sender) if sender else NULL, addresses, **more)

    def accept(self, *recipients: str, prefix: bytes = b"Received: x\r\n", **more: Any) -> None:
        NotingBlob.closed = 0
        envelope = self.envelope(*recipients, **more)
        try:
            finish(self.queue.accept(envelope, Message(NotingBlob(BODY), prefix)))
        finally:
            assert NotingBlob.closed == 1

    def refusal(self, *recipients: str, **more: Any) -> MailError:
        with pytest.raises(MailError) as caught:
            self.accept(*recipients, **more)
        return caught.value

    def answers(self, *recipients: str, **more: Any) -> list[Outcome | None]:
        NotingBlob.closed = 0
        envelope = self.envelope(*recipients, client_host="192.0.2.1", **more)
        message = Message(NotingBlob(BODY), b"Received: x\r\n")
        try:
            found: Mapping[Any, Outcome | None]
            found = finish(self.each.deliver_each(envelope, message))
        finally:
            assert NotingBlob.closed == 1
        return [found[one] for one in envelope.recipients]

    @property
    def owed(self) -> dict[str, OwedRecipient]:
        """Return the recipients of the message's job, by their addresses."""
        job = self.spool.jobs.get("id1")
        return {} if job is None else {str(one.address): one for one in job.recipients.values()}
