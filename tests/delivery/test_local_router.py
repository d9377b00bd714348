import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.directory_entry import MAX_ALIAS_ADDRESSES, MAX_ALIAS_DEPTH, DirectoryEntry
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.route import LocalRoute, NoRoute, RemoteRoute, Route, RouteStepKind
from twisted_mail.testing.doubles import finish

ACCOUNTS = dict.fromkeys(("alice@example.org", "bob@example.org", "carol@example.net"), "secret")


def route(recipient: str | Address, hostname: str = "", **aliases: str) -> Route:
    targets = {
        f"{name}@example.org": [parse(one) for one in leads.split()]
        for name, leads in aliases.items()
    }
    router = LocalRouter(FixedDirectory(ACCOUNTS, targets), hostname)
    address = parse(recipient) if isinstance(recipient, str) else recipient
    return finish(router.route(address))


def refusal(route: Route) -> str:
    assert isinstance(route, NoRoute)
    return f"{route.outcome.code} {route.outcome.enhanced}"


def test_an_account_is_here() -> None:
    assert route("Alice@example.org") == LocalRoute(("alice@example.org",))


def test_an_unknown_address_of_ours_has_no_route() -> None:
    assert refusal(route("nobody@example.org")) == "550 5.1.1"


def test_a_domain_not_ours_is_elsewhere() -> None:
    assert route("a@b.example") == RemoteRoute((parse("a@b.example"),))


def test_an_alias_leads_to_accounts_in_order_and_each_once() -> None:
    both = "carol@example.net alice@example.org carol@example.net"
    assert route("team@example.org", team=both) == LocalRoute(
        ("carol@example.net", "alice@example.org")
    )


def test_aliases_lead_to_aliases_breadth_first() -> None:
    found = route(
        "all@example.org",
        all="team@example.org carol@example.net",
        team="alice@example.org bob@example.org",
    )
    assert found == LocalRoute(("carol@example.net", "alice@example.org", "bob@example.org"))


def test_an_alias_that_leads_elsewhere_keeps_its_accounts() -> None:
    found = route("me@example.org", me="alice@example.org a@b.example")
    assert found == RemoteRoute((parse("a@b.example"),), ("alice@example.org",))


def test_an_alias_that_leads_to_nobody_has_no_route() -> None:
    assert refusal(route("x@example.org", x="nobody@example.org")) == "550 5.1.1"


def test_an_unknown_target_does_not_hinder_the_others() -> None:
    assert route("x@example.org", x="nobody@example.org bob@example.org") == LocalRoute(
        ("bob@example.org",)
    )


def test_loops_end() -> None:
    assert route(
        "a@example.org", a="b@example.org", b="a@example.org b@example.org bob@example.org"
    ) == LocalRoute(("bob@example.org",))
    assert refusal(route("a@example.org", a="a@example.org")) == "550 5.1.1"


def chain(length: int) -> dict[str, str]:
    links = {f"a{at}": f"a{at + 1}@example.org" for at in range(length - 1)}
    return {**links, f"a{length - 1}": "bob@example.org"}


def test_aliases_nest_only_so_deep() -> None:
    assert route("a0@example.org", **chain(MAX_ALIAS_DEPTH)) == LocalRoute(("bob@example.org",))
    assert refusal(route("a0@example.org", **chain(MAX_ALIAS_DEPTH + 1))) == "451 4.3.5"


def test_a_recipient_stands_for_only_so_many_addresses() -> None:
    many = [f"u{number}@b.example" for number in range(MAX_ALIAS_ADDRESSES + 1)]
    assert refusal(route("list@example.org", list=" ".join(many))) == "451 4.3.5"
    found = route("list@example.org", list=" ".join(many[1:]))
    assert isinstance(found, RemoteRoute)
    assert len(found.addresses) == MAX_ALIAS_ADDRESSES


def test_an_alias_to_aliases_that_all_expand_widely_is_stopped_early() -> None:
    wide = {
        f"w{level}": " ".join(f"w{level + 1}+{number}@example.org" for number in range(500))
        for level in range(5)
    }
    assert refusal(route("w0@example.org", **wide)) == "451 4.3.5"


def test_a_detail_falls_back_to_the_user() -> None:
    alice, bob = "alice@example.org", "bob@example.org"
    assert route("alice+lists@example.org") == LocalRoute((alice,), details=((alice, "lists"),))
    found = route("team+x+y@example.org", team=bob)
    assert found == LocalRoute((bob,), details=((bob, "x+y"),))
    assert refusal(route("nobody+x@example.org")) == "550 5.1.1"
    assert refusal(route("+x@example.org")) == "550 5.1.1"


def test_an_address_with_its_own_detail_comes_first() -> None:
    assert route("alice+lists@example.org", **{"alice+lists": "bob@example.org"}) == LocalRoute(
        ("bob@example.org",)
    )


