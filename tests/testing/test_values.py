"""Messages as tests write and read them."""

from email.message import EmailMessage

import pytest

from twisted_mail.testing.values import Content, octets, parsed


def letter() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "hi"
    message.set_content("hello")
    return message


@pytest.mark.parametrize(
    "content",
    ["Subject: hi\n\nhello\n", b"Subject: hi\r\n\r\nhello\r\n", b"Subject: hi\n\r\nhello\n"],
)
def test_all_line_ends_become_those_of_mail(content: Content) -> None:
    assert octets(content) == b"Subject: hi\r\n\r\nhello\r\n"


def test_a_message_of_the_standard_library_is_taken() -> None:
    data = octets(letter())
    assert data.startswith(b"Subject: hi\r\n")
    assert data.endswith(b"\r\n\r\nhello\r\n")
    assert parsed(data).get_content() == "hello\n"
