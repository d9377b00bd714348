"""Connections from proxies: who may bring clients, and who the session sees."""

from typing import Any

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from twisted_mail.interfaces import ConversationEnded, Wire
from twisted_mail.net.connection.conversation import Conversation
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.net.server import proxied
from twisted_mail.net.server.listening import ConversationFactory
from twisted_mail.net.server.proxied import HEADER_SECONDS, ProxiedFactory
from twisted_mail.net.server.proxy_header import (
    NO_ADDRESSES,
    ProxyAddresses,
    SocketAddress,
    format_line,
    format_octets,
)
from twisted_mail.testing.recorded_log import ListJournal

CLIENT = ProxyAddresses(SocketAddress("198.51.100.7", 40000), SocketAddress("192.0.2.9", 25))


class Greeter:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def run(self) -> None:
        peer = self.wire.peer
        self.wire.write(f"hello {peer.host} {peer.port}\n".encode())
        try:
            while True:
                self.wire.write(b"heard " + await self.wire.read(60))
        except ConversationEnded as ending:
            self.wire.write(ending.reason.value.encode())


class Transport(StringTransport):
    """Hands what comes to its protocol, as those of the reactor do; TLS reverses all octets."""

    protocol: Any = None
    is_aborted = False

    def startTLS(self, certificates: object) -> None:
        conversation = self.protocol

        class Tls:
            def dataReceived(self, data: bytes) -> None:
                conversation.dataReceived(data[::-1])

        self.protocol = Tls()

    def abortConnection(self) -> None:
        self.is_aborted = True
        self.protocol.connectionLost()


class Proxied:
    def __init__(self, terms: ListenerSecurity | None = None, most_per_address: int = 10) -> None:
        self.clock = Clock()
        reactor: Any = self.clock
        self.journal = ListJournal()
        self.conversations = ConversationFactory(
            reactor,
            Greeter,
            terms or ListenerSecurity(),
            self.journal,
            b"busy\r\n",
            10,
            most_per_address,
        )
        self.factory = ProxiedFactory(reactor, self.conversations, ["192.0.2.0/24"], self.journal)

    def connects(self, address: Any = None) -> Transport:
        address = address or IPv4Address("TCP", "192.0.2.1", 1000)
        protocol = self.factory.buildProtocol(address)
        assert protocol is not None
        transport = Transport(peerAddress=address)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        return transport

    def complaints(self) -> list[str]:
        return [arguments[1] for event, arguments in self.journal.events if event == "warned"]


@pytest.mark.parametrize("header", [format_line(CLIENT), format_octets(CLIENT)])
def test_the_session_sees_the_client(header: bytes) -> None:
    transport = Proxied().connects()
    assert transport.value() == b""
    for at in range(len(header)):
        transport.protocol.dataReceived(header[at : at + 1])
    assert isinstance(transport.protocol, Conversation)
    assert transport.value() == b"hello 198.51.100.7 40000\n"


def test_what_follows_the_header_is_the_clients() -> None:
    transport = Proxied().connects()
    transport.protocol.dataReceived(format_line(CLIENT) + b"EHLO")
    transport.protocol.dataReceived(b" client")
    assert transport.value() == b"hello 198.51.100.7 40000\nheard EHLOheard  client"


def test_tls_begins_after_the_header() -> None:
    terms = ListenerSecurity(certificates=object(), is_implicit=True)  # type: ignore[arg-type]
    transport = Proxied(terms).connects()
    transport.protocol.dataReceived(format_octets(CLIENT) + b"OLHE")
    assert transport.value() == b"hello 198.51.100.7 40000\nheard EHLO"


def test_a_proxy_that_speaks_for_itself_is_the_peer() -> None:
    transport = Proxied().connects()
    transport.protocol.dataReceived(format_octets(NO_ADDRESSES))
    assert transport.value() == b"hello 192.0.2.1 1000\n"


def test_a_unix_socket_may_bring_clients() -> None:
    transport = Proxied().connects(UNIXAddress(None))
    transport.protocol.dataReceived(format_line(CLIENT))
    assert transport.value() == b"hello 198.51.100.7 40000\n"


def test_strangers_are_turned_away_and_named_in_the_log_now_and_then() -> None:
    held = Proxied()
    for _ in range(3):
        assert held.factory.buildProtocol(IPv4Address("TCP", "203.0.113.5", 1)) is None
    assert len(held.complaints()) == 1
    assert "203.0.113.5" in held.complaints()[0]
    held.clock.advance(61)
    assert held.factory.buildProtocol(IPv4Address("TCP", "203.0.113.5", 1)) is None
    assert len(held.complaints()) == 2


def test_without_networks_only_this_host_may_bring_clients() -> None:
    held = Proxied()
    factory = ProxiedFactory(held.clock, held.conversations, (), held.journal)
    assert factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1)) is not None
    assert factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)) is None


def test_who_sends_no_header_is_cut_off() -> None:
    held = Proxied()
    transport = held.connects()
    transport.protocol.dataReceived(b"EHLO client.example\r\n")
    assert transport.is_aborted
    assert transport.value() == b""
    assert "no good header" in held.complaints()[0]
    assert not held.clock.getDelayedCalls()


def test_who_sends_half_a_header_is_cut_off_in_time() -> None:
    held = Proxied()
    transport = held.connects()
    transport.protocol.dataReceived(b"PROXY TCP4 ")
    held.clock.advance(HEADER_SECONDS - 1)
    assert not transport.is_aborted
    held.clock.advance(1)
    assert transport.is_aborted


def test_who_leaves_before_the_header_is_forgotten() -> None:
    held = Proxied()
    held.connects().protocol.connectionLost()
    assert not held.clock.getDelayedCalls()
    assert held.factory.shut_down().called


def test_only_so_many_may_owe_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied, "MAX_AWAITING_HEADER", 2)
    held = Proxied()
    first, _ = held.connects(), held.connects()
    address = IPv4Address("TCP", "192.0.2.1", 1000)
    assert held.factory.buildProtocol(address) is None
    first.protocol.dataReceived(format_line(CLIENT))
    assert held.factory.buildProtocol(address) is not None


def test_limits_for_each_address_are_for_the_clients() -> None:
    held = Proxied(most_per_address=1)
    said = []
    for host in ("198.51.100.1", "198.51.100.2", "198.51.100.1"):
        transport = held.connects()
        transport.protocol.dataReceived(
            format_line(ProxyAddresses(SocketAddress(host, 1), CLIENT.destination))
        )
        said.append(transport.value())
    assert said == [b"hello 198.51.100.1 1\n", b"hello 198.51.100.2 1\n", b"busy\r\n"]


def test_the_end_of_the_service_ends_both_kinds() -> None:
    held = Proxied()
    waiting, talking = held.connects(), held.connects()
    talking.protocol.dataReceived(format_line(CLIENT))
    ended = held.factory.shut_down()
    assert waiting.is_aborted
    assert talking.value().endswith(b"shutdown")
    talking.protocol.connectionLost()
    assert ended.called
