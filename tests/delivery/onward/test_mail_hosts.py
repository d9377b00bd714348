"""The mail hosts of a domain, and why there are none."""

import string
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.onward import mail_hosts
from twisted_mail.delivery.onward.dialing_rules import DialingRules
from twisted_mail.delivery.onward.mail_hosts import (
    HostAddresses,
    LeftOut,
    MailHostFinder,
    MailHosts,
    is_host_name,
)
from twisted_mail.mail.dns import MailHost
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver

US = "mail.here.example"
DOMAIN = "there.example"


class Fixture:
    """A DNS with our own name in it; equal hosts stay in the order of the DNS."""

    def __init__(self, **rules: Any) -> None:
        self.dns = FakeResolver().add(US, "A", "192.0.2.99")
        self.finder = MailHostFinder(self.dns, DialingRules(**rules), US, lambda hosts: None)

    def mx(self, *hosts: tuple[int, str]) -> "Fixture":
        self.dns.add(DOMAIN, "MX", *(MailHost(*host) for host in hosts))
        return self

    def host(self, name: str, *addresses: str) -> "Fixture":
        for address in addresses:
            self.dns.add(name, "AAAA" if ":" in address else "A", address)
        return self

    def find(self, domain: str = DOMAIN) -> MailHosts:
        return finish(self.finder.find(domain))

    def names(self, domain: str = DOMAIN) -> list[str]:
        return [host.name for host in self.find(domain).hosts]

    def failure(self, domain: str = DOMAIN) -> str:
        found = self.find(domain)
        assert found.failure is not None
        assert not found.hosts
        return f"{found.failure.code} {found.failure.enhanced}"


@pytest.fixture
def there() -> Fixture:
    return Fixture()


# ------------------------------------------------------------ order


def test_hosts_come_by_preference_with_all_their_addresses(there: Fixture) -> None:
    there.mx((20, "b.example"), (10, "a.example"))
    there.host("a.example", "192.0.2.1", "2001:db8::1").host("b.example", "192.0.2.2")
    assert there.find().hosts == (
        HostAddresses(10, "a.example", ("2001:db8::1", "192.0.2.1")),
        HostAddresses(20, "b.example", ("192.0.2.2",)),
    )
    assert there.find().ranked == (("a.example",), ("b.example",))


def test_equal_hosts_are_mixed_and_others_are_not() -> None:
    def reverse(hosts: list[MailHost]) -> None:
        hosts.reverse()

    fixture = Fixture().mx((10, "a.example"), (10, "b.example"), (5, "c.example"))
    for number, name in enumerate(("a.example", "b.example", "c.example"), 1):
        fixture.host(name, f"192.0.2.{number}")
    fixture.finder = MailHostFinder(fixture.dns, DialingRules(), US, reverse)
    assert fixture.names() == ["c.example", "b.example", "a.example"]
    assert fixture.find().ranked == (("c.example",), ("a.example", "b.example"))


def test_the_names_of_a_site_are_in_order_however_hosts_are_mixed(there: Fixture) -> None:
    there.mx((10, "b.example"), (10, "a.example")).host("a.example", "192.0.2.1")
    assert there.find().ranked == (("a.example", "b.example"),)


def test_a_domain_without_mx_is_its_own_host(there: Fixture) -> None:
    there.host(DOMAIN, "192.0.2.1", "2001:db8::1")
    found = there.find()
    assert found.hosts == (HostAddresses(0, DOMAIN, ("2001:db8::1", "192.0.2.1")),)
    assert found.is_implicit


def test_addresses_of_a_domain_with_mx_are_not_used(there: Fixture) -> None:
    there.mx((10, "gone.example")).host(DOMAIN, "192.0.2.1")
    assert there.failure() == "550 5.4.4"


@pytest.mark.parametrize(
    ("domain", "address"),
    [("[192.0.2.1]", "192.0.2.1"), ("[IPv6:2001:db8::1]", "2001:db8::1")],
)
def test_an_address_literal_is_dialled_as_it_is(there: Fixture, domain: str, address: str) -> None:
    assert there.find(domain).hosts == (HostAddresses(0, domain, (address,)),)
    assert there.dns.asked == []


# ------------------------------------------------------------ clear answers


def test_a_domain_that_does_not_exist(there: Fixture) -> None:
    there.dns.missing.add(DOMAIN)
    assert there.failure() == "550 5.1.2"
    assert there.dns.asked == [(DOMAIN, "MX")]


