"""Tests of twisted_mail.mail.mime.encoding."""

import base64
import quopri
import sys
from email.header import decode_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime import encoding
from twisted_mail.mail.mime.encoding import (
    decode_base64,
    decode_body,
    decode_mailbox_name,
    decode_quoted_printable,
    decode_text,
    decode_words,
    encode_mailbox_name,
)

names = st.text(st.characters(exclude_categories=("Cs",)))


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (b"", ""),
        (b"INBOX", "INBOX"),
        (b"Q&-A", "Q&A"),
        (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
        (b"Hi Mom -&Jjo--!", "Hi Mom -☺-!"),
        (b"&2D3cqQ-", "💩"),
        (b"&AOk-&-&AOk-", "é&é"),
        (b"&AAk-tab", "\ttab"),
    ],
)
def test_mailbox_names_are_read_and_written(wire: bytes, name: str) -> None:
    assert decode_mailbox_name(wire) == name
    assert encode_mailbox_name(name) == wire


@pytest.mark.parametrize(
    "wire",
    [
        b"Q&A",
        b"&",
        b"&Jjo",
        b"&Jjo!",
        b"&Jjo-&Jjo-",  # two shifts where one is right, RFC 3501 §5.1.3
        b"&AGEAYg-",  # printable ASCII must stand for itself
        b"&U,BTFw==-",
        b"&U/BTFw-",
        b"&Jj-",
        b"&JjoA-",
        b"&Jjp-",  # bits that are not zero after the last character
        b"&2D0-",  # half a character
        b"caf\xc3\xa9",
        b"tab\t",
        b"nul\x00",
    ],
)
def test_a_mailbox_name_has_one_right_spelling(wire: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decode_mailbox_name(wire)


def test_a_lone_surrogate_is_no_mailbox_name() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        encode_mailbox_name("\ud83d")


@given(names)
def test_any_name_comes_back(name: str) -> None:
    assert decode_mailbox_name(encode_mailbox_name(name)) == name


@given(st.binary() | st.text("&-,+/AZaz09", max_size=12).map(str.encode))
def test_any_bytes_are_a_name_or_refused(wire: bytes) -> None:
    try:
        name = decode_mailbox_name(wire)
    except ValueError:
        return
    assert encode_mailbox_name(name) == wire


def test_an_unknown_charset_imports_nothing() -> None:
    before = set(sys.modules)
    decode_text(b"text", "rot13")
    decode_text(b"text", "no-such-charset")
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"plain", "", "plain"),
        ("é".encode(), "", "é"),
        (b"caf\xe9", "", "café"),
        (b"caf\xe9", "utf-8", "café"),
        ("Grüße ".encode() + b"Jos\xe9", "utf-8", "Grüße José"),
        ("Grüße ".encode() + b"\xe2\x82", "", "Grüße â‚"),
        (b"\x93quoted\x94", "iso-8859-1", "“quoted”"),
        ("Привет".encode("koi8-r"), "koi8-r", "Привет"),
        ("日本".encode("iso-2022-jp"), "ISO-2022-JP", "日本"),
        ("é".encode(), "us-ascii", "é"),
        ("é".encode(), "no-such", "é"),
        (b"Hi +AOk- +2AA-", "utf-7", "Hi é ?"),
        (b"\x81\x20\x81\x20", "shift_jis", "� � "),
    ],
)
def test_text_is_read_in_the_best_charset(data: bytes, charset: str, text: str) -> None:
    assert decode_text(data, charset) == text


def test_text_with_much_that_is_no_utf_8_is_windows_1252_throughout() -> None:
    most = "é".encode() + b"\xe9 " * encoding.MAX_MIXED
    assert decode_text(most) == "é" + "é " * encoding.MAX_MIXED
    assert decode_text(most + b"\xe9") == "Ã©" + "é " * encoding.MAX_MIXED + "é"


@given(st.binary(), st.sampled_from(["", "utf-8", "utf-7", "utf-16", "gb2312", "hz", "zip", "x"]))
def test_text_in_any_charset_never_raises(data: bytes, charset: str) -> None:
    assert decode_text(data, charset).encode("utf-8") is not None


