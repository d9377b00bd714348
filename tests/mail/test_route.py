"""Tests of twisted_mail.mail.route."""

from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.route import Elsewhere, Here, NoRoute, Route


def describe(route: Route) -> str:
    match route:
        case Here(accounts):
            return f"here {len(accounts)}"
        case Elsewhere(addresses, accounts):
            return f"elsewhere {len(addresses)}, here {len(accounts)}"
        case NoRoute(outcome):
            return f"nowhere {outcome.code}"


def test_a_route_is_one_of_three() -> None:
    assert describe(Here(("alice",))) == "here 1"
    assert describe(Elsewhere((Address("a", "b"),))) == "elsewhere 1, here 0"
    assert describe(NoRoute(Outcome(550, "5.1.1", "Nobody"))) == "nowhere 550"
