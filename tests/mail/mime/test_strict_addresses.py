"""Addresses by the letter of RFC 5322: a field means one thing, or it is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail import address_list
from twisted_mail.mail.address import Address
from twisted_mail.mail.mime import strict_addresses


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"a@x.example", ["a@x.example"]),
        (b"<a@x.example>", ["a@x.example"]),
        (b"A B <a@X.example>", ["a@x.example"]),
        (b"John Q. Public <a@x.example>", ["a@x.example"]),
        (b'"boss@x.example" <a@x.example>', ["a@x.example"]),
        (b'"<boss@x.example>, \\"c" <a@x.example>', ["a@x.example"]),
        (b"=?utf-8?q?boss=40x?= <a@x.example>", ["a@x.example"]),
        (b"(boss@x.example (really)) a@x.example (or \\) so)", ["a@x.example"]),
        (b"Jos\xe9 \xe2\x82\xac <jos\xc3\xa9@x.example>", ["josé@x.example"]),
        (b'"a b"@x.example', ['"a b"@x.example']),
        (b'"a\\@b"@x.example', ['"a@b"@x.example']),
        (b"a@[192.0.2.1]", ["a@[192.0.2.1]"]),
        (b"a@x.example, B <b@x.example>", ["a@x.example", "b@x.example"]),
        (b"team: a@x.example, b@x.example;, c@x.example", [f"{c}@x.example" for c in "abc"]),
        (b"a@x.example, team: b@x.example;", ["a@x.example", "b@x.example"]),
        (b"undisclosed:;", []),
    ],
)
def test_what_is_certain_is_read(value: bytes, found: list[str]) -> None:
    assert [str(one) for one in strict_addresses.parse(value)] == found


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"a",
        b"A B",
        b"@x.example",
        b"a@",
        b"boss@x <a@x.example>",
        b"boss@x.example <a@x.example>",
        b"<@a:boss@x.example<a@x.example>",
        b"<@r.example:a@x.example>",
        b"<a@x.example>[<boss@x.example>[",
        b"<a@x.example> boss@x.example",
        b"<a@x.example> B",
        b"<a@x.example><b@x.example>",
        b"<<a@x.example>>",
        b"<a@x.example",
        b"a@x.example>",
        b"<>",
        b"a@x.example b@x.example",
        b"a@x.example@y.example",
        b"a@x.example,",
        b",a@x.example",
        b"a@x.example,,b@x.example",
        b"a@x.example; b@x.example",
        b"Doe, John <a@x.example>",
        b"team: a@x.example",
        b"team: a@x.example;;",
        b"team: other: a@x.example;;",
        b": a@x.example;",
        b"a . b@x.example",
        b".a@x.example",
        b"a.@x.example",
        b"a..b@x.example",
        b". <a@x.example>",
        b"a@x . example",
        b'"a"b@x.example',
        b'"boss@x.example <a@x.example>',
        b"(boss@x.example <a@x.example>",
        b"boss) <a@x.example>",
        b"a@x.example (\x00)",
        b"a\x00@x.example",
        b"a\r@x.example",
        b'"a\n" <a@x.example>',
        b"a\\@x.example",
        b"a@[not-an-address]",
        b"\xff@x.example",
        b"a@\xff.example",
        b"(" * 51 + b")" * 51 + b"a@x.example",
    ],
)
def test_what_is_not_certain_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_addresses.parse(value)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (b"a@x.example b@x.example", "b'b' may not stand here"),
        (b"a\x00@x.example", "an octet that may not stand here: b'\\x00'"),
        (b"a@x.example (\x00)", "a comment has an octet that may not stand there"),
        (b"(" * 51 + b")" * 51 + b"a@x.example", "comments in too many comments"),
        (b"a@x.example (b", "a comment does not end"),
    ],
)
def test_the_fault_is_named(value: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(fault)}$"):
        strict_addresses.parse(value)


def test_comments_may_be_in_50_comments() -> None:
    value = b"(" * 50 + b")" * 50 + b"a@x.example"
    assert [str(one) for one in strict_addresses.parse(value)] == ["a@x.example"]


PIECE = st.sampled_from(
    [
        *(b"a@x.example", b"b@y.example", b"boss", b'"c@z.example"', b"(d@z.example)", b"=?q?="),
        *(
            b"<",
            b">",
            b"@",
            b",",
            b";",
            b":",
            b".",
            b"[",
            b"]",
            b"(",
            b")",
            b'"',
            b"\\",
            b" ",
            b"\xe9",
        ),
        *(b"<a@x.example>", b"<@r.example:a@x.example>", b"[192.0.2.1]"),
    ]
)


@given(st.lists(PIECE, max_size=8).map(b"".join))
def test_what_is_certain_reads_the_same_where_what_is_meant_is_read(value: bytes) -> None:
    try:
        strict = strict_addresses.parse(value)
    except ValueError:
        return
    lenient = [one for one in address_list.parse(value) if one.domain is not None]
    assert [
        Address((one.local or b"").decode(), (one.domain or b"").decode()) for one in lenient
    ] == (strict)


@given(st.binary(max_size=40))
def test_no_octets_raise_anything_else(value: bytes) -> None:
    try:
        found = strict_addresses.parse(value)
    except ValueError:
        return
    assert all(one.local and one.domain for one in found)
