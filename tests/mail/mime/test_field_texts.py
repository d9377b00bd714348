"""Tests of twisted_mail.mail.mime.field_texts."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.mail.mime import header
from twisted_mail.mail.mime.field_texts import (
    field_texts,
    header_texts,
    usual_text,
    with_single_spaces,
)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (b" Quarterly\r\n\treport", ["Quarterly report"]),
        (b" Quarterly \r\n  report  now", ["Quarterly report now"]),
        (b" <a@x>\r\n\t<b@x>", ["<a@x> <b@x>"]),
        (b" =?utf-8?Q?a=0A__b?= c", ["a b c"]),
        (b" a (b) c @ d", ["a (b) c @ d"]),
        (b"", [""]),
    ],
)
def test_white_space_is_one_space(value: bytes, texts: list[str]) -> None:
    assert field_texts(b"subject", value) == texts


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (b"user (work) @ (x) domain.example", "x <user@domain.example>"),
        (b"user\r\n @domain.example", "user@domain.example"),
        (b"Joe <user @ domain . example>", "Joe <user@domain.example>"),
        (b'"user"@domain.example', "user@domain.example"),
        (b'"Joe" Doe <j@a>', "Joe Doe <j@a>"),
        (b'Joe "J" Doe <j@a>, "Ann" <ann@b>', "Joe J Doe <j@a>, Ann <ann@b>"),
        (b'"Joe \\"J\\" D" <j@a>, ann@b', 'Joe "J" D <j@a>, ann@b'),
        (b"g: a (x) <a@b>;, =?utf-8?Q?J=C3=B6?= (y) <j@c>", "a <a@b>, Jö <j@c>"),
    ],
)
def test_odd_addresses_are_found_as_they_are_typed(value: bytes, plain: str) -> None:
    assert field_texts(b"from", value)[1:] == [plain]


@pytest.mark.parametrize(
    "value",
    [
        *(b"Joe <j@a>, ann@b", b"John Q. Public <j@a>", b'"Doe, J" <j@a>'),
        *(b'g: "Joe" <j@a>, "Ann"<ann@b>;', b'Joe <j@a>, "Ann B" <ann@b>'),
    ],
)
def test_addresses_as_they_are_typed_are_one_text(value: bytes) -> None:
    assert field_texts(b"to", value) == [value.decode()]


@given(st.text(" \t\r\nab\u3000", max_size=20))
def test_white_space_stays_a_separator(text: str) -> None:
    single = with_single_spaces(text)
    assert "  " not in single
    assert set(single).isdisjoint("\t\r\n")
    assert single.split() == text.split()
    assert single[:1].isspace() == text[:1].isspace()
    assert single[-1:].isspace() == text[-1:].isspace()


@given(st.binary() | st.text('ab@<>,;:."\\()[] \n\t=?', max_size=60).map(str.encode))
def test_any_octets_have_texts(value: bytes) -> None:
    for name in (b"from", b"subject"):
        assert field_texts(name, value)


@given(
    st.sampled_from([b"subject", b"to", b"from"]),
    st.lists(
        st.sampled_from(
            [
                b"a",
                b"B@c",
                b" ",
                b"\t",
                b"\r\n ",
                b"\r",
                b'"',
                b"<",
                b">",
                b"(",
                b"=?",
                b"\\",
                b"\xc3",
            ]
        ),
        max_size=8,
    ).map(b"".join),
)
def test_a_usual_text_is_the_only_one(name: bytes, value: bytes):
    usual = usual_text(name, value)
    assert usual is None or [usual.decode()] == field_texts(name, value)


_HEADER_PIECES = [
    *(b"To", b"from", b"Subject", b"X y", b":", b": ", b" ", b"  ", b"\t", b"\r", b"\n", b"\r\n"),
    *(b"\r\n ", b"\n\t", b"\x0b", b"\xe4", b"=?utf-8?q?a?=", b'"', b"(", b"@", b"\0", b"\x1c"),
]


def texts_line_by_line(octets: bytes) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1").lower(), text)
        for name, value in header.pairs(octets, 0, len(octets))
        for text in field_texts(name.lower(), value)
    ]


@given(st.lists(st.sampled_from(_HEADER_PIECES), max_size=20).map(b"".join))
@example(b"\tTo\n\t: a")
@example(b"\x0bTo\n : a")
@example(b"To: a \r\n  b\r\n\tc\r\nSub ject\r\n")
def test_headers_are_read_as_their_lines_one_by_one(data: bytes) -> None:
    octets = data[: header.end(data)]
    assert header_texts(octets) == texts_line_by_line(octets)


def test_the_number_of_lines_is_bounded() -> None:
    assert len(header_texts(b"A: 1\r\n" * (header.MAX_FIELDS + 5))) == header.MAX_FIELDS
