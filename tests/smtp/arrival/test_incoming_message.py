"""What is kept of one message while it comes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime import header as header_fields
from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.arrival import forged_fields
from twisted_mail.smtp.arrival.incoming_message import (
    ASKED,
    MAX_HEADER,
    FieldNames,
    IncomingChunkedMessage,
    IncomingMessage,
)
from twisted_mail.smtp.arrival.steps import smtp_steps
from twisted_mail.smtp.settings import SubmissionSettings
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.wire import FakeBlobWriter

_NAMES = st.sampled_from([*ASKED, b"Received", b"DATE", b"x-received", b"receivedx", b"to"])
_FIELDS = st.builds(
    lambda name, blanks, value: name + blanks + b":" + value + b"\r\n",
    _NAMES,
    st.sampled_from([b"", b" ", b"\t "]),
    st.sampled_from([b"", b" x", b"\r\n received: folded", b" From: x"]),
)

FULL = Outcome(452, "4.3.1", "The disk is full")


def taken(*pieces: bytes, max_size: int = 1_000_000) -> tuple[IncomingMessage, FakeBlobWriter]:
    writer = FakeBlobWriter()
    incoming = IncomingMessage(writer, max_size)
    for piece in pieces:
        finish(incoming.take(piece))
    return incoming, writer


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_header_is_seen_however_the_message_is_cut(size: int) -> None:
    message = b"Subject: x\r\nTo: y\r\n\r\nbody\r\n\r\nmore\r\n"
    incoming, _ = taken(*(message[at : at + size] for at in range(0, len(message), size)))
    assert message[: incoming.header_size] == b"Subject: x\r\nTo: y\r\n"
    assert incoming.size == len(message)


def test_no_more_of_a_header_is_looked_at_than_the_limit() -> None:
    incoming, _ = taken(*[b"x" * 1000] * 200)
    assert incoming.header_size == MAX_HEADER


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_message_may_begin_with_the_end_of_its_header(size: int) -> None:
    message = b"\r\nbody\r\n\r\nmore\r\n"
    incoming, _ = taken(*(message[at : at + size] for at in range(0, len(message), size)))
    assert incoming.header_size == 0


def test_the_end_of_a_header_is_seen_just_within_the_limit_and_not_beyond() -> None:
    for more, seen in ((0, MAX_HEADER - 2), (1, MAX_HEADER)):
        line = b"x" * (MAX_HEADER - 4 + more) + b"\r\n"
        incoming, _ = taken(line[:1000], line[1000:] + b"\r\nbody\r\n")
        assert incoming.header_size == seen


def test_a_message_without_an_end_of_its_header_is_all_header() -> None:
    incoming, _ = taken(b"Subject: x\r\n", b"To: y\r\n")
    assert incoming.header_size == 19


def test_a_message_that_grows_too_large_is_discarded_and_counted_on() -> None:
    incoming, writer = taken(b"12345", b"67890", b"1", max_size=9)
    assert incoming.fault == replies.TOO_LARGE
    assert writer.is_discarded
    assert incoming.size == 11


def test_the_first_fault_counts() -> None:
    incoming, _ = taken(b"12345")
    incoming.reject_content(FULL)
    incoming.reject_content(replies.MALFORMED)
    assert incoming.fault == FULL


def test_a_finished_message_is_not_discarded_again() -> None:
    incoming, writer = taken(b"Subject: x\r\n\r\n", b"body\r\n")
    blob = finish(incoming.finish())
    writer.is_discarded = False
    incoming.discard()
    assert not writer.is_discarded
    assert b"".join(blob.pieces()) == b"Subject: x\r\n\r\nbody\r\n"


@pytest.mark.parametrize(
    ("pieces", "is_malformed", "is_line_open"),
    [
        ((b"a\r", b"\nb"), False, True),
        ((b"a\r\n",), False, False),
        ((b"a\r", b"b\r\n"), True, False),
        ((b"a\n",), False, False),
    ],
)
def test_line_ends_of_a_text_are_looked_at_across_chunks(
    pieces: tuple[bytes, ...], is_malformed: bool, is_line_open: bool
) -> None:
    text = IncomingChunkedMessage(FakeBlobWriter(), 1000, is_binary=False, started=0)
    binary = IncomingChunkedMessage(FakeBlobWriter(), 1000, is_binary=True, started=0)
    for piece in pieces:
        finish(text.take(piece))
        finish(binary.take(piece))
    assert (text.is_malformed, text.is_line_open) == (is_malformed, is_line_open)
    assert (binary.is_malformed, binary.is_line_open) == (False, False)


# ---------------------------------------------------------------- the names of fields


def test_fields_are_counted_in_any_case_and_only_at_the_start_of_a_line() -> None:
    names = FieldNames(
        b"Received: a\r\nRECEIVED:b\r\nX-Received: c\r\n received: d\r\nReceivedx: e\r\n"
    )
    assert {name: len(places) for name, places in names.places.items()} == {b"received": 2}


def test_blanks_before_the_colon_make_no_other_name() -> None:
    assert FieldNames(b"a: b\r\nDate \t: x\r\n").places == {b"date": [6]}


def test_the_names_that_steps_are_for_are_asked_for() -> None:
    asked = [step.fields for step in smtp_steps(SubmissionSettings()) if step.fields is not None]
    assert forged_fields.NAMES in asked
    assert {*ASKED} >= frozenset().union(*asked)


@given(st.lists(_FIELDS).map(b"".join))
def test_the_places_are_those_of_the_fields(header: bytes) -> None:
    names = FieldNames(header)
    for name in ASKED:
        parsed = [one.start for one in header_fields.fields(header) if one.name.lower() == name]
        assert names.places.get(name, []) == parsed
