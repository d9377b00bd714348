import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.milter.filters import texts
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.mail.verdict import (
    AddField,
    AddRecipient,
    ChangeField,
    ChangeSender,
    DropRecipient,
)
from twisted_mail.policy.milter.packets import Packet
from twisted_mail.policy.milter.replies import (
    CustomReply,
    Quarantine,
    ReplacementBody,
    ResponseCode,
    parse_response,
)


def read(kind, data=b"", keeps_spaces=False):
    return parse_response(Packet(kind, data), keeps_spaces)


def test_answers_without_data():
    assert [read(kind) for kind in (b"c", b"a", b"r", b"t", b"d", b"s", b"p")] == [
        ResponseCode.CONTINUE,
        ResponseCode.ACCEPT,
        ResponseCode.REJECT,
        ResponseCode.TEMPFAIL,
        ResponseCode.DISCARD,
        ResponseCode.SKIP,
        ResponseCode.PROGRESS,
    ]


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (b"550 5.7.1 Go away", Outcome(550, "5.7.1", "Go away")),
        (b"451 4.3.2 Later", Outcome(451, "4.3.2", "Later")),
        (b"554 Go away", Outcome(554, "5.7.1", "Go away")),
        (b"550", Outcome(550, "5.7.1", "Refused for reasons of policy")),
        (b"421 4.3.2 I close", Outcome(450, "4.3.2", "I close")),
        (b"550 4.7.1 Odd", Outcome(550, "5.7.1", "Odd")),
        (b"550-5.7.1 One\r\n550 5.7.1 two", Outcome(550, "5.7.1", "One two")),
        (b"550 5.7.1 100%% bad\n250 Ok\x00"[:-1], Outcome(550, "5.7.1", "100% bad_250 Ok")),
        ("550 5.7.1 caf\u00e9 \x1b[1m".encode(), Outcome(550, "5.7.1", "caf_ _[1m")),
    ],
)
def test_a_reply_is_what_the_client_is_told_made_harmless(text, outcome):
    assert read(b"y", texts(text)) == CustomReply(outcome)


@pytest.mark.parametrize("text", [b"", b"250 2.0.0 Ok", b"hello", b"5500 x", b"99"])
def test_a_reply_that_does_not_refuse_is_an_error(text):
    with pytest.raises(ProtocolError):
        read(b"y", texts(text))


def test_fields():
    assert read(b"h", texts(b"X-A", b"1")) == AddField("X-A", "1", at_end=True)
    assert read(b"i", struct.pack(">I", 1) + texts(b"X-A", b"1")) == AddField("X-A", "1", place=1)
    assert read(b"i", struct.pack(">I", 0) + texts(b"X-A", b"1")) == AddField("X-A", "1")
    assert read(b"m", struct.pack(">I", 2) + texts(b"X-A", b"")) == ChangeField("X-A", 2, None)
    assert read(b"m", struct.pack(">I", 0) + texts(b"X-A", b"1")) == ChangeField("X-A", 1, "1")


@pytest.mark.parametrize(
    ("given_value", "value"),
    [
        (b"a;\n\tb\n c", "a;\r\n\tb\r\n c"),
        (b"a\r\n\tb", "a\r\n\tb"),
        (b"a\nBcc: x", "a\r\n\tBcc: x"),
        (b"a\r\n\r\nbody", "a\r\n\t\r\n\tbody"),
        (b"a\rb\n\n", "a\r\n\tb"),
        (b"caf\xe9", "caf\udce9"),
    ],
)
def test_a_value_is_folded_as_headers_are(given_value, value):
    assert read(b"h", texts(b"X-A", given_value)).value == value


def test_where_spaces_are_kept_one_is_that_behind_the_colon():
    assert read(b"h", texts(b"X-A", b" 1"), True).value == "1"
    assert read(b"m", struct.pack(">I", 1) + texts(b"X-A", b" "), True).value is None
    assert read(b"h", texts(b"X-A", b" 1")).value == " 1"


def test_the_envelope():
    bob = parse("bob@example.org")
    assert read(b"+", texts(b"<bob@example.org>")) == AddRecipient(bob)
    assert read(b"+", texts(b"bob@example.org")) == AddRecipient(bob)
    assert read(b"2", texts(b"<bob@example.org>", b"NOTIFY=NEVER")) == AddRecipient(bob)
    assert read(b"-", texts(b"<bob@example.org>")) == DropRecipient(bob)
    assert read(b"e", texts(b"<>", b"SIZE=1")) == ChangeSender(NULL)
    for kind, data in [
        (b"+", b"<>\0"),
        (b"-", b"\0"),
        (b"+", b"a b@c\0"),
        (b"+", b""),
        (b"e", b"x"),
    ]:
        with pytest.raises(ProtocolError):
            read(kind, data)


def test_what_else_there_is():
    assert read(b"q", texts(b"smells\r\nbad")) == Quarantine("smells__bad")
    assert read(b"b", b"body\r\n") == ReplacementBody(b"body\r\n")


@given(st.binary(min_size=1, max_size=1), st.binary(max_size=30), st.booleans())
def test_hostile_packets_are_answers_or_errors(kind, data, keeps_spaces):
    with contextlib.suppress(ProtocolError):
        read(kind, data, keeps_spaces)


WORDS = st.text(alphabet=st.sampled_from("ab-\u00e4 ;"), min_size=1, max_size=9).map(str.strip)
NAMES = st.from_regex(r"[A-Za-z-]{1,9}", fullmatch=True)
VALUES = st.lists(WORDS.filter(bool), min_size=1, max_size=3).map("\r\n\t".join)
EDITS = (
    st.builds(AddField, NAMES, VALUES, st.just(True))
    | st.builds(AddField, NAMES, VALUES, st.just(False), st.integers(0, 2**32 - 1))
    | st.builds(ChangeField, NAMES, st.integers(1, 2**32 - 1), st.none() | VALUES)
)


def written(edit, space=""):
    """Return the packet by which a filter asks for an edit."""
    value = "" if edit.value is None else space + edit.value.replace("\r\n", "\n")
    data = texts(edit.name.encode(), value.encode())
    if isinstance(edit, ChangeField):
        return Packet(b"m", struct.pack(">I", edit.number) + data)
    return Packet(b"h", data) if edit.at_end else Packet(b"i", struct.pack(">I", edit.place) + data)


@given(EDITS)
def test_edits_are_read_as_a_filter_writes_them(edit):
    assert parse_response(written(edit)) == edit
    assert parse_response(written(edit, " "), keeps_spaces=True) == edit
