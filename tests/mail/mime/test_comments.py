"""Tests of twisted_mail.mail.mime.comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime.comments import without_comments
from twisted_mail.mail.mime.parameters import content_type


@pytest.mark.parametrize(
    ("value", "left"),
    [
        (b"plain", b"plain"),
        (b"(a) b", b"  b"),
        (b"(a (b) \\) c)d", b" d"),
        (b"(it's \"x)y", b" y"),
        (b'a; b="(c)"', b'a; b="(c)"'),
        (b'a; b="\\"(c)"(d)', b'a; b="\\"(c)" '),
        (b"a; b=c(d)", b"a; b=c "),
        (b"a; b=(c)d", b"a; b= d"),
        (b"a; b=(c)(d) (e)f", b"a; b=    f"),
        (b"a; b=c(d).e", b"a; b=c(d).e"),
        (b"a; b=c (d).e; f(g)=h", b"a; b=c (d).e; f =h"),
        (b"a (b", b"a (b"),
        (b"(a)b(c(d)e", b" b(c e"),
        (b"a; b=:-(; c=d (e)", b"a; b=:-(; c=d  "),
        (b"a \\(b)", b"a \\(b)"),
    ],
)
def test_comments_are_left_out(value: bytes, left: bytes) -> None:
    assert without_comments(value) == left


@pytest.mark.parametrize("gap", [b"(c)", b" (c) ", b"(a (b))", b" (x)(y) "])
def test_comments_stand_between_any_tokens(gap: bytes) -> None:
    tokens = [
        b"",
        b"multipart",
        b"/",
        b"mixed",
        b";",
        b"boundary",
        b"=",
        b"cut",
        b";",
        b"a",
        b"=",
        b'"b"',
        b"",
    ]
    found = content_type(gap.join(tokens))
    assert found == (b"multipart", b"mixed", ((b"boundary", b"cut"), (b"a", b"b")))


@pytest.mark.parametrize(
    "unit", [b"(", b"()", b"=(a)", b"=(a)b", b"(a)b", b'("', b'"(', b"\\", b"(a)"]
)
def test_long_hostile_values_are_read(unit: bytes) -> None:
    value = b"a=b" + unit * (64 * 1024 // len(unit))
    assert len(without_comments(value)) <= len(value)


@given(st.binary() | st.text('ab()=;"\\ ', max_size=60).map(str.encode))
def test_nothing_is_longer_without_comments(value: bytes) -> None:
    assert len(without_comments(value)) <= len(value)
