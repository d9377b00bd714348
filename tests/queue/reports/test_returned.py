"""What goes back (RFC 3461 §6.2, RFC 6522 §3, RFC 6533 §4)."""

from base64 import b64decode
from quopri import decodestring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.queue.reports.reporting import LUNCH, message
from twisted_mail.queue.reports.entity import Entity
from twisted_mail.queue.reports.original import read_original
from twisted_mail.queue.reports.returned import quoted_printable, returned_part

UTF8 = "Subject: Grüße\r\n\r\nText: größer\r\n".encode()


def returned(
    data: bytes, is_whole: bool = True, is_utf8: bool = False, is_8bit: bool = False
) -> Entity:
    return returned_part(read_original(message(data), 50_000), is_whole, is_utf8, is_8bit)


def test_a_message_goes_back_as_it_is() -> None:
    part = returned(LUNCH)
    assert (part.kind, part.encoding, part.data) == ("message/rfc822", "7bit", LUNCH)


def test_octets_above_127_are_declared() -> None:
    part = returned(b"Subject: x\r\n\r\n\xff\r\n")
    assert (part.kind, part.encoding) == ("message/rfc822", "8bit")


def test_only_the_header_goes_back_where_that_is_enough() -> None:
    part = returned(LUNCH, is_whole=False)
    assert (part.kind, part.encoding) == ("text/rfc822-headers", "7bit")
    assert part.data == LUNCH.partition(b"\r\n\r\n")[0] + b"\r\n"


@pytest.mark.parametrize("body", [b"x" * 999 + b"\r\n", b"a\0", b"a\rb", b"a\nb\r\n", b"\xff\n"])
def test_of_what_no_server_has_to_take_the_header_goes_back(body: bytes) -> None:
    assert returned(b"Subject: x\r\n\r\n" + body).kind == "text/rfc822-headers"


def test_lines_of_998_octets_are_taken() -> None:
    assert returned(b"Subject: x\r\n\r\n" + b"x" * 998 + b"\r\n").kind == "message/rfc822"


def test_an_odd_header_is_encoded() -> None:
    head = b"Subject: \xff" + b"x" * 2000 + b"\0\r \r\n"
    part = returned(head + b"\r\n")
    assert (part.kind, part.encoding) == ("text/rfc822-headers", "quoted-printable")
    assert max(map(len, part.data.split(b"\r\n"))) <= 76
    assert decodestring(part.data.replace(b"=\r\n", b"")) == head.replace(b"\r\n", b"\r\n")


@given(st.binary(max_size=300))
def test_quoted_printable_brings_back_every_octet(data: bytes) -> None:
    encoded = quoted_printable(data)
    assert encoded.isascii()
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert not set(encoded.replace(b"\r\n", b"")) & set(b"\r\n\0")
    decoded = decodestring(encoded.replace(b"=\r\n", b"").replace(b"\r\n", b"\n"))
    assert decoded == data.replace(b"\r\n", b"\n")


# ------------------------------------------------------------ RFC 6533 §4


def test_a_message_with_a_utf_8_header_is_global() -> None:
    part = returned(UTF8, is_utf8=True, is_8bit=True)
    assert (part.kind, part.encoding, part.data) == ("message/global", "8bit", UTF8)
    part = returned(UTF8, is_whole=False, is_utf8=True, is_8bit=True)
    assert (part.kind, part.encoding) == ("message/global-headers", "8bit")


def test_4_5_on_a_way_without_smtputf8_it_is_encoded() -> None:
    part = returned(UTF8, is_utf8=True)
    assert (part.kind, part.encoding) == ("message/global", "base64")
    assert b64decode(part.data) == UTF8
    part = returned(UTF8, is_whole=False, is_utf8=True)
    assert (part.kind, part.encoding) == ("message/global-headers", "quoted-printable")
    assert decodestring(part.data) == UTF8.partition(b"\r\n\r\n")[0] + b"\r\n"


def test_4_4_one_that_is_ascii_needs_no_new_type() -> None:
    assert returned(LUNCH, is_utf8=True).kind == "message/rfc822"
    assert returned(LUNCH, is_whole=False, is_utf8=True).kind == "text/rfc822-headers"
