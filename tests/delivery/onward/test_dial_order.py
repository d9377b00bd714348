"""Which addresses an attempt dials, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.onward.dial_order import (
    MAX_ADDRESSES,
    MAX_HOSTS,
    Families,
    dial_order,
    prefer,
)
from twisted_mail.delivery.onward.mail_hosts import HostAddresses, ip_version


def hosts(*addresses: tuple[str, ...]) -> list[HostAddresses]:
    return [HostAddresses(at, f"h{at}", found) for at, found in enumerate(addresses)]


def order(
    *addresses: tuple[str, ...], families: Families = "both", avoids: int = 0
) -> list[tuple[str, str]]:
    return dial_order(hosts(*addresses), families, avoids, lambda found: None)


V4, V6 = tuple(f"192.0.2.{n}" for n in range(20)), tuple(f"2001:db8::{n:x}" for n in range(20))


def test_hosts_in_their_order_and_ipv6_of_each_first() -> None:
    assert order(("192.0.2.1", "2001:db8::1"), ("192.0.2.2",)) == [
        ("h0", "2001:db8::1"),
        ("h0", "192.0.2.1"),
        ("h1", "192.0.2.2"),
    ]


def test_addresses_of_a_version_are_mixed() -> None:
    found = dial_order(hosts(("192.0.2.1", "192.0.2.2")), shuffle=lambda one: one.reverse())
    assert [address for _, address in found] == ["192.0.2.2", "192.0.2.1"]


def test_many_addresses_of_one_host_leave_places_for_both_versions() -> None:
    found = [ip_version(address) for _, address in order(V6 + V4)]
    assert (found.count(6), found.count(4)) == (5, 5)
    assert len(order(V4)) == MAX_ADDRESSES


def test_many_addresses_of_one_host_leave_places_for_the_next() -> None:
    found = [name for name, _ in order(V6 + V4, ("192.0.2.99",))]
    assert found == ["h0"] * 9 + ["h1"]


def test_five_hosts_with_two_addresses_each() -> None:
    found = order(*[V6 + V4] * 8)
    assert [name for name, _ in found] == [f"h{at}" for at in range(MAX_HOSTS) for _ in range(2)]
    assert [ip_version(address) for _, address in found] == [6, 4] * 5


@pytest.mark.parametrize(
    ("families", "avoids", "versions"),
    [
        ("both", 0, [6, 4]),
        ("both", 6, [4]),
        ("both", 4, [6]),
        ("ipv4", 0, [4]),
        ("ipv6", 0, [6]),
        ("ipv6", 6, [6]),
    ],
)
def test_versions_that_are_used(families: Families, avoids: int, versions: list[int]) -> None:
    found = order((V6[0], V4[0]), families=families, avoids=avoids)
    assert [ip_version(address) for _, address in found] == versions


def test_a_version_that_is_avoided_is_dialled_where_nothing_else_is_there() -> None:
    assert order((V6[0],), avoids=6) == [("h0", V6[0])]
    assert order((V6[0],), families="ipv4") == []


def test_hosts_without_an_address_of_the_version_take_no_place() -> None:
    found = order(*[(V6[0],)] * 6, (V4[0],), families="ipv4")
    assert found == [("h6", V4[0])]


def test_one_place_can_be_preferred() -> None:
    places = [("a", "1"), ("b", "2"), ("c", "3")]
    assert prefer(places, ("c", "3")) == [("c", "3"), ("a", "1"), ("b", "2")]
    assert prefer(places, ("d", "4")) == places


ADDRESSES = st.lists(st.sampled_from(V4 + V6), unique=True, max_size=15).map(tuple)


@given(st.lists(ADDRESSES, max_size=9))
def test_an_order_is_bounded_and_keeps_that_of_the_hosts(found: list[tuple[str, ...]]) -> None:
    places = order(*found)
    assert len(places) <= MAX_ADDRESSES
    assert len({name for name, _ in places}) <= MAX_HOSTS
    assert [name for name, _ in places] == sorted(name for name, _ in places)
    assert len(set(places)) == len(places)
    assert bool(places) == any(found)
