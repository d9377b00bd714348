"""What a host offers, read leniently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.smtp.dialogue.capabilities import Capabilities, parse_capabilities
from twisted_mail.smtp.dialogue.replies import Reply


def parsed(*lines: str) -> Capabilities:
    return parse_capabilities(Reply(250, [line.encode() for line in lines]))


def test_all_that_is_known_is_found() -> None:
    offered = parsed(
        "mx.example Hello",
        *("SIZE 1000", "PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING", "STARTTLS"),
        "AUTH PLAIN LOGIN",
    )
    assert offered.name == "mx.example"
    assert offered.size == 1000
    assert offered.login == {"PLAIN", "LOGIN"}
    assert offered.has_size
    assert offered.has_pipelining
    assert offered.has_8bit
    assert offered.has_utf8
    assert offered.has_dsn
    assert offered.has_chunking
    assert offered.has_starttls


def test_nothing_is_offered_by_a_name_alone() -> None:
    assert parsed("PIPELINING") == Capabilities(name="PIPELINING")


def test_keywords_are_read_in_any_case_with_any_spaces() -> None:
    offered = parsed("mx", "pipelining", " Size  5 ", "auth=login", "AUTH plain")
    assert (offered.has_pipelining, offered.size, offered.login) == (True, 5, {"PLAIN", "LOGIN"})


@pytest.mark.parametrize("line", ["SIZE", "SIZE 0", "SIZE x", "SIZE -1", "SIZE 1 2"])
def test_a_size_that_is_none_is_no_limit(line: str) -> None:
    offered = parsed("mx", line)
    assert (offered.has_size, offered.size) == (True, 0)


def test_limits_are_numbers_of_up_to_six_digits() -> None:
    offered = parsed("mx", "LIMITS MAILMAX=5 rcptmax=100 RCPTDOMAINMAX=1 X=2")
    found = (offered.max_messages, offered.max_recipients, offered.max_domains)
    assert found == (5, 100, 1)
    assert parsed("mx", "LIMITS RCPTMAX=1234567").max_recipients == 0


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=10))
def test_whatever_a_host_says_can_be_read(lines: list[bytes]) -> None:
    offered = parse_capabilities(Reply(250, lines))
    assert offered.max_recipients >= 0 <= offered.size
