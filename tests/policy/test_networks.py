import pytest

from twisted_mail.policy.networks import Networks, address_of, network_of


def test_an_address_is_in_its_network():
    some = Networks(["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"])
    assert "192.0.2.200" in some
    assert "::ffff:192.0.2.200" in some
    assert "2001:db8:1::1" in some
    assert "198.51.100.7" in some
    assert "198.51.100.8" not in some
    assert "" not in some
    assert "nonsense" not in some


def test_clients_over_a_unix_socket_are_named_apart():
    assert "" in Networks(["unix"])
    assert "unix" not in Networks(["unix"])


@pytest.mark.parametrize("text", ["", "192.0.2.1/24", "example.org", "300.0.0.0/8"])
def test_what_is_no_network_is_a_mistake(text):
    with pytest.raises(ValueError, match="is not a network"):
        Networks([text])


def test_the_network_of_an_address_has_the_bits_asked_for():
    assert network_of("192.0.2.200") == "192.0.2.0/24"
    assert network_of("::ffff:192.0.2.200", 16) == "192.0.0.0/16"
    assert network_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert network_of("") == ""


def test_a_zone_is_no_part_of_an_address():
    assert str(address_of("fe80::1%eth0")) == "fe80::1"
