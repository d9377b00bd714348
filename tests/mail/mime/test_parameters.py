"""Tests of twisted_mail.mail.mime.parameters."""

from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime.parameters import (
    MAX_PARAMETERS,
    Parameters,
    content_type,
    decode_extended,
    decoded,
    disposition,
    joined,
)


@pytest.mark.parametrize(
    ("value", "media", "parameters"),
    [
        (b"text/plain", "text/plain", {}),
        (b"TEXT / HTML ; Charset = UTF-8", "text/html", {b"charset": b"UTF-8"}),
        (b"text/plain; charset=us-ascii (Plain text)", "text/plain", {b"charset": b"us-ascii"}),
        (b'text/plain; charset="us-ascii"', "text/plain", {b"charset": b"us-ascii"}),
        (b'a/b; name="a; \\"b\\" =c"; x=y', "a/b", {b"name": b'a; "b" =c', b"x": b"y"}),
        (b"a/b; name=My File (1).pdf; x=", "a/b", {b"name": b"My File (1).pdf", b"x": b""}),
        (b"a/b; name=report(1).pdf", "a/b", {b"name": b"report(1).pdf"}),
        (b"a/b;;; x=1; junk; y=2;", "a/b", {b"x": b"1", b"y": b"2"}),
        (b'a/b; boundary="open', "a/b", {b"boundary": b"open"}),
        (b"a/b charset=x", "a/b", {b"charset": b"x"}),
        (b'a/b; n="x" m=y z o=w', "a/b", {b"n": b"x", b"m": b"y z", b"o": b"w"}),
        (b"text; charset=x", "text/plain", {b"charset": b"x"}),
        (b"TEXT", "text/plain", {}),
        (b"multipart/mixed; boundary=----=_Next;type=x", "multipart/mixed", None),
    ],
)
def test_content_types_are_read(
    value: bytes, media: str, parameters: dict[bytes, bytes] | None
) -> None:
    found = content_type(value)
    assert found is not None
    assert b"/".join(found[:2]).decode() == media
    if parameters is None:
        parameters = {b"boundary": b"----=_Next", b"type": b"x"}
    assert dict(found.parameters) == parameters


@pytest.mark.parametrize(
    "value", [b"", b"image", b"textual", b"/plain", b"text/", b"=?utf-8?Q?x?=", b"; a=b"]
)
def test_what_has_no_type_and_subtype_is_none(value: bytes) -> None:
    assert content_type(value) is None


def test_dispositions_are_read() -> None:
    found = disposition(b'Attachment; filename="a b.txt"')
    assert found is not None
    assert found.kind == b"attachment"
    assert found.parameters == ((b"filename", b"a b.txt"),)
    assert disposition(b"") is disposition(b" ; ") is None


@pytest.mark.parametrize(
    "value",
    [
        b"filename=x",
        b"; filename=x",
        b'"attachment"; filename=x',
        b"(c) attachment (d); filename=x(e)",
    ],
)
def test_a_file_name_alone_is_that_of_an_attachment(value: bytes) -> None:
    assert disposition(value) == (b"attachment", ((b"filename", b"x"),))


