"""Tests of twisted_mail.store.search.fields, with the plain scan as the oracle."""

from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.substring_search import matches, searchable
from twisted_mail.store.search.fields import (
    MAX_FIELDS,
    MAX_VALUES,
    NUMBERS,
    fields_in,
    fields_of,
)

SUBJECT = NUMBERS["subject"]


def test_values_are_decoded_and_folded():
    data = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Other: one\r\n\r\nTo: body\r\n"
    assert fields_in(data) == (((SUBJECT, "grüsse".encode()),), True)


def test_many_fields_are_cut_and_known_to_be():
    found = fields_in(b"To: a@b\n" * (MAX_FIELDS + 1) + b"\nx")
    assert found == ((), False)
    assert len(fields_in(b"To: a@b\n" * MAX_FIELDS + b"\nx").values) == MAX_FIELDS


def test_long_fields_are_cut_and_known_to_be():
    found = fields_in(b"To: a@b\nSubject: %b\n\n" % (b"x" * (MAX_VALUES + 1)))
    assert found == ((), False)


lines = st.builds(
    bytes.__add__,
    st.sampled_from([b"Subject", b"SUBJECT ", b"To", b"to\t", b"X", b" Subject", b"Sub ject", b""]),
    st.sampled_from([b": ", b":", b"", b":\r\n ", b": =?utf-8?q?=C3=84?= "]),
)
headers = st.lists(
    st.builds(
        lambda line, text, end: line + text + end,
        lines,
        st.sampled_from([b"", b"one", b"Two (x) <a@b>", b"\xc3\x9f", b"a\tb  c", b"\0"]),
        st.sampled_from([b"\r\n", b"\n", b"\r\n\t", b"\n\n", b""]),
    ),
    max_size=8,
).map(b"".join)


@given(headers, st.sampled_from(["", "one", "SS", "a b", "a@b", " ", "ä", "two"]))
@example(b"Subject", "")
@example(b"Subject:", "")
@example(b"Subject: one\nSubject", "")
def test_answers_are_those_of_the_plain_scan(data: bytes, needle: str):
    found = fields_in(data)
    assert sorted(found.values) == sorted(fields_of(searchable(data).fields).values)
    for name in ("subject", "TO"):
        wanted = Contains("header", needle, name)
        assert found.hold(wanted) == matches(data, wanted)
    assert found.hold(Contains("header", needle, "x")) is None