# RFC 2047 §8 and what senders do.
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"no words", "no words"),
        (b"=?ISO-8859-1?Q?a?=", "a"),
        (b"=?ISO-8859-1?Q?a?= b", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=", "ab"),
        (b"=?ISO-8859-1?Q?a_b?=", "a b"),
        (b"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
        (b"(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        (b"a =?utf-8?B?w6k=?= b", "a é b"),
        (b"a  =?utf-8?Q?=C3=A9?=", "a  é"),
        (b"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),  # RFC 2231 §5
        (b"=?koi8-r?Q?=F0=D2?=", "Пр"),
        (b"=?KOI8-R*ru?B?8NI=?=", "Пр"),
        (b"=?koi8-r?Q?=F0?= =?iso-8859-5?Q?=E0?=", "Пр"),
        (b"=?utf-8?B?w?= =?utf-8?B?6k=?=", "=?utf-8?B?w?= =?utf-8?B?6k=?="),
        (b"=?utf-8?Q?=C3?= =?utf-8?Q?=A9?=", "é"),  # a character cut in two
        (b"=?utf-8?Q?spaces inside?=", "spaces inside"),
        (b"=?utf-8?B?aGVsbG8?=", "hello"),  # without its padding
        (b"=?x-unknown?Q?caf=E9?=", "café"),
        (b"=?utf-8?Q?wh?at??= (=?utf-8?Q??=)", "wh?at? ()"),
        (b"=?utf-8?Q?a =?utf-8?Q?b?=", "=?utf-8?Q?a b"),  # the first has no end
        (b'"=?utf-8?Q?a?=" =?utf-8?Q?b?=', '"a" b'),
        (b"=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        (b"=?utf-8?Q?open", "=?utf-8?Q?open"),
        (b"=?zip?B?eJwDAAAAAAE=?=", decode_text(base64.b64decode("eJwDAAAAAAE="))),
        ("bare é".encode(), "bare é"),
        (b"bare \xe9", "bare é"),
        (b"J\xc3\xb6rg, Jos\xe9 \xe2\x82", "Jörg, José â‚"),
        (b"\xe9 =?utf-8?Q?a?= \xc3\xa9", "é a é"),
    ],
)
def test_encoded_words_are_read(value: bytes, text: str) -> None:
    if value.startswith(b"=?utf-8?B?w?="):
        assert decode_words(value)  # broken Base64: anything, as long as it does not raise
    else:
        assert decode_words(value) == text


@given(st.binary() | st.text("=?utf8BQ_- é", max_size=60).map(str.encode))
def test_any_header_value_is_read(value: bytes) -> None:
    assert isinstance(decode_words(value), str)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), min_size=1))
def test_words_that_the_standard_library_reads_are_read_alike(texts: list[str]) -> None:
    words = [f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?=" for text in texts]
    ((data, charset),) = decode_header(" ".join(words))
    assert decode_words(" ".join(words).encode()) == data.decode(charset or "ascii")


@pytest.mark.parametrize(
    ("data", "decoded"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVs\r\nbG8=\r\n", b"hello"),
        (b"aGVsbG8", b"hello"),
        (b"aGVsbG8gdA", b"hello t"),
        (b"aGVsb", b"hel"),
        (b"aG!Vs bG8\xff=", b"hello"),
        (b"", b""),
        (b"====", b""),
    ],
)
def test_base64_is_read_as_far_as_it_goes(data: bytes, decoded: bytes) -> None:
    assert decode_base64(data) == decoded


@pytest.mark.parametrize(
    ("data", "decoded"),
    [
        (b"caf=C3=A9", "café".encode()),
        (b"caf=c3=a9", "café".encode()),
        (b"soft=\r\nbreak", b"softbreak"),
        (b"soft=\nbreak", b"softbreak"),
        (b"padded= \t\r\nbreak", b"paddedbreak"),
        (b"100=% =XY", b"100=% =XY"),
        (b"under_score", b"under_score"),
    ],
)
def test_quoted_printable_is_read_as_far_as_it_goes(data: bytes, decoded: bytes) -> None:
    assert decode_quoted_printable(data) == decoded


@given(st.binary())
def test_transfer_encodings_are_inverses(data: bytes) -> None:
    assert decode_body(base64.encodebytes(data), " BASE64 ") == data
    text = data.replace(b"\r", b"").replace(b"\n", b"")
    assert decode_body(quopri.encodestring(text), "quoted-printable") == text
    assert decode_body(data, "8bit") == data


@given(st.binary() | st.text("= \t\r\nAF09", max_size=80).map(str.encode))
def test_any_body_is_decoded(data: bytes) -> None:
    for name in ("base64", "quoted-printable"):
        assert len(decode_body(data, name)) <= len(data)
    for name in ("x-uuencode", "binary", ""):
        assert decode_body(data, name) == data


@pytest.mark.parametrize(
    "charset",
    [
        "utf-8",
        "koi8-r",
        "gb18030",
        "iso-2022-jp",
        "shift_jis",
        "euc-kr",
        "utf-16",
        "big5",
        "windows-1252",
    ],
)
def test_long_text_is_decoded_in_steps_as_in_one(
    charset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = {
        "koi8-r": "\u043f\u0440\u0438\u0432\u0435\u0442 ",
        "windows-1252": "\u00e9t\u00e9 ",
    }.get(charset, "\u4e2d\u6587 " if charset != "euc-kr" else "\ud55c\uad6d ")
    data = (text * 50).encode(charset)
    for step in (1, 2, 3, 7, 1000):
        monkeypatch.setattr(encoding, "STEP", step)
        assert encoding.decode_text(data, charset) == text * 50


@given(st.binary(max_size=60), st.sampled_from(["utf-8", "gb18030", "iso-2022-jp", "koi8-r"]))
def test_steps_change_nothing_in_malformed_text(data: bytes, charset: str) -> None:
    whole = encoding.decode_text(data, charset)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "STEP", 7)
        assert encoding.decode_text(data, charset) == whole


def test_long_utf_7_is_read_as_ascii() -> None:
    assert encoding.decode_text(b"+AOk-" * 100_000, "utf-7") == "+AOk-" * 100_000