@pytest.mark.parametrize("hostname", ["example.org", "mail.example.org", "a.b.Example.org"])
def test_postmaster_without_domain_is_that_of_the_host_or_above(hostname: str) -> None:
    found = route(Address("postmaster", ""), hostname, postmaster="alice@example.org")
    assert found == LocalRoute(("alice@example.org",))


def test_the_address_that_reports_name_leads_to_the_postmaster() -> None:
    host, leads = "Mail.example.org", {"postmaster": "alice@example.org"}
    assert route("postmaster@mail.example.org", host, **leads) == LocalRoute(("alice@example.org",))
    assert refusal(route("postmaster@mail.example.org", host)) == "550 5.1.1"
    for other in ("postmaster@mail.example.com", "alice@mail.example.org"):
        assert isinstance(route(other, host, **leads), RemoteRoute)


@pytest.mark.parametrize("hostname", ["", "localhost", "mail.b.example", "example.org"])
def test_without_any_postmaster_there_is_no_route(hostname: str) -> None:
    assert refusal(route(Address("Postmaster", ""), hostname)) == "550 5.1.1"


def test_postmaster_is_also_looked_for_in_the_domains_given() -> None:
    directory = FixedDirectory({"postmaster@example.net": "secret"})
    router = LocalRouter(directory, "mail.b.example", ("example.net",))
    assert finish(router.route(Address("postmaster", ""))) == LocalRoute(
        ("postmaster@example.net",)
    )


def test_each_domain_is_looked_into_once_for_the_postmaster() -> None:
    directory = FixedDirectory({"alice@example.org": "secret"})
    router = LocalRouter(directory, "mail.example.org", ("example.org",))
    _, steps = finish(router.explain(Address("postmaster", "")))
    found = [step for step in steps if step.kind is RouteStepKind.POSTMASTER]
    assert len(found) == 1


class Towns:
    """A directory of two domains, of which one has a postmaster of its own."""

    def __init__(self, postmaster: str, **accounts: str) -> None:
        self.directory = FixedDirectory(
            {"alice@example.org": "", "bob@example.net": "", **accounts}
        )
        self.router = LocalRouter(self.directory, "mail.example.org", postmaster=postmaster)

    def taker(self, address: Address) -> Route:
        explained, _ = finish(self.router.explain(address))
        assert explained == finish(self.router.route(address))
        return explained


@pytest.mark.parametrize("local", ["postmaster", "Postmaster", "POSTMASTER"])
@pytest.mark.parametrize("domain", ["example.org", "example.net", ""])
def test_every_domain_has_the_postmaster_of_the_configuration(local: str, domain: str) -> None:
    towns = Towns("bob@example.net")
    assert towns.taker(Address(local, domain)) == LocalRoute(("bob@example.net",))


def test_a_domain_without_a_postmaster_has_that_of_the_host() -> None:
    towns = Towns("", **{"postmaster@example.org": ""})
    taken = towns.taker(parse("postmaster@example.net"))
    assert taken == LocalRoute(("postmaster@example.org",))


def test_a_postmaster_of_the_domain_comes_first() -> None:
    towns = Towns("alice@example.org", **{"postmaster@example.net": ""})
    taken = towns.taker(parse("postmaster@example.net"))
    assert taken == LocalRoute(("postmaster@example.net",))


def test_a_postmaster_that_nobody_is_has_no_route() -> None:
    towns = Towns("carol@example.org")
    assert refusal(towns.taker(parse("postmaster@example.net"))) == "550 5.1.1"
    assert refusal(towns.taker(parse("carol@example.net"))) == "550 5.1.1"


def test_other_domains_have_no_postmaster_here() -> None:
    taken = Towns("alice@example.org").taker(parse("postmaster@elsewhere.example"))
    assert isinstance(taken, RemoteRoute)


def test_nobody_else_is_known_without_domain() -> None:
    assert refusal(route(Address("alice", ""), "example.org")) == "550 5.1.1"


class BrokenDirectory(FixedDirectory):
    async def find(self, address: Address) -> DirectoryEntry | None:
        raise Unavailable("The directory cannot be asked now")


def test_a_directory_that_cannot_be_asked_is_said_so() -> None:
    router = LocalRouter(BrokenDirectory(ACCOUNTS))
    with pytest.raises(Unavailable):
        finish(router.route(parse("alice@example.org")))


NAMES = st.sampled_from(["a", "b", "c", "d", "alice", "bob"])


@given(st.dictionaries(NAMES, st.lists(NAMES, min_size=1)), NAMES)
def test_whatever_aliases_say_the_answer_names_accounts_once(
    aliases: dict[str, list[str]], name: str
) -> None:
    leads = {key: " ".join(f"{one}@example.org" for one in value) for key, value in aliases.items()}
    found = route(f"{name}@example.org", **leads)
    if isinstance(found, LocalRoute):
        assert len(set(found.accounts)) == len(found.accounts) > 0
        assert set(found.accounts) <= set(ACCOUNTS)
    else:
        assert refusal(found) == "550 5.1.1"
