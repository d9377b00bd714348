"""Python's own client of SMTP, which knows SMTPUTF8."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.whole.live import LiveServer

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("smtplib"))
    yield live
    live.stop()


def stored(server: LiveServer, account: str) -> str:
    (file,) = (server.maildir(account) / "new").iterdir()
    return file.read_bytes().decode()


def test_a_message_between_addresses_in_utf8_arrives_as_it_was(server: LiveServer) -> None:
    message = EmailMessage()
    message["From"] = "José <josé@exämple.com>"
    message["To"] = "bob@example.org"
    message["Subject"] = "año"
    message.set_content("ñandú\n", cte="8bit")
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.send_message(message)
    text = stored(server, "bob@example.org")
    assert text.startswith("Return-Path: <josé@xn--exmple-cua.com>\r\n")
    assert " with UTF8SMTP id " in text
    assert "\r\nFrom: José <josé@exämple.com>\r\n" in text
    assert "\r\nSubject: año\r\n" in text
    assert text.endswith("\r\n\r\nñandú\r\n")


def test_it_is_told_in_words_that_an_address_is_not_here(server: LiveServer) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.ehlo()
        assert client.has_extn("smtputf8")
        client.mail("josé@example.com", ["SMTPUTF8"])
        assert client.docmd("RCPT", "TO:<a@b.example>")[0] == 550
