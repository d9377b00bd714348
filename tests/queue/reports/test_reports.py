"""The door: who gets a report, as which job."""

from dataclasses import replace
from typing import Any

import pytest

from tests.queue.reports.reporting import (
    ALICE,
    BOB,
    BUSY,
    LUNCH,
    NOW,
    Desk,
    attempt,
    job,
    notify,
    parsed,
    recipients_of,
    status_groups,
    told,
    words_of,
)
from twisted_mail.interfaces import ReportAction
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.mail.queued.job import JobKind
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget
from twisted_mail.mail.route import NoRoute
from twisted_mail.queue.reports.reports import MAX_TOLD, NEVER
from twisted_mail.testing.doubles import finish

POSTMASTER = parse("bosch@example.org")
LATE = told(ReportAction.DELAYED, 2e9, last=attempt(BUSY))
VERP = parse("news-bounces+bob=example.net=abc@example.org")


# ------------------------------------------------------------ the job


def test_a_report_is_a_job_for_the_sender_from_nobody() -> None:
    report = Desk().one(told())
    assert report.job.kind is JobKind.REPORT
    assert report.job.sender.is_null
    assert report.job.arrived == NOW
    assert report.job.size == len(report.message.read())
    (recipient,) = report.recipients
    assert recipient.target == AccountTarget("alice@example.org", ALICE)
    assert (recipient.due, recipient.dsn_request) == (0.0, NEVER)  # now
    assert report.job.message_id == parsed(report)["Message-ID"]


def test_6_1_it_asks_for_no_report_and_nothing_of_ret() -> None:
    report = Desk().one(told(), job=job(returns="FULL", envid="x"))
    assert report.recipients[0].dsn_request.events == frozenset()
    assert (report.job.mail_parameters.returns, report.job.mail_parameters.envid) == ("", "")


def test_to_a_sender_elsewhere_it_is_sent_on() -> None:
    (recipient,) = Desk().one(told(), job=job(sender=BOB)).recipients
    assert recipient.target == RemoteTarget(BOB)


def test_a_sender_who_is_an_alias_gets_it_by_all_its_ways() -> None:
    report = Desk().one(told(), job=job(sender=parse("team@example.org")))
    assert [one.number for one in report.recipients] == [1, 2]
    assert {type(one.target) for one in report.recipients} == {AccountTarget, RemoteTarget}
    assert [one.original for one in report.recipients] == [None, parse("team@example.org")]


def test_8689_5_what_required_tls_is_reported_with_it() -> None:
    report = Desk().one(told(), job=job(requires_tls=True, returns="FULL"))
    assert report.job.mail_parameters.requires_tls
    assert b"At the usual place?" not in report.message.read()


@pytest.mark.parametrize(
    ("sender", "data", "body", "is_utf8"),
    [
        (ALICE, LUNCH, "7BIT", False),
        (ALICE, LUNCH + b"\xff\r\n", "8BITMIME", False),
        (parse("jörg@example.org"), LUNCH, "8BITMIME", True),
        (parse("jörg@example.net"), LUNCH, "8BITMIME", True),
    ],
)
def test_what_it_needs_of_the_way(sender: Any, data: bytes, body: str, is_utf8: bool) -> None:
    parameters = Desk().one(told(), job=job(sender=sender), data=data).job.mail_parameters
    assert (parameters.body, parameters.is_utf8) == (body, is_utf8)


# ------------------------------------------------------------ its header


def test_it_stands_next_to_the_message_in_a_mail_program() -> None:
    report = parsed(Desk().one(told()))
    assert report["In-Reply-To"] == "<lunch@example.org>"
    assert report["References"] == "<lunch@example.org>"
    assert report["To"] == "alice@example.org"
    assert report["From"] == "Mail Delivery System <postmaster@mail.example.org>"
    assert report["Auto-Submitted"] == "auto-replied"
    assert report["Subject"] == "Not delivered: Lunch on Friday"


def test_the_postmaster_of_the_configuration_answers_for_it() -> None:
    report = parsed(Desk(postmaster="bosch@example.org").one(told()))
    assert report["From"] == "Mail Delivery System <bosch@example.org>"


# ------------------------------------------------------------ one for a message and moment


def test_there_is_one_report_whoever_failed() -> None:
    others = [told(target=RemoteTarget(parse(f"u{number}@example.net"))) for number in range(40)]
    report = Desk().one(LATE, *others)
    assert len(status_groups(report)) == 42
    assert "has not been delivered yet" in words_of(report)


def test_of_very_many_recipients_there_are_several() -> None:
    many = [told(target=RemoteTarget(parse(f"u{number}@example.net"))) for number in range(2500)]
    written = Desk().write(*many)
    assert [len(status_groups(one)) - 1 for one in written.jobs] == [MAX_TOLD, MAX_TOLD, 500]


def test_nothing_to_tell_is_nothing_to_read() -> None:
    class NoBlob(MemoryBlob):
        def pieces(self, start: int = 0, stop: int | None = None) -> Any:
            raise AssertionError("it is read")

    desk = Desk()
    silent = told(ReportAction.DELIVERED)
    assert not finish(desk.reports.write(job(), Message(NoBlob(b"x")), [silent])).jobs


# ------------------------------------------------------------ lists


def test_a_copy_for_a_member_is_reported_to_its_own_sender() -> None:
    written = Desk().write(told(sender=VERP), told(), told(sender=parse("x@example.com")))
    assert recipients_of(written.jobs) == [str(VERP), str(ALICE), "x@example.com"]


@pytest.mark.parametrize("local", ["news", "news-request", "news-subscribe"])
def test_a_report_is_no_post_and_no_command_of_a_list(local: str) -> None:
    written = Desk().write(told(), job=job(sender=parse(f"{local}@example.org")))
    assert (written.jobs, written.lost) == ((), {1})


