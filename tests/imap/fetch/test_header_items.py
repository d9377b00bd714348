"""Tests of twisted_mail.imap.fetch.header_items: one pass gives what two readers give."""

from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.imap.fetch import header_items as module
from twisted_mail.imap.fetch.envelope import envelope
from twisted_mail.imap.fetch.header_items import header_items
from twisted_mail.imap.fetch.sections import MAX_HEADER, MAX_KEPT, kept_fields
from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.structure import STRUCTURAL

_PIECES = [
    *(b"From", b"Subject", b"To", b"Date", b"X-Mailer", b"Received", b"from", b"cc", b"DATE"),
    *(
        b":",
        b": ",
        b" :",
        b"a@b.example",
        b"text",
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n ",
        b"\n\t",
    ),
]


def by_two_readers(data: bytes) -> tuple[bytes, bytes | None]:
    size = header.end(data)
    return envelope(header.values(data, 0, size, STRUCTURAL)), kept_fields(data, size)


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map(b"".join))
@example(b"")
@example(b"\r\n")
@example(b"\n")
@example(b"X-Mailer\r\nFrom: a\r\n\r\n")
@example(b"Subject: one\nSubject: two")
def test_it_is_what_two_readers_return(data: bytes) -> None:
    assert header_items(data, header.end(data)) == by_two_readers(data)


def test_nothing_after_the_header_is_looked_at() -> None:
    data = b"Subject: a\r\n\r\n"
    assert header_items(data + b"To: b\r\n", len(data)) == by_two_readers(data)


def test_very_long_headers_are_left_to_the_two_readers() -> None:
    for data in (
        b"Subject: " + b"x" * MAX_HEADER + b"\r\nTo: a@b.example\r\n\r\n",
        b"X: y\r\n" * header.MAX_FIELDS + b"To: a@b.example\r\n\r\n",
    ):
        with patch.object(module, "kept_fields", wraps=kept_fields) as reader:
            assert header_items(data, len(data)) == by_two_readers(data)
        assert reader.called


def test_fields_that_are_too_long_are_not_kept() -> None:
    data = b"Subject: " + b"x" * MAX_KEPT + b"\r\n\r\n"
    assert header_items(data, len(data))[1] is None
