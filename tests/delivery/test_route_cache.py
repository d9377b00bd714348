from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.delivery.route_cache import MAX_KEPT, KeptRoute, RouteCache
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.directory_entry import DirectoryEntry
from twisted_mail.mail.route import LocalRoute, ProgramTarget
from twisted_mail.testing.doubles import finish

MEMBERS = [f"m{number}@example.org" for number in range(900)]


class AskedDirectory:
    """A directory that counts look-ups, and can change."""

    def __init__(self, directory: FixedDirectory) -> None:
        self.directory = directory
        self.look_ups = 0
        self.number = 1

    def version(self) -> object:
        return self.number

    async def find(self, address: Address) -> DirectoryEntry | None:
        self.look_ups += 1
        return await self.directory.find(address)

    async def is_ours(self, domain: str) -> bool:
        return await self.directory.is_ours(domain)

    async def home(self, domain: str) -> str | None:
        return await self.directory.home(domain)


def made(**programs: Sequence[str]) -> AskedDirectory:
    aliases = {
        "all@example.org": [parse(one) for one in MEMBERS],
        '""@catch.example': [parse("all@example.org")],
        "postmaster@example.org": [parse("all@example.org")],
    }
    lists = {"news@example.org": [parse("all@example.org")]}
    accounts = dict.fromkeys(MEMBERS, "")
    return AskedDirectory(FixedDirectory(accounts, aliases, programs, lists))


@pytest.mark.parametrize(
    "recipients",
    [
        [f"all+{number}@example.org" for number in range(100)],
        ["all@example.org", "ALL@example.org", "aLl@example.org", "All@example.org"] * 25,
        [f"{number}@catch.example" for number in range(100)],
        [f"news-owner+{number}@example.org" for number in range(100)],
        ["<postmaster>"] * 100,
    ],
)
def test_an_alias_is_followed_once_whatever_it_is_called_by(recipients: list[str]) -> None:
    asked = made()
    router = LocalRouter(asked, "example.org")  # type: ignore[arg-type]
    for text in recipients:
        recipient = Address("postmaster", "") if text.startswith("<") else parse(text)
        route = finish(router.route(recipient))
        assert isinstance(route, LocalRoute)
        assert len(route.accounts) == len(MEMBERS)
    assert asked.look_ups < 1000 + 8 * len(recipients)


def test_each_recipient_has_its_own_detail_and_name() -> None:
    directory = FixedDirectory(
        {"a@example.org": ""},
        {"team@example.org": [parse("a@example.org"), parse("b@example.org")]},
        {"team@example.org": ["ticket"], "b@example.org": ["crm"]},
    )
    router = LocalRouter(directory)
    for text, detail in (("Team+X@example.org", "X"), ("team+y@example.org", "y")):
        assert finish(router.route(parse(text))) == LocalRoute(
            ("a@example.org",),
            (
                ProgramTarget("ticket", parse(text), detail),
                ProgramTarget("crm", parse("b@example.org"), detail),
            ),
            details=(("a@example.org", detail),),
        )
    assert finish(router.route(parse("team+@example.org"))).details == ()  # type: ignore[union-attr]


def test_a_change_of_the_directory_counts_at_once() -> None:
    asked = made()
    router = LocalRouter(asked)  # type: ignore[arg-type]
    finish(router.route(parse("all@example.org")))
    asked.directory = FixedDirectory(
        {"m@example.org": ""}, {"all@example.org": [parse("m@example.org")]}
    )
    asked.number += 1
    assert finish(router.route(parse("all@example.org"))) == LocalRoute(("m@example.org",))


def test_a_route_found_while_the_directory_changed_is_not_kept() -> None:
    versions = [1]
    cache = RouteCache(lambda: versions[0])
    address = parse("all@example.org")
    assert cache.get(address) is None
    versions[0] = 2
    cache.add(address, KeptRoute(LocalRoute(("old@example.org",)), frozenset((address,))), 1)
    assert cache.get(address) is None


def test_what_is_kept_is_bounded() -> None:
    cache = RouteCache(lambda: 1)
    kept = KeptRoute(LocalRoute(tuple(MEMBERS)), frozenset(map(parse, MEMBERS)))
    cache.get(parse("a@b"))
    for number in range(3 * MAX_KEPT // len(MEMBERS)):
        cache.add(Address(str(number), "example.org"), kept, 1)
        assert len(cache._routes) * len(MEMBERS) <= MAX_KEPT + len(MEMBERS)


NAMES = st.sampled_from(
    ["a", "b", "c", "all", "all+x", "all+y", "b+x", "news", "news-owner", "news-bounces+1", "A+"]
)
ADDRESSES = st.builds(
    Address, NAMES, st.sampled_from(["example.org", "example.com", "else.example"])
)
OURS = st.builds(
    "{}@example.org".format, st.sampled_from(["all", "all+x", "b", '""', "news-owner"])
)


@given(
    st.dictionaries(OURS, st.lists(ADDRESSES, max_size=4)),
    st.dictionaries(OURS, st.lists(st.sampled_from(["p", "q"]), max_size=2)),
    st.lists(ADDRESSES, max_size=3),
    st.lists(ADDRESSES, min_size=1, max_size=8),
)
def test_a_kept_route_is_the_one_that_would_be_found(
    aliases: dict[str, list[Address]],
    programs: dict[str, list[str]],
    owners: list[Address],
    recipients: list[Address],
) -> None:
    directory = FixedDirectory(
        {"a@example.org": "", "c@example.org": ""},
        aliases,
        programs,
        {"news@example.org": owners},
        {"example.com": "example.org"},
    )
    router = LocalRouter(directory)
    for recipient in recipients:
        expected, _ = finish(router.explain(recipient))
        assert finish(router.route(recipient)) == expected
