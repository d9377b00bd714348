"""Each rule of RFC 3461 §5.2, named by its number, and those that RFC 2852 adds."""

from typing import Any

import pytest

from tests.queue.reports.reporting import (
    ALICE,
    BUSY,
    TAKEN,
    Desk,
    attempt,
    job,
    notify,
    owed,
    recipients_of,
    status_groups,
    told,
)
from twisted_mail.interfaces import ReportAction
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import (
    DEFAULT_DSN_REQUEST,
    DeliverBy,
    DsnRequest,
    MailParameters,
)
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.message import MemoryBlob
from twisted_mail.mail.queued.job import JobKind
from twisted_mail.mail.queued.target import AccountTarget
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.reports.rules import (
    DELIVERBY,
    DSN,
    is_due,
    may_be_delayed,
    success_action,
)
from twisted_mail.smtp.dialogue.capabilities import NOTHING_OFFERED, Capabilities
from twisted_mail.smtp.dialogue.envelope_commands import mail_command, rcpt_command
from twisted_mail.smtp.dialogue.fitting import FittedMessage

FAILED, DELAYED = ReportAction.FAILED, ReportAction.DELAYED
DELIVERED, RELAYED = ReportAction.DELIVERED, ReportAction.RELAYED
OFFERED = Capabilities(has_dsn=True)
NO_DSN = attempt(TAKEN)
HAS_DSN = attempt(TAKEN, keywords=frozenset((DSN,)))
HERE = AccountTarget("alice@example.org", ALICE)
PROGRAM = ProgramTarget("ticket", parse("tickets@example.org"))
LIST = ListTarget("news@example.org", ListRole.POST)
NEVER = notify()
BY = DeliverBy(NO_DSN.at + 60, is_returned=False)


# ------------------------------------------------------------ §5.2


def test_5_2_no_report_is_sent_for_mail_from_the_null_sender() -> None:
    written = Desk().write(told(), job=job(sender=NULL))
    assert written.jobs == ()
    assert written.lost == {1}


def test_5_2_the_postmaster_is_told_instead_if_there_is_one() -> None:
    written = Desk(postmaster="bosch@example.org").write(told(), job=job(sender=NULL))
    assert recipients_of(written.jobs) == ["bosch@example.org"]
    assert not written.lost


# ------------------------------------------------------------ §5.2.1: to a server that has DSN


def mail_words(offered: Capabilities = OFFERED, **asked: Any) -> list[str]:
    """Return the parameters of MAIL with which the client hands a message on."""
    fitted = FittedMessage(b"", MemoryBlob(b""), 0)
    return mail_command(ALICE, MailParameters(**asked), fitted, offered).split()[2:]


def rcpt_words(request: DsnRequest, offered: Capabilities = OFFERED) -> list[str]:
    """Return the parameters of RCPT."""
    return rcpt_command(owed(None, request), False, offered).split()[2:]


def test_5_2_1_a_envid_is_passed_on_as_it_came_and_only_if_it_came() -> None:
    assert mail_words(envid="Qq+2B1") == ["ENVID=Qq+2B1"]
    assert mail_words() == []


@pytest.mark.parametrize("returns", ["FULL", "HDRS"])
def test_5_2_1_b_ret_is_passed_on_as_it_came_and_only_if_it_came(returns: str) -> None:
    assert mail_words(returns=returns) == [f"RET={returns}"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (notify("SUCCESS", "FAILURE"), {"SUCCESS", "FAILURE"}),
        (notify("DELAY"), {"DELAY"}),
        (NEVER, {"NEVER"}),
    ],
)
def test_5_2_1_c_notify_is_passed_on(request_: DsnRequest, expected: set[str]) -> None:
    (notified,) = [word for word in rcpt_words(request_) if word.startswith("NOTIFY=")]
    assert set(notified.removeprefix("NOTIFY=").split(",")) == expected


