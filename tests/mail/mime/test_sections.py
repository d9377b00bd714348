"""Tests of twisted_mail.mail.mime.sections."""

import pytest

from tests.mail.mime.examples import COMPLEX, crlf, multipart, text
from twisted_mail.mail.mime.sections import PartSection


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ((1,), b"first text"),
        ((2,), b"octets"),
        ((3, 1), b"3.1 text"),
        ((3, 2), b"3.2 octets"),
        ((4, 1), b"gif"),
        ((4, 2, 1), b"4.2.1 text"),
        ((4, 2, 2, 1), b"4.2.2.1 plain"),
        ((4, 2, 2, 2), b"4.2.2.2 rich"),
        ((0,), None),
        ((5,), None),
        ((1, 1), None),
        ((3, 3), None),
        ((4, 2, 2, 2, 1), None),
    ],
)
def test_parts_are_found_by_their_numbers(path: tuple[int, ...], content: bytes | None) -> None:
    assert text(path) == content


def test_sections_of_the_message() -> None:
    assert text(()) == COMPLEX
    header, body = text((), PartSection.HEADER), text((), PartSection.TEXT)
    assert header == crlf("Subject: outer\n" + multipart("a"))
    assert body is not None
    assert header + body == COMPLEX
    assert body.startswith(b"preamble")
    assert body.endswith(b"epilogue\r\n")
    assert text((), PartSection.MIME) is None


def test_sections_of_a_message_within() -> None:
    header, body = text((3,), PartSection.HEADER), text((3,), PartSection.TEXT)
    assert header == crlf("Subject: three\n" + multipart("b"))
    assert body is not None
    assert text((3,)) == header + body
    assert body.endswith(b"--b--")
    assert text((3,), PartSection.MIME) == b"Content-Type: message/rfc822\r\n\r\n"
    assert text((4, 2), PartSection.HEADER) == crlf("Subject: four-two\n" + multipart("d"))


def test_only_messages_have_header_and_text() -> None:
    for path in ((1,), (4,), (3, 1), (9,)):
        assert text(path, PartSection.HEADER) is None
        assert text(path, PartSection.TEXT) is None
    assert text((4, 1), PartSection.MIME) == b"Content-Type: image/gif\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (multipart("a") + "no parts", (1,)),
        (multipart("a") + "--a\n" + multipart("b") + "--a--\n", (1, 1)),
        ("Content-Type: message/rfc822\n\n" + multipart("b"), (1, 1)),
        (
            multipart("a") + "--a\nContent-Type: message/rfc822\n\n" + multipart("b") + "--a--\n",
            (1, 1),
        ),
    ],
)
def test_a_multipart_without_parts_has_an_empty_one(data: str, path: tuple[int, ...]) -> None:
    octets = crlf(data)
    assert text(path, PartSection.ALL, octets) == b""
    assert text(path, PartSection.MIME, octets) == b""
    for kind in (PartSection.HEADER, PartSection.TEXT):
        assert text(path, kind, octets) is None
    assert text((*path[:-1], 2), PartSection.ALL, octets) is None
    assert text((*path, 1), PartSection.ALL, octets) is None


def test_a_plain_message_has_one_part() -> None:
    data = b"Subject: x\r\n\r\nbody\r\n"
    assert text((1,), data=data) == b"body\r\n"
    assert text((1,), PartSection.MIME, data) == b"Subject: x\r\n\r\n"
    assert text((1, 1), data=data) is None
    assert text((2,), data=data) is None


def test_a_message_that_is_a_message_has_it_as_part_one() -> None:
    data = crlf("Content-Type: message/rfc822\n\nSubject: in\n" + multipart() + "--b\n\nx\n--b--\n")
    assert text((1,), PartSection.HEADER, data) == crlf("Subject: in\n" + multipart())
    assert text((1, 1), data=data) == b"x"
    assert text((1, 1, 1), data=data) is None


def test_a_plain_message_within_has_one_part() -> None:
    data = crlf(multipart() + "--b\nContent-Type: message/rfc822\n\nSubject: in\n\nx\n--b--\n")
    assert text((1, 1), data=data) == b"x"
    assert text((1, 1), PartSection.MIME, data) == b"Subject: in\r\n\r\n"
