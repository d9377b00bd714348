"""Sites and providers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.onward.providers import (
    MAX_SITE_NAME,
    Provider,
    Providers,
    known_providers,
    site_name,
)

KNOWN = Providers()


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        (["gmail-smtp-in.l.google.com"], "google"),
        (["aspmx.l.google.com"], "google"),
        (["smtp.google.com"], "google"),
        (["outlook-com.olc.protection.outlook.com"], "microsoft-consumer"),
        (["contoso-com.mail.protection.outlook.com"], "microsoft-business"),
        (["contoso-com.k-v1.mx.microsoft"], "microsoft-dane"),
        (["mta5.am0.yahoodns.net", "mta6.am0.yahoodns.net"], "yahoo"),
        (["mx01.mail.icloud.com", "mx02.mail.icloud.com"], "apple"),
        (["mxa-001.gslb.pphosted.com"], "proofpoint"),
        (["eu-smtp-inbound-1.mimecast.com"], "mimecast"),
        (["mx00.emig.gmx.net", "mx01.emig.gmx.net"], "gmx"),
    ],
)
def test_hosts_of_providers(hosts: list[str], name: str) -> None:
    provider = KNOWN.of(hosts)
    assert provider is not None
    assert provider.name == name


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["mx.example.org"],
        ["google.com.example.org"],
        ["notgoogle.com"],
        ["protection.outlook.com"],
        ["aspmx.l.google.com", "mx.example.org"],
        ["aspmx.l.google.com", "mta5.am0.yahoodns.net"],
    ],
)
def test_hosts_of_nobody_known(hosts: list[str]) -> None:
    assert KNOWN.of(hosts) is None


def test_a_suffix_is_a_host_or_all_in_a_domain() -> None:
    provider = Provider("x", ("mx.example.net",))
    assert provider.has("mx.example.net")
    assert provider.has("a.b.mx.example.net")
    assert not provider.has("amx.example.net")


def test_the_configuration_goes_before_the_table() -> None:
    other = Provider("company", ("mail.protection.outlook.com",), connections=1)
    google = Provider("google", ("google.com",), messages=3)
    providers = Providers((other, google))
    assert providers.of(["contoso-com.mail.protection.outlook.com"]) is other
    assert providers.of(["aspmx.l.google.com"]) is google
    assert providers.of(["x.googlemail.com"]) is None  # the table's own is replaced


def test_the_table_is_careful() -> None:
    known = known_providers()
    assert len({one.name for one in known}) == len(known) > 10
    assert all(1 <= one.connections <= 20 and 1 <= one.messages <= 100 for one in known)


@pytest.mark.parametrize(
    ("name", "suffixes"),
    [
        ("", ("example.net",)),
        ("a b", ("example.net",)),
        ("a", ()),
        ("a", (".example.net",)),
        ("a", ("Example.net",)),
        ("a", ("*.example.net",)),
    ],
)
def test_mistakes(name: str, suffixes: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"name|suffixes|domain"):
        Provider(name, suffixes)


def test_a_site_is_called_by_its_hosts() -> None:
    assert site_name([["b.example", "a.example"]]) == "a.example,b.example"
    assert site_name([["b.example"], ["c.example", "a.example"]]) == "b.example+a.example,c.example"
    many = [[f"host{n}.example"] for n in range(99)]
    assert len(site_name(many)) == MAX_SITE_NAME
    assert site_name(many) != site_name([*many, ["evil.example"]])


_HOSTS = st.lists(
    st.lists(
        st.sampled_from(["a.example", "b.example", "c.example", "d." + "x" * 240]), min_size=1
    ),
    max_size=4,
)


@given(_HOSTS, _HOSTS)
def test_two_domains_share_a_site_only_with_the_same_hosts_in_the_same_order(
    one: list[list[str]], other: list[list[str]]
) -> None:
    are_same = [sorted(equal) for equal in one] == [sorted(equal) for equal in other]
    assert (site_name(one) == site_name(other)) == are_same


def test_a_suffix_that_is_no_domain_is_named() -> None:
    with pytest.raises(ValueError, match="suffixes: 'mx example' is not a domain"):
        Provider("big", ("mx.example", "mx example"))