def test_5_2_1_c_d_what_was_not_given_is_not_passed_on() -> None:
    assert rcpt_words(DEFAULT_DSN_REQUEST) == []


def test_5_2_1_d_orcpt_is_passed_on_letter_by_letter() -> None:
    request = DsnRequest(None, "rfc822;BoB+2Bx@eXample.NET")
    assert rcpt_words(request) == ["ORCPT=rfc822;BoB+2Bx@eXample.NET"]


@pytest.mark.parametrize(
    "request_", [notify("SUCCESS"), notify("SUCCESS", "FAILURE", "DELAY"), DEFAULT_DSN_REQUEST]
)
def test_5_2_1_nothing_is_reported_of_what_was_passed_on(request_: DsnRequest) -> None:
    assert success_action(job(), owed(None, request_, HAS_DSN)) is None


# ------------------------------------------------------------ §5.2.2: to a server that has none


def test_5_2_2_a_nothing_is_passed_on() -> None:
    assert mail_words(NOTHING_OFFERED, envid="x", returns="FULL") == []
    request = notify("SUCCESS", original="rfc822;bob@example.net")
    assert rcpt_words(request, NOTHING_OFFERED) == []


def test_5_2_2_b_success_is_reported_as_relayed() -> None:
    recipient = owed(None, notify("SUCCESS"), NO_DSN)
    assert success_action(job(), recipient) is RELAYED
    report = Desk().one(told(RELAYED, request=notify("SUCCESS"), last=NO_DSN))
    assert status_groups(report)[1]["Action"] == "relayed"


def test_5_2_2_c_a_failure_is_reported_where_notify_has_failure() -> None:
    assert is_due(job(), told(FAILED, request=notify("FAILURE")))


def test_5_2_2_d_nothing_is_reported_of_notify_never() -> None:
    assert success_action(job(), owed(None, NEVER, NO_DSN)) is None
    assert not is_due(job(), told(FAILED, request=NEVER))
    assert not Desk(postmaster="bosch@example.org").write(told(FAILED, request=NEVER)).lost


def test_5_2_2_e_success_without_notify_is_not_reported() -> None:
    assert success_action(job(), owed(None, DEFAULT_DSN_REQUEST, NO_DSN)) is None


def test_5_2_2_f_a_failure_without_notify_is_reported() -> None:
    report = Desk().one(told(FAILED))
    assert status_groups(report)[1]["Action"] == "failed"


# ------------------------------------------------------------ §5.2.3: local delivery


@pytest.mark.parametrize("target", [HERE, LIST])
def test_5_2_3_a_success_is_reported_as_delivered(target: AccountTarget | ListTarget) -> None:
    assert success_action(job(), owed(target, notify("SUCCESS"), NO_DSN)) is DELIVERED


@pytest.mark.parametrize("request_", [notify("FAILURE"), notify("DELAY"), NEVER])
def test_5_2_3_b_nothing_is_reported_where_notify_lacks_success(request_: DsnRequest) -> None:
    assert success_action(job(), owed(HERE, request_, NO_DSN)) is None


def test_5_2_3_c_nothing_is_reported_without_notify() -> None:
    assert success_action(job(), owed(HERE, DEFAULT_DSN_REQUEST, NO_DSN)) is None


# ------------------------------------------------------------ §5.2.4: programs, a foreign environment


def test_5_2_4_b_what_a_program_has_taken_is_relayed() -> None:
    assert success_action(job(), owed(PROGRAM, notify("SUCCESS"), NO_DSN)) is RELAYED


@pytest.mark.parametrize("request_", [NEVER, DEFAULT_DSN_REQUEST])
def test_5_2_4_c_d_else_nothing_is_reported_of_it(request_: DsnRequest) -> None:
    assert success_action(job(), owed(PROGRAM, request_, NO_DSN)) is None


# ------------------------------------------------------------ §5.2.5: delays


