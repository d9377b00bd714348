"""What senders hear of mail that is accepted here: acceptance, reports and queue together."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.delivery.acceptance_bench import (
    ALICE,
    AWAY,
    BOB,
    BOTH,
    BUSY,
    FULL,
    NEWS,
    SENDER,
    TEAM,
    TICKETS,
    AcceptanceBench,
)
from tests.queue.reports.reporting import HOST, TEXTS, notify, status_groups
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.lmtp_acceptance import LmtpAcceptance
from twisted_mail.interfaces import ReportedRecipient, WrittenReports
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Unavailable
from twisted_mail.mail.queued.job import JobKind, NewJob, QueuedJob
from twisted_mail.queue.reports.acceptance import onward_request, told_at_acceptance
from twisted_mail.queue.reports.reports import QueueReports, ReportBackend
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.testing.doubles import InlineBlocking

SUCCESS = notify("SUCCESS", "FAILURE")


class LateReports(QueueReports):
    """Cannot be written while a test says so."""

    has_way_back = True

    async def write(
        self, job: QueuedJob, message: Message, told: Sequence[ReportedRecipient]
    ) -> WrittenReports:
        if not self.has_way_back:
            raise Unavailable("The directory cannot be read now")
        return await super().write(job, message, told)


class ReportingBench(AcceptanceBench):
    """Acceptance that writes real reports."""

    def __init__(self, **failures: MailError) -> None:
        super().__init__(**failures)
        backend = self.backend
        assert backend.queue is not None
        needs = ReportBackend(backend.router, self.clock, InlineBlocking(), self.journal, HOST)
        self.written = LateReports(needs, ReportSettings(), TEXTS)
        doors = replace(
            backend.queue,
            reports=self.written,
            onward_request=onward_request,
            told_at_acceptance=told_at_acceptance,
        )
        self.queue = MailAcceptance(replace(backend, queue=doors))
        self.each = LmtpAcceptance(replace(backend, queue=doors))

    def send(self, *recipients: str, request: DsnRequest = SUCCESS, **more: Any) -> None:
        """Accept a message for recipients about whom something was asked."""
        requests = {parse(one): request for one in recipients}
        self.accept(*recipients, dsn_requests=requests, **more)

    @property
    def reported(self) -> list[tuple[str, str]]:
        """Return action and recipient of all that is reported, in the order of the reports."""
        found = []
        for job in self.spool.jobs.values():
            if job.job.kind is JobKind.REPORT:
                recipients = tuple(job.recipients.values())
                assert [str(one.address) for one in recipients] == [SENDER]
                report = NewJob(job.job, recipients, job.message)
                groups = status_groups(report)[1:]
                found += [(one["Action"], one["Final-Recipient"]) for one in groups]
        return found


def test_what_is_in_a_mailbox_is_reported_as_delivered() -> None:
    bench = ReportingBench()
    bench.send(ALICE)
    assert bench.reported == [("delivered", f"rfc822; {ALICE}")]


def test_one_report_tells_of_all_recipients() -> None:
    bench = ReportingBench()
    bench.send(ALICE, TEAM, NEWS)
    assert bench.reported == [
        ("delivered", f"rfc822; {ALICE}"),
        ("expanded", f"rfc822; {TEAM}"),
        ("delivered", f"rfc822; {NEWS}"),
    ]
    assert bench.owed[NEWS].dsn_request == notify()


def test_an_alias_passes_on_what_is_asked_for_and_nothing_is_reported_yet() -> None:
    bench = ReportingBench()
    bench.send(AWAY, TICKETS)
    assert bench.reported == []
    assert {one.dsn_request for one in bench.owed.values()} == {SUCCESS}


def test_an_alias_for_several_passes_on_all_but_success() -> None:
    bench = ReportingBench()
    bench.send(BOTH)
    assert bench.reported == [("expanded", f"rfc822; {BOTH}")]
    assert {one.dsn_request for one in bench.owed.values()} == {notify("FAILURE")}


def test_an_account_that_will_never_take_its_copy_is_reported_without_being_asked() -> None:
    bench = ReportingBench(bob=FULL)
    bench.accept(TEAM)
    assert bench.reported == [("failed", f"rfc822; {TEAM}")]


def test_an_account_that_takes_it_later_is_reported_later() -> None:
    bench = ReportingBench(alice=BUSY)
    bench.send(ALICE, BOTH)
    assert bench.reported == [("expanded", f"rfc822; {BOTH}")]
    assert bench.owed[ALICE].dsn_request == SUCCESS


def test_what_an_alias_for_several_leads_to_is_not_reported_twice_where_it_fails_for_now() -> None:
    bench = ReportingBench(bob=BUSY)
    bench.send(TEAM)
    assert bench.reported == [("expanded", f"rfc822; {TEAM}")]
    assert [one.dsn_request for one in bench.owed.values()] == [notify("FAILURE")]


def test_mail_is_not_taken_while_a_report_that_is_asked_for_cannot_be_written() -> None:
    bench = ReportingBench()
    bench.written.has_way_back = False
    with pytest.raises(Unavailable):
        bench.send(ALICE)
    bench.written.has_way_back = True
    bench.send(ALICE)
    assert bench.reported == [("delivered", f"rfc822; {ALICE}")]
    assert len(bench.store.delivered) == 1


def test_over_lmtp_only_who_is_asked_about_waits_for_the_report() -> None:
    bench = ReportingBench()
    bench.written.has_way_back = False
    asked, other = bench.answers(ALICE, BOB, dsn_requests={parse(ALICE): SUCCESS})
    assert asked is not None
    assert asked.is_temporary
    assert other is None


def test_nothing_is_reported_where_nobody_asked() -> None:
    bench = ReportingBench()
    bench.send(ALICE, TEAM, NEWS, request=notify("FAILURE", "DELAY"))
    bench.accept(ALICE, mail_parameters=MailParameters(returns="FULL", envid="x"))
    assert bench.reported == []


def test_over_lmtp_each_recipient_is_reported_as_it_is_answered() -> None:
    bench = ReportingBench(bob=FULL)
    requests = {parse(ALICE): SUCCESS, parse(BOB): SUCCESS}
    taken, refused = bench.answers(ALICE, BOB, dsn_requests=requests)
    assert taken is None
    assert refused == FULL.outcome
    assert bench.reported == [("delivered", f"rfc822; {ALICE}")]
