"""What senders hear of mail that is sent on: dispatcher, reports and queue together."""

from typing import Any

from tests.queue.dispatch.played_queue import DAY, HOUR, LATER, NEVER, OK, PlayedQueue
from tests.queue.reports.reporting import DIRECTORY, HOST, TEXTS, notify, status_groups, words_of
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient
from twisted_mail.queue.reports.reports import QueueReports, ReportBackend
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.testing.doubles import InlineBlocking

EVE = "eve@sender.example"


class ReportingQueue(PlayedQueue):
    """A queue that writes real reports; all senders are elsewhere."""

    def begin(self) -> None:
        """Make a dispatcher, and start it."""
        router = LocalRouter(DIRECTORY)
        needs = ReportBackend(router, self.clock, InlineBlocking(), self.journal, HOST)
        reports: Any = QueueReports(needs, ReportSettings(), TEXTS)
        self.reports = reports
        super().begin()

    def refuse(self, outcome: Outcome) -> None:
        """Let all hosts but the sender's answer so."""
        self.carrier.answer = lambda _, one: outcome if str(one.address) != EVE else OK

    @property
    def received(self) -> list[NewJob]:
        """Return the reports that the sender's host has taken, in their order."""
        return [
            NewJob(one.job, one.recipients, one.message)
            for one in self.sent_to("sender.example")
            if one.job.kind is JobKind.REPORT
        ]

    @property
    def reported(self) -> list[list[tuple[str, str]]]:
        """Return action and recipient of each, by reports."""
        return [
            sorted((one["Action"], one["Final-Recipient"]) for one in status_groups(report)[1:])
            for report in self.received
        ]


def test_what_fails_in_a_moment_is_one_report() -> None:
    queue = ReportingQueue()
    queue.refuse(NEVER)
    queue.accept("a@one.example", "b@one.example", sender=EVE)
    queue.pass_time(60)
    assert queue.reported == [
        [("failed", "rfc822; a@one.example"), ("failed", "rfc822; b@one.example")]
    ]
    assert queue.owed == []
    queue.check()


def test_a_notice_after_hours_and_a_report_after_days() -> None:
    queue = ReportingQueue()
    queue.refuse(LATER)
    queue.accept("a@one.example", sender=EVE)
    queue.pass_time(5 * HOUR)
    assert queue.reported == [[("delayed", "rfc822; a@one.example")]]
    assert "It is tried again until" in words_of(queue.received[0])
    queue.pass_time(5 * DAY)
    assert queue.reported[1:] == [[("failed", "rfc822; a@one.example")]]
    assert "could not be delivered within 5 days" in words_of(queue.received[1])
    assert status_groups(queue.received[1])[1]["Status"] == "4.3.0"
    queue.check()


def test_who_wants_no_notice_gets_the_report_alone() -> None:
    queue = ReportingQueue()
    queue.refuse(LATER)
    queue.accept("a@one.example", sender=EVE, request=notify("FAILURE"))
    queue.pass_time(6 * DAY)
    assert queue.reported == [[("failed", "rfc822; a@one.example")]]


def test_a_success_is_relayed_where_the_next_host_writes_no_reports() -> None:
    queue = ReportingQueue()
    queue.accept("a@one.example", sender=EVE, request=notify("SUCCESS"))
    queue.accept("b@one.example", sender=EVE)
    queue.pass_time(60)
    assert queue.reported == [[("relayed", "rfc822; a@one.example")]]


def test_a_report_that_fails_is_reported_to_nobody() -> None:
    queue = ReportingQueue()
    queue.carrier.answer = lambda transaction, recipient: NEVER
    queue.accept("a@one.example", sender=EVE)
    queue.pass_time(60)
    assert len(queue.received) == 1
    assert queue.owed == []
    assert "nobody can be told" in str(queue.journal.of("warned"))
    queue.check()


def test_what_nobody_can_be_told_of_is_kept() -> None:
    queue = ReportingQueue()
    queue.refuse(NEVER)
    id = queue.accept("a@one.example", sender="")
    queue.pass_time(60)
    (kept,) = queue.disk.jobs[id].recipients.values()
    assert isinstance(kept, OwedRecipient)
    assert kept.is_undeliverable
