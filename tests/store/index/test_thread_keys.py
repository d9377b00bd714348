"""Tests of twisted_mail.store.index.thread_keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.store.index.thread_keys import (
    HEADER,
    MAX_NAMES,
    lone_name,
    message_names,
    thread_id,
)


def header(*fields: str) -> bytes:
    return "\r\n".join([*fields, "", "<body@x>"]).encode()


A, B, C = (message_names(header(f"Message-ID: <{name}@x>"))[0] for name in "abc")


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ([], ()),
        (["Message-ID: <a@x>"], (A,)),
        (["message-id:\r\n <a@x> (comment)"], (A,)),
        (["Message-ID: a@x"], (A,)),
        (["Message-ID:"], ()),
        (["Message-ID: <>"], message_names(header("Message-ID: <>"))),
        (["Message-ID: <c@x>", "References: <a@x>\r\n\t<b@x>"], (A, B, C)),
        (["References: <a@x><b@x>,<a@x> junk <", "Message-ID: <c@x>"], (A, B, C)),
        (["Message-ID: <c@x>", "In-Reply-To: Your letter <b@x> of Monday"], (B, C)),
        (["Message-ID: <c@x>", "In-Reply-To: <b@x>", "References: <a@x>"], (A, B, C)),
        (["Message-ID: <a@x>", "References: <a@x>"], (A,)),
        (["In-Reply-To: <b@x>"], (B,)),
        (["X-Message-ID: <a@x>", "Subject: <b@x>"], ()),
    ],
)
def test_the_first_message_comes_first_and_the_message_itself_last(
    fields: list[str], found: tuple[int, ...]
) -> None:
    assert message_names(header(*fields)) == found


def test_bare_line_feeds_are_line_ends_too() -> None:
    assert message_names(b"Message-ID: <c@x>\nReferences: <a@x>\n <b@x>\n\n") == (A, B, C)


def test_of_many_names_the_first_and_the_last_are_taken() -> None:
    before = " ".join(f"<{number}@x>" for number in range(300))
    found = message_names(header(f"References: {before}", "Message-ID: <c@x>"))
    assert len(found) == MAX_NAMES
    assert found[0] == message_names(header("Message-ID: <0@x>"))[0]
    assert found[-2:] == (message_names(header("Message-ID: <299@x>"))[0], C)


def test_what_lies_far_behind_in_a_header_is_not_looked_for() -> None:
    far = "X: " + "x" * HEADER
    assert message_names(header("Message-ID: <a@x>", far, "References: <b@x>")) == (A,)


def test_ids_are_such_as_the_rfc_allows() -> None:
    assert thread_id(-1) == "f" * 16
    assert thread_id(1) == "0" * 15 + "1"
    assert thread_id(lone_name("a")) != thread_id(lone_name("b"))


@given(st.binary(max_size=300))
def test_any_octets_have_names_or_none(data: bytes) -> None:
    found = message_names(b"References: " + data + b"\r\nMessage-ID: <a@x>\r\n\r\n")
    assert len(found) == len(set(found)) <= MAX_NAMES
    assert all(-(1 << 63) <= name < 1 << 63 for name in found)


@pytest.mark.parametrize("junk", [b"<", b"<a", b"<<", b"> <", b"<a>"])
def test_hostile_references_take_linear_time(junk: bytes) -> None:
    assert len(message_names(b"References: " + junk * (HEADER // 2) + b"\r\n\r\n")) <= MAX_NAMES
