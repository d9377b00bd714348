from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.expansion import TOO_DEEP, TOO_MANY, UNKNOWN
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.directory_entry import MAX_ALIAS_ADDRESSES, MAX_ALIAS_DEPTH
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.route import (
    ListTarget,
    LocalRoute,
    ProgramTarget,
    RemoteRoute,
    Route,
    RouteStep,
    RouteStepKind,
)
from twisted_mail.testing.doubles import finish

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.net"
ALICE_SMITH = "alice-smith@example.org"
NEWS = "news@example.org"


def router(separators: str = "+", **aliases: str) -> LocalRouter:
    names = {"catch_all": '""'}
    directory = FixedDirectory(
        dict.fromkeys((ALICE, BOB, CAROL, ALICE_SMITH), ""),
        {
            f"{names.get(name, name)}@example.org": [parse(one) for one in leads.split()]
            for name, leads in aliases.items()
        },
        programs={"tickets@example.org": ["ticket"]},
        lists={NEWS: [parse(BOB), parse("o@elsewhere.example")], "bare@example.org": []},
        domain_aliases={"example.com": "example.org"},
    )
    return LocalRouter(directory, separators=separators)


def route(text: str, separators: str = "+", **aliases: str) -> Route:
    return finish(router(separators, **aliases).route(parse(text)))


def turns(text: str, **aliases: str) -> list[tuple[int, str, str]]:
    _, steps = finish(router(**aliases).explain(parse(text)))
    return [(step.depth, str(step.address), step.kind.value) for step in steps]


# ---------------------------------------------------------------- details


@pytest.mark.parametrize(
    ("text", "separators", "account", "detail"),
    [
        ("alice+x@example.org", "+", ALICE, "x"),
        ("Alice+X@example.org", "+", ALICE, "X"),
        ("alice+x+y@example.org", "+", ALICE, "x+y"),
        ("alice=x@example.org", "+=", ALICE, "x"),
        ("alice-x@example.org", "+-", ALICE, "x"),
        ("alice-smith-x@example.org", "+-", ALICE_SMITH, "x"),
        ("alice+@example.org", "+", ALICE, ""),
    ],
)
def test_the_longest_user_before_a_separator_gets_the_mail(
    text: str, separators: str, account: str, detail: str
) -> None:
    details = ((account, detail),) if detail else ()
    assert route(text, separators) == LocalRoute((account,), details=details)


@pytest.mark.parametrize("separators", ["", "-"])
def test_what_is_not_set_does_not_separate(separators: str) -> None:
    assert route("alice+x@example.org", separators) is UNKNOWN


def test_only_so_many_cuts_are_tried() -> None:
    assert route("alice+1+2+3+4@example.org") == LocalRoute((ALICE,), details=((ALICE, "1+2+3+4"),))
    asked = CountingDirectory({ALICE: ""})
    many = Address("b" + "+" * 60, "example.org")
    assert finish(LocalRouter(asked).route(many)) is UNKNOWN
    assert asked.count < 10


class CountingDirectory(FixedDirectory):
    __slots__ = ()
    counts: ClassVar[list[int]] = []

    async def find(self, address: Address) -> object:  # type: ignore[override]
        self.counts.append(1)
        return await FixedDirectory.find(self, address)

    @property
    def count(self) -> int:
        return len(self.counts)


def test_the_detail_goes_along_an_alias_unless_the_target_has_its_own() -> None:
    found = route("team+x@example.org", team=f"alice+own@example.org {BOB}")
    assert found == LocalRoute((ALICE, BOB), details=((ALICE, "own"), (BOB, "x")))


def test_an_address_elsewhere_is_kept_as_written_and_gets_no_detail() -> None:
    found = route("me+x@example.org", me="Some.Body@ELSEWHERE.example")
    assert found == RemoteRoute((Address("Some.Body", "elsewhere.example"),))


# ---------------------------------------------------------------- catch-all and domains


def test_a_catch_all_takes_what_nobody_else_does() -> None:
    assert route("anything@example.org", catch_all=BOB) == LocalRoute((BOB,))
    assert route(ALICE, catch_all=BOB) == LocalRoute((ALICE,))
    assert route("alice+x@example.org", catch_all=BOB).accounts == (ALICE,)  # type: ignore[union-attr]
    assert route("news-request@example.org", catch_all=BOB).accounts == ()  # type: ignore[union-attr]


def test_a_catch_all_that_leads_nowhere_ends() -> None:
    assert route("anything@example.org", catch_all="nobody@example.org") is UNKNOWN


def test_every_local_part_of_a_domain_alias_is_that_of_the_domain() -> None:
    assert route("alice@example.com") == LocalRoute((ALICE,))
    assert route("alice+x@example.com") == LocalRoute((ALICE,), details=((ALICE, "x"),))
    assert route("team@example.com", team="bob@example.com") == LocalRoute((BOB,))
    assert route("news-owner@example.com").accounts == (BOB,)  # type: ignore[union-attr]
    assert route("nobody@example.com") is UNKNOWN
    assert route("x@example.com", catch_all=BOB) == LocalRoute((BOB,))


def test_a_loop_through_a_domain_alias_ends() -> None:
    assert route("a@example.com", a=f"b@example.com {BOB}", b="a@example.com") == LocalRoute((BOB,))


# ---------------------------------------------------------------- programs and lists


def test_an_alias_leads_to_a_program() -> None:
    assert route("tickets+7@example.org") == LocalRoute(
        (), (ProgramTarget("ticket", parse("tickets+7@example.org"), "7"),)
    )
    found = route("help@example.org", help=f"tickets@example.org {ALICE}")
    assert found == LocalRoute((ALICE,), (ProgramTarget("ticket", parse("tickets@example.org")),))


