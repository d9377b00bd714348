"""Tests of twisted_mail.imap.fetch.envelope."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.imap.fetch.envelope import envelope, nstring, string, usual_addresses
from twisted_mail.mail import address_list
from twisted_mail.mail.mime import header

_PIECES = [
    *(b"John Smith", b"a", b"b.example", b"a@b.example", b"<a@b.example>", b'"Smith, J."', b'""'),
    *(b'"', b"<", b">", b"@", b",", b";", b":", b" ", b"  ", b"\t", b"\\", b"(x)", b"[1]", b"."),
    *(b"=?utf-8?q?x?=", b"\xc3\xa9", b"\0", b"\r", b"\r\n ", b"\x7f", b"\x0b"),
]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (b"", b'""'),
        (b"plain text", b'"plain text"'),
        (b'a "b" \\ c', b'"a \\"b\\" \\\\ c"'),
        (b"caf\xe9", b"{4}\r\ncaf\xe9"),
        (b"a\rb", b"{3}\r\na\rb"),
        (b"a\nb", b"{3}\r\na\nb"),
        (b"a\0b", b'"ab"'),
    ],
)
def test_strings_are_quoted_or_literal(value: bytes, written: bytes) -> None:
    assert string(value) == nstring(value) == written


def test_none_is_nil() -> None:
    assert nstring(None) == b"NIL"


# ---------------------------------------------------------------- usual addresses


def read_in_full(value: bytes) -> bytes:
    """Render a list of addresses by the reader of all lists: one that is repeated is never usual."""
    found = address_list.parse(value)
    shown = [b"(%b)" % b" ".join(map(nstring, each)) for each in found]
    return b"(%b)" % b"".join(shown) if shown else b"NIL"


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map(b"".join).map(header.unfolded))
@example(b"John  <a@b.example>")
@example(b'"" <a@b.example>')
@example(b"<a@b.example>,")
@example(b"a@b.example,,c@d.example")
@example(b"John  Smith <a@b.example>")
def test_usual_addresses_are_written_as_the_reader_of_all_lists_does(value: bytes) -> None:
    usual = usual_addresses(value)
    assert usual is None or usual == read_in_full(value)


@pytest.mark.parametrize(
    "value",
    [
        b"a@b.example",
        b"a@b.example, c@d.example",
        b"John Q. Smith <john@b.example>",
        b'"Smith, John" <john@b.example> , <c@d.example>',
        b"=?utf-8?q?Jos=C3=A9?= <jose@b.example>",
    ],
)
def test_what_most_lists_look_like_is_usual(value: bytes) -> None:
    assert usual_addresses(value) == read_in_full(value)


@pytest.mark.parametrize(
    "value", [b"", b" ", b"friends: a@b.example;", b"a@b.example (Al)", b"caf\xe9"]
)
def test_other_lists_are_left_to_the_reader_of_all(value: bytes) -> None:
    assert usual_addresses(value) is None


def test_a_field_that_is_repeated_is_one_list() -> None:
    fields = {b"to": [b" a@b.example", b" c@d.example"]}
    assert b'((NIL NIL "a" "b.example")(NIL NIL "c" "d.example"))' in envelope(fields)
