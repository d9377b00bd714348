import re

import pytest

from twisted_mail.config.endpoints import parse


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no endpoint type ''"),
        ("143", "no endpoint type '143'"),
        ("tcp", "the port is missing"),
        ("tcp:imap", "'imap' is not a number"),
        ("tcp:70000", "from 0 to 65535"),
        ("tcp:-1", "from 0 to 65535"),
        ("tcp:143:interfac=::", "no part named"),
        ("tcp:143:interfac=127.0.0.1", "no part named 'interfac'"),
        ("unix:/x:mode=9", "is not an endpoint"),
        (f"unix:/{'x' * 107}", "at most 107 octets"),
        (f"unix:/{'ü' * 54}", "at most 107 octets"),
        ("stdio:", "standard input"),
    ],
)
def test_what_is_no_endpoint_is_explained(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse(text)


def test_a_path_of_a_socket_may_be_as_long_as_the_system_allows() -> None:
    assert parse(f"unix:/{'x' * 106}").path == f"/{'x' * 106}"


def test_what_only_the_server_can_know_is_not_a_mistake() -> None:
    assert parse("systemd:domain=INET:index=0").kind == "systemd"
    assert parse("ssl:993:privateKey=/nowhere").kind == "ssl"


def test_an_endpoint_knows_whether_it_is_local() -> None:
    assert parse("tcp:1:interface=127.0.0.9").is_local
    assert parse("tcp:1:interface=localhost").is_local
    assert parse("tcp:1:interface=\\:\\:1").is_local
    assert parse("unix:/x").is_local
    assert not parse("tcp:1").is_local
    assert not parse("tcp6:1").is_local
    assert not parse("tcp:1:interface=0.0.0.0").is_local
    assert not parse("systemd:domain=INET:index=0").is_local


def test_all_interfaces_are_those_of_ipv6_too() -> None:
    assert parse("tcp:25").identity == parse("tcp:25:interface=\\:\\:").identity
    assert parse("tcp:25").identity != parse("tcp:25:interface=0.0.0.0").identity