def test_a_report_for_a_list_goes_to_its_owners() -> None:
    written = Desk().write(told(), job=job(sender=parse("news-owner@example.org")))
    assert recipients_of(written.jobs) == ["news-owner@example.org"]


def test_a_list_hears_nothing_of_delays() -> None:
    late = told(ReportAction.DELAYED, 2e9, last=attempt(BUSY), sender=VERP)
    assert not Desk().write(late).jobs


# ------------------------------------------------------------ automatic mail


@pytest.mark.parametrize(
    "field", ["Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <news.example.org>"]
)
def test_a_program_hears_of_failures_and_not_of_delays(field: str) -> None:
    data = field.encode() + b"\r\n" + LUNCH
    assert not Desk().write(LATE, data=data).jobs
    assert len(status_groups(Desk().one(LATE, told(), data=data))) == 2


# ------------------------------------------------------------ what is lost


@pytest.mark.parametrize("sender", [NULL, parse("nobody@example.org")])
def test_what_nobody_can_be_told_of_is_counted_and_named(sender: Any) -> None:
    desk = Desk()
    written = desk.write(told(), LATE, job=job(sender=sender))
    assert (written.jobs, written.lost) == ((), {1})
    assert desk.reports.counts.lost == 1
    assert "0abcdefghjkmnpqr" in str(desk.journal.of("warned"))


def test_the_postmaster_gets_it_if_there_is_one() -> None:
    desk = Desk(postmaster="bosch@example.org")
    report = desk.one(told(), job=job(sender=NULL))
    assert parsed(report)["To"] == "bosch@example.org"
    assert "cannot be told" in parsed(report)["Subject"]


def test_of_junk_no_sender_hears_as_it_is_mostly_forged() -> None:
    junk = replace(job(), is_quarantined=True)
    written = Desk().write(
        told(), told(ReportAction.DELIVERED, request=notify("SUCCESS")), job=junk
    )
    assert (written.jobs, written.lost) == ((), {1})


def test_a_success_that_nobody_can_be_told_of_is_nothing() -> None:
    late = told(ReportAction.DELAYED, 2e9, last=attempt(BUSY))
    desk = Desk(postmaster="bosch@example.org")
    assert not desk.write(late, job=job(sender=parse("nobody@example.org"))).jobs
    assert desk.reports.counts.lost == 0


def test_nobody_is_told_of_a_report_that_failed_but_it_is_counted() -> None:
    desk = Desk()
    written = desk.write(told(request=NEVER), job=job(NULL, JobKind.REPORT))
    assert (written.jobs, written.lost) == ((), frozenset())
    assert desk.reports.counts.lost == 1


def test_the_postmaster_is_not_told_of_reports_that_did_not_reach_it() -> None:
    desk = Desk(postmaster="bosch@example.org")
    own = told(target=AccountTarget("bosch@example.org", POSTMASTER), request=NEVER)
    assert not desk.write(own, job=job(NULL, JobKind.REPORT)).jobs
    behind_an_alias = told(original=POSTMASTER, request=NEVER)
    assert not desk.write(behind_an_alias, job=job(NULL, JobKind.REPORT)).jobs
    other = told(request=NEVER)
    assert recipients_of(desk.write(other, job=job(NULL, JobKind.REPORT)).jobs) == [str(POSTMASTER)]


# ------------------------------------------------------------ rates


def test_a_sender_gets_so_many_an_hour_and_the_others_are_counted() -> None:
    desk = Desk(rate=2)
    assert [len(desk.write(told()).jobs) for _ in range(4)] == [1, 1, 0, 0]
    assert (desk.reports.counts.written, desk.reports.counts.limited) == (2, 2)
    assert len(desk.journal.of("warned")) == 2
    assert not desk.write(told()).lost
    desk.clock.seconds += 3600
    assert desk.write(told()).jobs


def test_the_postmaster_is_not_flooded_and_nothing_is_lost_for_it() -> None:
    desk = Desk(postmaster="bosch@example.org", rate=1)
    first, second = (desk.write(told(), job=job(sender=NULL)) for _ in range(2))
    assert (len(first.jobs), first.lost) == (1, frozenset())
    assert (second.jobs, second.lost) == ((), {1})


# ------------------------------------------------------------ what fails


def test_a_way_back_that_cannot_be_found_now_is_unavailable(monkeypatch: Any) -> None:
    desk = Desk()

    async def route(recipient: object) -> NoRoute:
        return NoRoute(Outcome(451, "4.3.5", "Too deep"))

    monkeypatch.setattr(desk.reports._backend.router, "route", route)
    with pytest.raises(Unavailable, match="Too deep"):
        desk.write(told())


def test_a_message_that_cannot_be_read_is_unavailable() -> None:
    class BrokenBlob(MemoryBlob):
        def pieces(self, start: int = 0, stop: int | None = None) -> Any:
            raise OSError(5, "Input/output error")

    with pytest.raises(Unavailable):
        finish(Desk().reports.write(job(), Message(BrokenBlob(b"x")), [told()]))


def test_what_could_not_be_written_is_not_counted_against_the_rate(monkeypatch: Any) -> None:
    """A message may have several senders: a way back that is not found has all written anew."""
    desk = Desk(rate=1)
    two = [told(), told(sender=BOB)]
    find = desk.reports._backend.router.route

    async def route(recipient: Any) -> Any:
        return NoRoute(Outcome(451, "4.3.5", "busy")) if recipient == BOB else await find(recipient)

    with monkeypatch.context() as patch:
        patch.setattr(desk.reports._backend.router, "route", route)
        for _ in range(3):
            with pytest.raises(Unavailable):
                desk.write(*two)
    assert len(desk.write(*two).jobs) == 2
