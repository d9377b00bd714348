"""The section [sending]."""

from typing import Any

import pytest

from twisted_mail.delivery.onward.relay import Relay
from twisted_mail.delivery.onward.settings import SendingSettings


def test_by_default_there_is_no_relay() -> None:
    assert SendingSettings().next_relay is None


def test_a_relay() -> None:
    settings = SendingSettings("smtps://relay.example.net", "secrets/relay")
    assert settings.next_relay == Relay("relay.example.net", 465, True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"relay": "relay.example.net"}, "form"),
        ({"relay_login": "x"}, "there is none"),
        ({"relay": "smtp://a.example", "relay_login": "x", "relay_tls": "may"}, "in clear"),
        ({"relay": "smtp://a.example", "relay_login": "x", "relay_tls": "none"}, "in clear"),
        ({"relay": "smtps://a.example", "relay_tls": "none"}, "speaks TLS"),
        ({"allows_private": ("10.0.0.1/8",)}, "network"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"connections": 0}, "1 or more"),
        ({"address_connections": 0}, "1 or more"),
        ({"messages": 0}, "1 or more"),
        ({"age": 0.0}, "age"),
    ],
)
def test_mistakes(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SendingSettings(**values)