@pytest.mark.parametrize(
    ("request_", "is_told"),
    [
        pytest.param(notify("DELAY"), True, id="a"),
        pytest.param(DEFAULT_DSN_REQUEST, True, id="b"),
        pytest.param(notify("SUCCESS", "FAILURE"), False, id="c"),
        pytest.param(NEVER, False, id="c-never"),
    ],
)
def test_5_2_5_a_delay_is_reported_unless_that_is_excluded(
    request_: DsnRequest, is_told: bool
) -> None:
    assert may_be_delayed(job(), owed(None, request_)) is is_told
    late = told(DELAYED, until=2e9, request=request_, last=attempt(BUSY))
    assert bool(Desk().write(late).jobs) is is_told


# ------------------------------------------------------------ §5.2.6: failures


@pytest.mark.parametrize(
    ("request_", "is_told"),
    [
        pytest.param(notify("FAILURE"), True, id="a"),
        pytest.param(notify("SUCCESS", "FAILURE"), True, id="a-with-success"),
        pytest.param(notify("SUCCESS", "DELAY"), False, id="b"),
        pytest.param(NEVER, False, id="b-never"),
        pytest.param(DEFAULT_DSN_REQUEST, True, id="c"),
    ],
)
def test_5_2_6_a_failure_is_reported_unless_that_is_excluded(
    request_: DsnRequest, is_told: bool
) -> None:
    assert bool(Desk().write(told(FAILED, request=request_)).jobs) is is_told


# ------------------------------------------------------------ §5.2.7: lists and aliases: test_acceptance


# ------------------------------------------------------------ §5.2.8: several recipients


def test_5_2_8_a_report_has_only_recipients_of_whom_one_is_due() -> None:
    silent = told(FAILED, request=NEVER)
    report = Desk().one(told(FAILED), silent, told(DELAYED, request=notify("FAILURE")))
    assert len(status_groups(report)) == 2


# ------------------------------------------------------------ RFC 2852


def test_2852_4_1_4_mail_that_is_traced_is_relayed_at_each_hop() -> None:
    traced = job(deliver_by=DeliverBy(2e9, is_returned=True, is_traced=True))
    for request in (DEFAULT_DSN_REQUEST, notify("FAILURE")):
        assert success_action(traced, owed(None, request, HAS_DSN)) is RELAYED
        assert is_due(traced, told(RELAYED, request=request, last=HAS_DSN))
    assert success_action(traced, owed(None, NEVER, HAS_DSN)) is None


def test_2852_4_1_4_2_it_is_relayed_where_nobody_keeps_the_time() -> None:
    timed = job(deliver_by=BY)
    assert success_action(timed, owed(None, DEFAULT_DSN_REQUEST, HAS_DSN)) is RELAYED
    assert success_action(timed, owed(None, NEVER, HAS_DSN)) is None


@pytest.mark.parametrize(
    ("deliver_by", "keywords"),
    [
        pytest.param(BY, {DSN, DELIVERBY}, id="the next hop keeps it"),
        pytest.param(DeliverBy(BY.deadline, is_returned=True), {DSN}, id="mode R"),
        pytest.param(DeliverBy(1.0, is_returned=False), {DSN}, id="it is over"),
    ],
)
def test_2852_4_1_4_2_else_it_is_not(deliver_by: DeliverBy, keywords: set[str]) -> None:
    last = attempt(TAKEN, keywords=frozenset(keywords))
    assert success_action(job(deliver_by=deliver_by), owed(last=last)) is None


# ------------------------------------------------------------ what nobody is told of


@pytest.mark.parametrize(
    "about",
    [job(sender=NULL), job(kind=JobKind.REPORT)],
    ids=["the null sender", "a report"],
)
def test_nobody_is_told_that_a_report_is_late(about: object) -> None:
    assert not may_be_delayed(about, owed())  # type: ignore[arg-type]


def test_no_list_is_told_that_a_copy_is_late() -> None:
    assert not may_be_delayed(job(), owed(sender=parse("news-bounces+x@example.org")))
