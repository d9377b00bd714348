"""RFC 3461 §5.2.3 and §5.2.7 at the time of acceptance."""

import pytest

from tests.queue.reports.reporting import ALICE, BOB, NOW, notify
from twisted_mail.interfaces import ReportAction
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.envelope import DEFAULT_DSN_REQUEST, DsnRequest, Envelope
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.outcome import MailError, Outcome, Refused, Unavailable
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.route import ListTarget, LocalRoute, ProgramTarget, RemoteRoute
from twisted_mail.queue.reports.acceptance import onward_request, told_at_acceptance

TEAM = parse("team@example.org")
ACCOUNT = LocalRoute(("alice@example.org",))
LIST = LocalRoute((), lists=(ListTarget("news@example.org", ListRole.POST),))
PROGRAM = LocalRoute((), programs=(ProgramTarget("ticket", TEAM),))
ELSEWHERE = RemoteRoute((BOB,))
MANY = RemoteRoute((BOB,), accounts=("alice@example.org", "bosch@example.org"))
ALL = notify("SUCCESS", "FAILURE", original="rfc822;team@example.org")
DONE: dict[str, MailError | None] = {"alice@example.org": None, "bosch@example.org": None}
FULL = Refused(Outcome(552, "5.2.2", "The mailbox is full"))
SEVERAL = ReportAction.EXPANDED, "team@example.org"


def actions(
    route: LocalRoute | RemoteRoute,
    request: DsnRequest = ALL,
    results: dict[str, MailError | None] = DONE,
) -> list[tuple[ReportAction, str]]:
    """Return what is reported of a recipient, the team, that has this route."""
    envelope = Envelope("0abc", ALICE, (TEAM,), dsn_requests={TEAM: request})
    told = told_at_acceptance(envelope, {TEAM: route}, results, NOW)
    assert [one.recipient.number for one in told] == list(range(1, len(told) + 1))
    assert {one.recipient.original for one in told} <= {TEAM}
    return [(one.action, str(one.recipient.address)) for one in told]


def test_nobody_asks_and_nothing_failed_so_nothing_is_looked_at() -> None:
    routes: dict[Address, LocalRoute | RemoteRoute] = {TEAM: ACCOUNT}
    assert told_at_acceptance(Envelope("0abc", ALICE, (TEAM,)), routes, DONE, NOW) == []


def test_5_2_3_a_what_is_in_a_mailbox_is_delivered() -> None:
    assert actions(ACCOUNT) == [(ReportAction.DELIVERED, "team@example.org")]


@pytest.mark.parametrize("request_", [notify("FAILURE"), notify(), DEFAULT_DSN_REQUEST])
def test_5_2_3_b_c_that_is_not_reported_where_nobody_asked(request_: DsnRequest) -> None:
    assert actions(ACCOUNT, request_) == []


def test_an_account_that_failed_for_now_is_not_reported_yet() -> None:
    assert actions(ACCOUNT, results={"alice@example.org": Unavailable("Later")}) == []


def test_an_account_that_failed_for_good_has_failed() -> None:
    assert actions(ACCOUNT, results={"alice@example.org": FULL}) == [
        (ReportAction.FAILED, "team@example.org")
    ]


def test_a_failure_is_reported_though_nobody_asked_for_anything() -> None:
    envelope = Envelope("0abc", ALICE, (TEAM,))
    (one,) = told_at_acceptance(envelope, {TEAM: ACCOUNT}, {"alice@example.org": FULL}, NOW)
    assert one.recipient.last is not None
    assert one.recipient.last.reply_class is ReplyClass.FULL
    assert one.recipient.last.outcome == FULL.outcome


def test_5_2_7_1_what_a_list_has_taken_is_delivered_and_its_members_are_no_concern() -> None:
    assert actions(LIST) == [(ReportAction.DELIVERED, "news@example.org")]
    assert onward_request(ALL, TEAM, LIST).events == frozenset()


def test_5_2_7_1_without_success_a_list_that_fails_is_reported() -> None:
    assert actions(LIST, notify("FAILURE")) == []
    assert onward_request(notify("FAILURE"), TEAM, LIST) == notify("FAILURE")


@pytest.mark.parametrize("route", [ACCOUNT, ELSEWHERE, PROGRAM])
def test_5_2_7_2_an_alias_for_one_passes_everything_on(route: LocalRoute | RemoteRoute) -> None:
    assert onward_request(ALL, TEAM, route) == ALL


@pytest.mark.parametrize("route", [ELSEWHERE, PROGRAM])
def test_5_2_7_2_and_nothing_is_reported_of_it_yet(route: LocalRoute | RemoteRoute) -> None:
    assert actions(route) == []


def test_5_2_7_3_c_an_alias_for_several_is_expanded_and_passes_on_all_but_success() -> None:
    assert actions(MANY) == [SEVERAL]
    assert onward_request(ALL, TEAM, MANY) == notify("FAILURE", original=ALL.original)


def test_5_2_7_3_c_only_success_becomes_never() -> None:
    assert onward_request(notify("SUCCESS"), TEAM, MANY) == notify()


@pytest.mark.parametrize("request_", [notify("FAILURE"), notify(), DEFAULT_DSN_REQUEST])
def test_5_2_7_3_c_without_success_nothing_is_reported_and_nothing_altered(
    request_: DsnRequest,
) -> None:
    assert actions(MANY, request_) == []
    assert onward_request(request_, TEAM, MANY) is request_


def test_of_an_alias_for_several_the_account_that_failed_is_reported_too() -> None:
    results = DONE | {"bosch@example.org": FULL}
    assert actions(MANY, results=results) == [SEVERAL, (ReportAction.FAILED, "team@example.org")]
