import pytest

from twisted_mail.config import DnsSettings


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:DB8::53]", ("2001:db8::53", 53)),
        ("[::1]:5353", ("::1", 5353)),
    ],
)
def test_a_server_is_an_address_with_or_without_port(text, place):
    assert DnsSettings(servers=(text,)).server_addresses() == (place,)


@pytest.mark.parametrize(
    "text",
    ["", "dns.example", "192.0.2.53:", "192.0.2.53:0", "[::1]5353", "[::1]:x", "1.2.3.4:70000"],
)
def test_anything_else_is_a_mistake(text):
    with pytest.raises(ValueError, match="is not an address"):
        DnsSettings(servers=(text,))


def test_a_question_needs_some_time():
    with pytest.raises(ValueError, match="timeout"):
        DnsSettings(timeout=0)
