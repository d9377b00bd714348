"""Connections without sockets."""

from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from twisted_mail.testing.transports import CLIENT, SERVER, Link, MemoryTransport


class Peer(Protocol):
    """Keeps what comes, and counts the ends of its connection."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.losses = 0

    def dataReceived(self, data: bytes) -> None:
        self.heard.append(data)

    def connectionLost(self, reason: Failure = Failure(Exception())) -> None:  # noqa: B008
        self.losses += 1


class Source:
    """A producer that wants to be asked for each piece."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.transport = transport

    def resumeProducing(self) -> None:
        self.transport.write(b"piece")


def test_a_transport_keeps_what_is_written_until_it_is_taken() -> None:
    transport = MemoryTransport()
    transport.write(b"a")
    transport.writeSequence([b"b", b"c"])
    assert transport.take() == b"abc"
    assert transport.take() == b""


def test_nothing_is_written_after_the_end() -> None:
    transport = MemoryTransport()
    transport.write(b"a")
    transport.loseConnection()
    transport.write(b"b")
    assert transport.take() == b"a"


def test_a_producer_is_asked_at_each_take() -> None:
    transport = MemoryTransport()
    transport.registerProducer(Source(transport), False)
    assert [transport.take(), transport.take()] == [b"piece", b"piece"]
    transport.unregisterProducer()
    assert transport.take() == b""


def test_tls_has_a_name() -> None:
    transport = MemoryTransport()
    transport.startTLS(None)
    assert transport.is_tls
    handle = transport.getHandle()
    assert handle.get_protocol_version_name() == "TLSv1.3"
    assert (handle.get_cipher_name(), handle.get_cipher_bits()) == ("TLS_AES_256_GCM_SHA384", 256)


def test_a_link_moves_octets_when_it_is_asked_to() -> None:
    client, server = Peer(), Peer()
    link = Link(client, server)
    client.transport.write(b"hello")  # type: ignore[union-attr]
    assert server.heard == []
    assert link.carry()
    assert server.heard == [b"hello"]
    assert not link.carry()
    assert client.transport.getPeer() is SERVER  # type: ignore[union-attr]
    assert server.transport.getPeer() is CLIENT  # type: ignore[union-attr]


def test_both_ends_learn_once_that_the_connection_is_gone() -> None:
    client, server = Peer(), Peer()
    link = Link(client, server)
    server.transport.write(b"bye")  # type: ignore[union-attr]
    server.transport.loseConnection()  # type: ignore[union-attr]
    while link.carry():
        pass
    link.close()
    assert client.heard == [b"bye"]
    assert (client.losses, server.losses) == (1, 1)
