"""The relay and its login."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.delivery.onward.relay import Relay, parse_relay
from twisted_mail.delivery.onward.relay_login import MAX_LOGIN_FILE, RelayLogin, parse_login
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import InlineBlocking, finish


@pytest.mark.parametrize(
    ("text", "relay"),
    [
        ("smtp://relay.example.net", Relay("relay.example.net", 587, False)),
        ("smtp://relay.example.net:25", Relay("relay.example.net", 25, False)),
        ("smtps://Relay.Example.net/", Relay("relay.example.net", 465, True)),
        ("smtps://relay.example.net:4465", Relay("relay.example.net", 4465, True)),
        ("smtp://192.0.2.1:2525", Relay("192.0.2.1", 2525, False)),
        ("smtp://[2001:db8::1]:587", Relay("2001:db8::1", 587, False)),
        ("smtp://b\u00fccher.example", Relay("xn--bcher-kva.example", 587, False)),
    ],
)
def test_relays(text: str, relay: Relay) -> None:
    assert parse_relay(text) == relay


@pytest.mark.parametrize(
    "text",
    [
        "relay.example.net",
        "relay.example.net:587",
        "http://relay.example.net",
        "smtp://",
        "smtp://:587",
        "smtp://relay.example.net:0",
        "smtp://relay.example.net:99999",
        "smtp://relay.example.net:x",
        "smtp://alice:secret@relay.example.net",
        "smtp://relay.example.net/path",
        "smtp://relay.example.net?x",
        "smtp://relay.example.net#x",
        "smtp://a..b",
        "smtp://1.2.3",
        "smtp://[::1",
        "smtp://[x]",
        "smtp://a b",
    ],
)
def test_what_is_no_relay(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|neither"):
        parse_relay(text)


@given(st.text(max_size=60))
def test_any_text_is_a_relay_or_a_mistake(text: str) -> None:
    try:
        relay = parse_relay(f"smtp://{text}")
    except ValueError:
        return
    assert relay.host.isascii()
    assert 0 < relay.port < 65536


def test_sites_of_relays() -> None:
    assert parse_relay("smtp://relay.example.net").site == "relay.example.net:587"
    assert parse_relay("smtp://[2001:db8::1]").site == "[2001:db8::1]:587"
    assert parse_relay("smtp://192.0.2.1").is_numeric
    assert not parse_relay("smtp://relay.example.net").is_numeric


@pytest.mark.parametrize(
    "content", [b"alice\nse cret", b"alice\r\nse cret\r\n", b"alice\nse cret\n"]
)
def test_a_login_is_two_lines(content: bytes) -> None:
    assert parse_login(content) == Credentials("alice", "se cret")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"alice",
        b"alice\n\n",
        b"\nsecret",
        b"alice\nsecret\nmore",
        b"\xff\nsecret",
        b"a\nse\0cret",
    ],
)
def test_what_is_no_login(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"two lines|UTF-8|NUL") as error:
        parse_login(content)
    assert "secret" not in str(error.value)


def test_a_login_is_bounded() -> None:
    with pytest.raises(ValueError, match="octets"):
        parse_login(b"a\n" + b"x" * MAX_LOGIN_FILE)


def test_a_login_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "relay"
    login = RelayLogin(file, InlineBlocking(), lambda where, error: None)
    for password in ("one", "two"):
        file.write_text(f"alice\n{password}\n")
        assert finish(login.read()).password == password


def test_a_login_that_cannot_be_read_is_reported_and_kept_from_peers(tmp_path: Path) -> None:
    faults: list[str] = []
    login = RelayLogin(
        tmp_path / "none", InlineBlocking(), lambda where, error: faults.append(where)
    )
    with pytest.raises(Unavailable) as error:
        finish(login.read())
    assert faults == [str(tmp_path / "none")]
    assert str(tmp_path) not in error.value.outcome.text
