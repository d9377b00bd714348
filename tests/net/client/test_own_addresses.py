"""Which addresses are this machine's."""

import pytest

from twisted_mail.net.client.own_addresses import is_own_address


def test_loopback_is_this_machine() -> None:
    assert is_own_address("127.0.0.1")


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "198.51.100.77", "2001:db8::1", "mail.example", ""]
)
def test_others_are_not(address: str) -> None:
    assert not is_own_address(address)
