import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from twisted_mail.net.connection.peer_address import host_of


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (IPv4Address("TCP", "192.0.2.1", 25), "192.0.2.1"),
        (IPv6Address("TCP", "::ffff:192.0.2.1", 25), "192.0.2.1"),
        (IPv6Address("TCP", "2001:db8::1", 25), "2001:db8::1"),
        (IPv6Address("TCP", "::ffff:1", 25), "::ffff:1"),
        (UNIXAddress(b"/run/x"), ""),
        (None, ""),
    ],
)
def test_a_client_of_ipv4_has_an_address_of_ipv4(address: object, host: str) -> None:
    assert host_of(address) == host
