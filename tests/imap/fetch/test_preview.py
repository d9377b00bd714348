import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap.fetch.preview import CHARACTERS, preview
from twisted_mail.mail.mime.structure import scan


def of(text: str | bytes) -> str:
    data = (text.encode() if isinstance(text, str) else text).replace(b"\n", b"\r\n")
    return preview(data, scan(data))


def part(kind: str, text: str, more: str = "") -> str:
    return f"--b\nContent-Type: {kind}\n{more}\n{text}\n"


def multipart(subtype: str, *parts: str) -> str:
    return f"Content-Type: multipart/{subtype}; boundary=b\n\n" + "".join(parts) + "--b--\n"


def test_the_first_words_of_a_text() -> None:
    assert of("Subject: x\n\n Hello,\n\n\twho  is\nthere?\n") == "Hello, who is there?"


def test_it_is_200_characters_long_at_most() -> None:
    assert of("\n" + "word " * 1000) == ("word " * 40).rstrip()
    assert len(of("Content-Type: text/plain; charset=utf-8\n\n" + "ä" * 1000)) == CHARACTERS


def test_charsets_and_encodings_are_undone() -> None:
    header = "Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: {}\n\n"
    assert of(header.format("quoted-printable") + "caf=E9 =\nau lait") == "café au lait"
    assert of(header.format("base64") + "Y2Fm6Q==") == "café"


def test_plain_text_is_preferred_to_html_and_html_is_without_tags() -> None:
    html = part("text/html", "<style>p {}</style><p>Hello <b>H</b>TML</p>")
    plain = part("text/plain", "Hello plain")
    assert of(multipart("alternative", html, plain)) == "Hello plain"
    assert of(multipart("alternative", html)) == "Hello HTML"
    assert of(multipart("alternative", part("text/plain", "\n \n"), html)) == "Hello HTML"


def test_attachments_and_messages_within_are_no_preview() -> None:
    attached = part("text/plain", "attached", "Content-Disposition: ATTACHMENT\n")
    within = part("message/rfc822", "Subject: x\n\nwithin")
    assert of(multipart("mixed", attached, within)) == ""
    assert of(multipart("mixed", attached, within, part("text/plain", "mine"))) == "mine"


def test_what_cannot_be_seen_is_left_out() -> None:
    padding = "\u200c\u00a0\u034f\u00ad" * 50
    header = "Content-Type: text/plain; charset=utf-8\n\n"
    assert of(f"{header}Sale!{padding}\0\x1b[1mNow") == "Sale! [1mNow"


@pytest.mark.parametrize("unit", [b"<p", b"<style>", b"=", b"\n ", b"--b\n", b"&#9", b"\xff"])
def test_hostile_texts_take_linear_time(unit: bytes) -> None:
    for kind in (b"text/html", b"text/plain", b"multipart/mixed; boundary=b"):
        begun = time.process_time()
        of(b"Content-Type: " + kind + b"\n\n" + unit * (200_000 // len(unit)))
        assert time.process_time() - begun < 2


@given(st.binary(max_size=500))
def test_nothing_raises(data: bytes) -> None:
    words = preview(data, scan(data))
    assert len(words) <= CHARACTERS
    assert words == words.strip()
