"""Tests of twisted_mail.mail.route."""

from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import (
    ListTarget,
    LocalRoute,
    NoRoute,
    ProgramTarget,
    RemoteRoute,
    Route,
)


def describe(route: Route) -> str:
    match route:
        case LocalRoute(accounts):
            return f"here {len(accounts)}"
        case RemoteRoute(addresses, accounts):
            return f"elsewhere {len(addresses)}, here {len(accounts)}"
        case NoRoute(outcome):
            return f"nowhere {outcome.code}"


def test_a_route_is_one_of_three() -> None:
    assert describe(LocalRoute(("alice",))) == "here 1"
    assert describe(RemoteRoute((Address("a", "b"),))) == "elsewhere 1, here 0"
    assert describe(NoRoute(Outcome(550, "5.1.1", "Nobody"))) == "nowhere 550"


def test_mail_goes_to_an_address_without_detail_unless_it_has_one() -> None:
    assert ProgramTarget("page", Address("a", "b.example")).detail == ""
    assert ListTarget("news@b.example", ListRole.POST).detail == ""
