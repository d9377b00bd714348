"""The log of a message, whichever way it comes: received, then delivered."""

import smtplib

import pytest

from twisted_mail.testing.server import MailServer

MESSAGE = "From: alice@example.org\r\nSubject: x\r\n\r\nHello\r\n"


def send(client: smtplib.SMTP, service: str) -> None:
    client.ehlo("client.example")
    if service == "submission":
        client.login("alice@example.org", "secret")
    client.sendmail("alice@example.org", ["bob@example.org"], MESSAGE)


@pytest.mark.parametrize("service", ["smtp", "lmtp", "submission"])
def test_a_message_is_received_and_then_delivered(service: str) -> None:
    with MailServer() as server:
        make = smtplib.LMTP if service == "lmtp" else smtplib.SMTP
        with make(*server.address(service)) as client:
            send(client, service)
        events = [name for name, _ in server.events if name in ("received", "delivered")]
        assert events == ["received", "delivered"]