@pytest.mark.parametrize(
    ("local", "role", "detail"),
    [
        ("news", ListRole.POST, ""),
        ("News", ListRole.POST, ""),
        ("news-request", ListRole.REQUEST, ""),
        ("news-Subscribe", ListRole.SUBSCRIBE, ""),
        ("news-bounces+alice=example.net=k3", ListRole.BOUNCES, "alice=example.net=k3"),
        ("news-confirm+0abc", ListRole.CONFIRM, "0abc"),
    ],
)
def test_a_list_has_addresses(local: str, role: ListRole, detail: str) -> None:
    found = route(f"{local}@example.org", "+-")
    assert found == LocalRoute((), lists=(ListTarget(NEWS, role, detail),))


def test_the_owners_of_a_list_are_an_alias_of_it() -> None:
    found = route("news-owner@example.org")
    assert found == RemoteRoute((parse("o@elsewhere.example"),), (BOB,))


def test_a_list_without_owners_has_the_postmaster() -> None:
    assert route("bare-owner@example.org", postmaster=ALICE) == LocalRoute((ALICE,))


def test_an_address_of_its_own_comes_before_one_of_a_list() -> None:
    assert route("news-request@example.org", **{"news-request": ALICE}) == LocalRoute((ALICE,))


def test_words_of_lists_mean_nothing_without_a_list() -> None:
    assert route("alice-request@example.org") is UNKNOWN


# ---------------------------------------------------------------- the trace


def test_the_steps_say_what_was_found_at_each_address() -> None:
    aliases = {
        "all": "team@example.com u@b.example",
        "team": "alice+x@example.org all@example.org",
    }
    assert turns("All@example.org", **aliases) == [
        (0, "All@example.org", "alias"),
        (1, "team@example.com", "domain alias"),
        (1, "team@example.com", "alias"),
        (1, "u@b.example", "elsewhere"),
        (2, "alice+x@example.org", "subaddress"),
        (2, "alice+x@example.org", "account"),
        (2, "all@example.org", "alias"),
        (3, "team@example.com", "repeated"),
        (3, "u@b.example", "repeated"),
    ]
    assert turns("x@example.org", catch_all=BOB) == [
        (0, "x@example.org", "catch-all"),
        (0, "x@example.org", "alias"),
        (1, BOB, "account"),
    ]
    assert turns("x@example.org") == [(0, "x@example.org", "unknown")]
    assert turns("news-owner@example.org")[0] == (0, "news-owner@example.org", "list owners")
    assert turns("tickets@example.org")[1:] == [(1, "tickets@example.org", "program")]


def test_the_postmaster_without_domain_is_a_step() -> None:
    directory = FixedDirectory({"postmaster@example.org": ""})
    found, steps = finish(
        LocalRouter(directory, "mail.example.org").explain(Address("postmaster", ""))
    )
    assert found == LocalRoute(("postmaster@example.org",))
    assert steps[0] == RouteStep(
        0, Address("postmaster", ""), RouteStepKind.POSTMASTER, ("postmaster@example.org",)
    )


# ---------------------------------------------------------------- whatever the directory says

LOCALS = [
    "a",
    "b",
    "c",
    "d",
    "a+x",
    "b+x+y",
    "alice",
    "Bob",
    "alice+x",
    "news",
    "news-owner",
    "tickets",
]
ADDRESSES = st.sampled_from(
    [f"{local}@{domain}" for local in LOCALS for domain in ("example.org", "example.com")]
    + ["u@elsewhere.example", "U@elsewhere.example", "nobody@example.org"]
)
KEYS = st.sampled_from(["a", "b", "c", "d", "a+x", "catch_all"])
GRAPHS = st.dictionaries(KEYS, st.lists(ADDRESSES, min_size=1, max_size=6).map(" ".join))


@given(GRAPHS, ADDRESSES)
def test_any_graph_of_aliases_ends_with_each_account_once(
    aliases: dict[str, str], text: str
) -> None:
    found = route(text, **aliases)
    if isinstance(found, (LocalRoute, RemoteRoute)):
        for several in (found.accounts, found.programs, found.lists):
            assert len(set(several)) == len(several)
        assert set(found.accounts) <= {ALICE, BOB, CAROL, ALICE_SMITH}
        assert {name for name, _ in found.details} <= set(found.accounts)
    else:
        assert found in (UNKNOWN, TOO_DEEP, TOO_MANY)


@given(GRAPHS, ADDRESSES)
def test_the_explanation_is_of_the_very_route(aliases: dict[str, str], text: str) -> None:
    found, steps = finish(router(**aliases).explain(parse(text)))
    assert found == route(text, **aliases)
    assert {step.found[0] for step in steps if step.kind is RouteStepKind.ACCOUNT} == set(
        getattr(found, "accounts", ())
    ) or found in (TOO_DEEP, TOO_MANY)
    assert all(step.depth <= MAX_ALIAS_DEPTH + 1 for step in steps)


@given(st.integers(1, 40), st.integers(1, 60))
def test_width_and_depth_have_bounds(depth: int, width: int) -> None:
    aliases = {
        f"a{level}": " ".join(
            f"a{level + 1}+{level}.{number}@example.org" for number in range(width)
        )
        for level in range(depth)
    } | {f"a{depth}": BOB}
    asked = CountingDirectory(
        {BOB: ""}, {f"{k}@example.org": [parse(o) for o in v.split()] for k, v in aliases.items()}
    )
    asked.counts.clear()
    found = finish(LocalRouter(asked).route(parse("a0@example.org")))
    if depth > MAX_ALIAS_DEPTH or depth * width > MAX_ALIAS_ADDRESSES:
        assert found in (TOO_DEEP, TOO_MANY)
    assert asked.count <= 6 * (MAX_ALIAS_ADDRESSES + width)