# RFC 2231 §3 and §4
@pytest.mark.parametrize(
    ("value", "together", "read"),
    [
        (
            b'm/e; URL*0="ftp://"; URL*1="cs.utk.edu/pub"',
            ((b"url", b"ftp://cs.utk.edu/pub"),),
            {"url": "ftp://cs.utk.edu/pub"},
        ),
        (
            b"a/x; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
            ((b"title*", b"us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),),
            {"title": "This is ***fun***"},
        ),
        (
            (
                b"a/x; title*0*=us-ascii'en'This%20is%20even%20more%20;"
                b' title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2="isn\'t it!"'
            ),
            (
                (
                    b"title*",
                    b"us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!",
                ),
            ),
            {"title": "This is even more ***fun*** isn't it!"},
        ),
        (b"a/x; n*1=b; n*0=a", ((b"n", b"ab"),), {"n": "ab"}),
        (b"a/x; n*0=a; n*0=c; n*1=b", ((b"n", b"ab"), (b"n*0", b"c")), {"n": "ab", "n*0": "c"}),
        (b"a/x; n*0=z; n*0=c; n*1=b", ((b"n", b"zb"), (b"n*0", b"c")), {"n": "zb", "n*0": "c"}),
        (b"a/x; n*0=a; n*2=c", ((b"n", b"a"), (b"n*2", b"c")), {"n": "a", "n*2": "c"}),
        (b"a/x; n*1=c; m=d", ((b"n*1", b"c"), (b"m", b"d")), {"n*1": "c", "m": "d"}),
        (b"a/x; n=Z; n*=''B", ((b"n", b"Z"), (b"n*", b"''B")), {"n": "B"}),
        (b"a/x; n*=''B; n=A", ((b"n*", b"''B"), (b"n", b"A")), {"n": "B"}),
        (b"a/x; n=x; n*0=y; n*1=z", ((b"n", b"x"), (b"n", b"yz")), {"n": "x"}),
        (b"a/x; n*=''a; n*=''b", ((b"n*", b"''a"), (b"n*", b"''b")), {"n": "a"}),
        (b"a/x; n*00=a; n*01=b", ((b"n", b"ab"),), {"n": "ab"}),
        (b"a/x; n*0=a; n*1*=%41", ((b"n*", b"''a%41"),), {"n": "aA"}),
        (b"a/x; n*=%C3%A9", ((b"n*", b"%C3%A9"),), {"n": "é"}),
        (b"a/x; n*=utf-8''%zz%C3%A9", ((b"n*", b"utf-8''%zz%C3%A9"),), {"n": "%zzé"}),
        (b'a/x; n="=?utf-8?Q?=C3=A9?="', ((b"n", b"=?utf-8?Q?=C3=A9?="),), {"n": "é"}),
        (b"a/x; n=1; n=2", ((b"n", b"1"), (b"n", b"2")), {"n": "1"}),
        (b"a/x; *=1", ((b"*", b"1"),), {"": "1"}),
    ],
)
def test_continued_and_extended_parameters(
    value: bytes, together: Parameters, read: dict[str, str]
) -> None:
    found = content_type(value)
    assert found is not None
    assert joined(found.parameters) == together
    assert decoded(found.parameters) == read


@pytest.mark.parametrize(
    ("value", "boundary"),
    [
        (b"multipart/mixed; boundary*=us-ascii''a%20b", b"a b"),
        (b"multipart/mixed; boundary*0=a; boundary*1=b", b"ab"),
        (b"multipart/mixed; name*=x", b""),
        (b"multipart/mixed; name=x", b""),
    ],
)
def test_a_boundary_may_be_extended(value: bytes, boundary: bytes) -> None:
    found = content_type(value)
    assert found is not None
    assert found.parameter(b"boundary") == boundary


def test_the_number_of_parameters_is_bounded() -> None:
    found = content_type(b"a/b" + b";x=y" * (MAX_PARAMETERS + 5))
    assert found is not None
    assert len(found.parameters) == MAX_PARAMETERS


hostile = st.binary() | st.text("ab/;=*'\"\\() %019\t", max_size=80).map(str.encode)


@given(hostile)
def test_any_octets_have_parameters_or_none(value: bytes) -> None:
    for found in (content_type(b"a/b;" + value), disposition(b"inline;" + value)):
        assert found is not None
        decoded(found.parameters)
    content_type(value)
    disposition(value)
    assert isinstance(decode_extended(value), str)


@given(st.dictionaries(st.text("abc", min_size=1), st.text('xyz ;="\\é', min_size=1)))
def test_parameters_agree_with_the_standard_library(given_: dict[str, str]) -> None:
    message = Message()
    message.add_header("Content-Disposition", "attachment", **given_)
    found = disposition(message["Content-Disposition"].encode())
    assert found is not None
    assert decoded(found.parameters) == given_
