"""Clients in memory: lines by hand, and protocols of Twisted."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.mail.pop3 import AdvancedPOP3Client
from twisted.mail.smtp import ESMTPSenderFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from twisted_mail.testing.faults import Fault
from twisted_mail.testing.server import MailServer

ALICE = "alice@example.org"


class Listener(Protocol):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self.is_lost = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = Failure(Exception())) -> None:  # noqa: B008
        self.is_lost = True


class TestEndpoint(SynchronousTestCase):
    def setUp(self) -> None:
        self.server = MailServer()
        self.addCleanup(self.server.close)

    def connect(self, service: str) -> Listener:
        endpoint: Any = self.server.endpoint(service)
        client: Listener = self.successResultOf(connectProtocol(endpoint, Listener()))
        self.server.settle()
        return client

    def send(self, client: Listener, data: bytes) -> None:
        client.transport.write(data)  # type: ignore[union-attr]
        self.server.settle()

    def test_the_greeting_comes(self) -> None:
        assert self.connect("imap").heard.startswith(b"* OK")

    def test_answers_come(self) -> None:
        client = self.connect("smtp")
        self.send(client, b"NOOP\r\n")
        assert client.heard.count(b"\r\n") == 2

    def test_the_client_hears_that_the_server_closed(self) -> None:
        client = self.connect("smtp")
        self.send(client, b"QUIT\r\n")
        assert client.is_lost

    def test_the_server_hears_that_the_client_closed(self) -> None:
        client = self.connect("smtp")
        client.transport.loseConnection()  # type: ignore[union-attr]
        self.server.settle()
        assert client.is_lost
        assert self.server.events[-1][0] == "disconnected"

    def test_what_comes_with_time_is_carried(self) -> None:
        client = self.connect("imap")
        self.server.advance(600)
        assert b"* BYE" in client.heard
        assert client.is_lost

    def test_a_slow_server_is_slow_by_its_clock(self) -> None:
        self.server.add_fault(Fault.slow("NOOP", 5))
        client = self.connect("smtp")
        self.send(client, b"NOOP\r\n")
        assert client.heard.count(b"\r\n") == 1
        self.server.advance(5)
        assert client.heard.count(b"\r\n") == 2

    def test_closing_the_server_closes_its_connections(self) -> None:
        client = self.connect("smtp")
        self.server.close()
        assert client.is_lost

    def test_the_sender_of_twisted_sends(self) -> None:
        done: Deferred[Any] = Deferred()
        factory = ESMTPSenderFactory(
            b"bob",
            b"secret",
            "bob@example.org",
            [ALICE],
            _file(b"Subject: hi\n\nhello\n"),
            done,
            requireTransportSecurity=False,
            heloFallback=True,
        )
        self.server.endpoint("submission").connect(factory)
        self.server.settle()
        assert self.successResultOf(done)[0] == 1
        assert [message.parsed()["Subject"] for message in self.server.messages] == ["hi"]

    def test_the_pop3_client_of_twisted_reads(self) -> None:
        self.server.put(ALICE, "Subject: hi\n\nhello\n")
        endpoint: Any = self.server.endpoint("pop3")
        client: Any = self.successResultOf(
            endpoint.connect(Factory.forProtocol(AdvancedPOP3Client))
        )
        client.allowInsecureLogin = True
        self.server.settle()
        login = client.login(b"alice", b"secret")
        self.server.settle()
        self.successResultOf(login)
        lines = client.retrieve(0)
        self.server.settle()
        assert self.successResultOf(lines)[-1] == b"hello"

    def test_a_server_with_ports_has_no_endpoint(self) -> None:
        self.server.address("smtp")
        with pytest.raises(RuntimeError, match="a thread of its own"):
            self.server.endpoint("smtp")

    def test_a_server_with_clients_of_twisted_has_no_ports(self) -> None:
        self.connect("smtp")
        with pytest.raises(RuntimeError, match="make another one"):
            self.server.address("smtp")


def _file(data: bytes) -> Any:
    from io import BytesIO

    return BytesIO(data)


def test_there_is_no_line_before_one_came() -> None:
    with MailServer() as server:
        client = server.connect("smtp")
        client.line()
        with pytest.raises(EOFError):
            client.line()


def test_what_is_sent_after_the_end_is_lost() -> None:
    with MailServer() as server:
        client = server.connect("smtp")
        assert client.command("QUIT")[-1].startswith("221")
        assert client.command("NOOP") == []


def test_a_client_that_closes_ends_the_conversation() -> None:
    with MailServer() as server:
        client = server.connect("pop3")
        client.close()
        client.close()
        assert [name for name, _ in server.events].count("disconnected") == 1
