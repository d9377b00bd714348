"""Addresses that are never dialled because the DNS says so."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.onward.dialing_rules import DialingRules


@pytest.mark.parametrize(
    ("address", "objection"),
    [
        ("192.0.2.1", ""),
        ("8.8.8.8", ""),
        ("2001:db8::1", ""),
        ("2606:4700::1", ""),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.1", ""),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("fec0::1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("100::1", "reserved"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("::127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::c000:201", ""),
        ("64:ff9b:1::a00:1", "private"),
        ("64:ff9b:1:ffff::7f00:1", "loopback"),
        ("64:ff9b:1::c000:201", ""),
        ("::ffff:0:a00:1", "private"),
        ("2002:7f00:1::1", "loopback"),
        ("2002:c000:201::1", ""),
        ("mail.example.org", "invalid"),
        ("", "invalid"),
        ("127.1", "invalid"),
    ],
)
def test_only_the_public_internet_is_dialled(address: str, objection: str) -> None:
    assert DialingRules().objection(address) == objection


def test_networks_of_the_operator_are_dialled() -> None:
    rules = DialingRules(["10.1.0.0/16", "fd00::/8", "127.0.0.2"])
    assert rules.objection("10.1.2.3") == rules.objection("fd00::1") == ""
    assert rules.objection("127.0.0.2") == ""
    assert rules.objection("10.2.0.1") == "private"
    assert rules.objection("127.0.0.1") == "loopback"


@pytest.mark.parametrize("text", ["example.org", "10.0.0.1/8", "", "10.0.0.0/33"])
def test_what_is_no_network_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="is not a network"):
        DialingRules([text])


def test_our_own_addresses_are_not_dialled() -> None:
    rules = DialingRules(is_ours=lambda address: address in ("192.0.2.7", "10.0.0.7", "224.0.0.1"))
    assert rules.objection("192.0.2.7") == rules.objection("10.0.0.7") == "ours"
    assert rules.objection("::ffff:192.0.2.7") == "ours"
    assert rules.objection("192.0.2.8", own=["192.0.2.8"]) == "ours"
    assert rules.objection("224.0.0.1") == "multicast"  # which the system lets anybody have


def test_several_servers_of_a_laboratory_share_a_machine() -> None:
    rules = DialingRules(["127.0.0.0/8"], is_ours=lambda address: True)
    assert rules.objection("127.0.0.1", own=["127.0.0.1"]) == ""


@given(st.ip_addresses())
def test_what_is_dialled_is_neither_of_this_host_nor_of_its_network(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if DialingRules().objection(str(address)) == "":
        assert not address.is_loopback
        assert not address.is_multicast
        assert not address.is_link_local
        assert not address.is_unspecified
        # What Python calls private besides: documents, protocols of the IETF, and 6to4.
        texts = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
        texts += ("2001::/23", "2002::/16", "3fff::/20", "64:ff9b:1::/48", "5f00::/16")
        others = [ipaddress.ip_network(text) for text in texts]
        is_other = any(one.version == address.version and address in one for one in others)
        assert is_other or not address.is_private


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    assert isinstance(DialingRules().objection(text), str)