def test_a_domain_with_neither_mx_nor_address(there: Fixture) -> None:
    assert there.failure() == "550 5.1.2"


@pytest.mark.parametrize("preference", [0, 10])
def test_a_domain_that_takes_no_mail(there: Fixture, preference: int) -> None:
    there.mx((preference, "")).host(DOMAIN, "192.0.2.1")
    assert there.failure() == "556 5.1.10"


def test_a_null_mx_among_others_is_passed_over(there: Fixture) -> None:
    there.mx((0, ""), (10, "a.example")).host("a.example", "192.0.2.1")
    found = there.find()
    assert [host.name for host in found.hosts] == ["a.example"]
    assert found.left_out == (LeftOut("", "is no host name"),)


@pytest.mark.parametrize(
    "name",
    [
        "192.0.2.1",
        "",
        "a\\013\\010b.example",
        "-a.example",
        "a..b",
        "x" * 64,
        "a b.example",
        "*.example",
    ],
)
def test_hosts_that_are_no_names_are_passed_over(there: Fixture, name: str) -> None:
    there.mx((5, name), (10, "a.example")).host("a.example", "192.0.2.1")
    there.host(name, "192.0.2.66")
    assert there.names() == ["a.example"]
    assert (name, "A") not in there.dns.asked


def test_only_names_that_are_none(there: Fixture) -> None:
    there.mx((5, "192.0.2.1"), (10, ""))
    assert there.failure() == "550 5.4.4"


@pytest.mark.parametrize("domain", ["192.0.2.1", "", "a b", "\u00e4.example", "." * 9, "x." * 200])
def test_domains_that_cannot_exist_are_not_asked_for(there: Fixture, domain: str) -> None:
    assert there.failure(domain) == "550 5.1.2"
    assert there.dns.asked == []


# ------------------------------------------------------------ trouble


def test_trouble_with_the_dns_is_never_final(there: Fixture) -> None:
    there.dns.broken.add(DOMAIN)
    assert there.failure() == "451 4.4.3"


def test_hosts_about_which_the_dns_is_silent(there: Fixture) -> None:
    there.mx((10, "a.example"), (20, "b.example"))
    there.dns.broken |= {"a.example", "b.example"}
    assert there.failure() == "451 4.4.3"


def test_a_backup_is_used_while_the_dns_is_silent_about_the_first(there: Fixture) -> None:
    there.mx((10, "a.example"), (20, "b.example")).host("b.example", "192.0.2.2")
    there.dns.broken.add("a.example")
    found = there.find()
    assert [host.name for host in found.hosts] == ["b.example"]
    assert found.ranked == (("a.example",), ("b.example",))  # the site stays what it is
    assert found.left_out == (LeftOut("a.example", "the DNS does not answer"),)


def test_one_host_without_address_and_one_in_silence_is_not_final(there: Fixture) -> None:
    there.mx((10, "a.example"), (20, "b.example"))
    there.dns.broken.add("b.example")
    assert there.failure() == "451 4.4.3"


def test_an_address_of_a_domain_without_mx_in_silence(there: Fixture) -> None:
    async def silent(names: Sequence[str]) -> list[None]:
        return [None for _ in names]

    there.dns.addresses_of_each = silent  # type: ignore[assignment,method-assign]
    assert there.failure() == "451 4.4.3"


# ------------------------------------------------------------ we ourselves


@pytest.mark.parametrize(
    ("records", "left"),
    [
        ([(10, "a.example"), (20, US), (30, "b.example")], ["a.example"]),
        ([(10, "a.example"), (20, US), (20, "b.example")], ["a.example"]),
        ([(10, "a.example"), (20, "alias.example"), (30, "b.example")], ["a.example"]),
        ([(10, "a.example"), (20, "b.example"), (20, "alias.example")], ["a.example"]),
        ([(10, "a.example"), (20, "b.example"), (30, US)], ["a.example", "b.example"]),
    ],
)
def test_we_and_all_after_us_are_left_out(
    there: Fixture, records: list[tuple[int, str]], left: list[str]
) -> None:
    there.mx(*records).host("a.example", "192.0.2.1").host("b.example", "192.0.2.2")
    there.host("alias.example", "192.0.2.99")  # our address under another name
    assert there.names() == left


@pytest.mark.parametrize("name", [US, "alias.example"])
def test_a_domain_of_which_we_are_the_best_host_loops(there: Fixture, name: str) -> None:
    there.mx((10, name), (20, "b.example")).host("b.example", "192.0.2.2")
    there.host("alias.example", "192.0.2.99")
    assert there.failure() == "550 5.4.6"


def test_a_domain_whose_own_address_is_ours_loops(there: Fixture) -> None:
    there.host(DOMAIN, "192.0.2.99")
    assert there.failure() == "550 5.4.6"


def test_addresses_of_our_interfaces_are_ours() -> None:
    fixture = Fixture(is_ours=lambda address: address == "192.0.2.50")
    fixture.mx((10, "a.example")).host("a.example", "192.0.2.50", "192.0.2.51")
    assert fixture.failure() == "550 5.4.6"
    assert fixture.failure("[192.0.2.50]") == "550 5.4.6"


def test_our_own_name_in_silence_keeps_no_mail_back(there: Fixture) -> None:
    there.mx((10, "a.example")).host("a.example", "192.0.2.1")
    there.dns.broken.add(US)
    assert there.names() == ["a.example"]


# ------------------------------------------------------------ what is not dialled


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "224.0.0.1"]
)
def test_hosts_with_addresses_that_are_not_public(there: Fixture, address: str) -> None:
    there.mx((10, "a.example")).host("a.example", address)
    assert there.failure() == "550 5.4.4"
    assert there.find().left_out[0].address == address


def test_of_a_host_only_public_addresses_are_dialled(there: Fixture) -> None:
    there.mx((10, "a.example")).host("a.example", "10.0.0.1", "192.0.2.1")
    assert there.find().hosts == (HostAddresses(10, "a.example", ("192.0.2.1",)),)


@pytest.mark.parametrize("domain", ["[127.0.0.1]", "[IPv6:::1]", "[IPv6:::ffff:10.0.0.1]"])
def test_literals_of_addresses_that_are_not_public(there: Fixture, domain: str) -> None:
    assert there.failure(domain) == "550 5.4.4"


def test_a_laboratory_may_dial_what_it_allows() -> None:
    fixture = Fixture(allowed=["127.0.0.0/8"]).mx((10, "a.example")).host("a.example", "127.0.0.5")
    assert fixture.names() == ["a.example"]


# ------------------------------------------------------------ bounds


def test_of_a_thousand_records_few_are_looked_up(there: Fixture) -> None:
    there.mx(*((number, f"h{number}.example") for number in range(1000)))
    there.host("h19.example", "192.0.2.1").host("h20.example", "192.0.2.2")
    assert there.names() == ["h19.example"]
    asked = [name for name, kind in there.dns.asked if kind == "A"]
    assert len(asked) <= mail_hosts.MAX_LOOKED_UP + 1
    assert len(there.find().left_out) <= mail_hosts.MAX_RECORDS


def test_of_a_thousand_addresses_few_are_looked_at(there: Fixture) -> None:
    there.mx((10, "a.example"))
    there.host("a.example", *(f"198.51.{one}.{other}" for one in range(5) for other in range(200)))
    (host,) = there.find().hosts
    assert len(host.addresses) == mail_hosts.MAX_ADDRESSES_OF_HOST


NAMES = st.one_of(
    st.text(max_size=300),
    st.text(string.ascii_lowercase + string.digits + ".-_\\", max_size=80),
    st.binary(max_size=20).map(lambda octets: octets.decode("latin-1")),
)


@given(NAMES)
def test_any_name_gets_an_answer(name: str) -> None:
    fixture = Fixture().mx((10, name)).host(name, "192.0.2.1")
    found = fixture.find()
    assert bool(found.hosts) == (found.failure is None)
    assert [host.name for host in found.hosts] == ([name] if is_host_name(name) else [])
    assert isinstance(fixture.find(name), MailHosts)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "c", US])), max_size=8))
def test_nobody_is_dialled_who_is_not_preferred_to_us(records: list[tuple[int, str]]) -> None:
    fixture = Fixture().mx(*records)
    for number, name in enumerate(("a", "b", "c"), 1):
        fixture.host(name, f"192.0.2.{number}")
    own = [preference for preference, name in records if name == US]
    for host in fixture.find().hosts:
        assert host.name != US
        assert all(host.preference < one for one in own)
