"""Connections without sockets: a transport whose octets a test takes, and two that are linked."""

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

CLIENT = IPv4Address("TCP", "127.0.0.1", 54321)
SERVER = IPv4Address("TCP", "127.0.0.1", 25)


class _Tls:
    """The properties of TLS where nothing is encrypted."""

    def get_protocol_version_name(self) -> str:
        return "TLSv1.3"

    def get_cipher_name(self) -> str:
        return "TLS_AES_256_GCM_SHA384"

    def get_cipher_bits(self) -> int:
        return 256


@implementer(ITransport)
class MemoryTransport:
    """Keeps what is written until ``take``. TLS begins in name only: ``is_tls``."""

    def __init__(self, peer: IPv4Address = CLIENT, host: IPv4Address = SERVER) -> None:
        self._peer, self._host = peer, host
        self._written = b""
        self._source: Any = None  # a producer that wants to be asked for each piece
        self.is_tls = False
        self.is_gone = False
        self.disconnecting = False

    def take(self) -> bytes:
        """Return what was written since the last call."""
        if self._source is not None:
            self._source.resumeProducing()
        written, self._written = self._written, b""
        return written

    def write(self, data: bytes) -> None:
        """Take octets to send."""
        if not self.is_gone:
            self._written += data

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Take octets to send."""
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        """Close the connection; what was written can still be taken."""
        self.is_gone = self.disconnecting = True

    abortConnection = loseConnection

    def startTLS(self, certificates: object) -> None:
        """Turn TLS on, in name only."""
        self.is_tls = True

    def getHandle(self) -> _Tls:
        """Return the properties of TLS."""
        return _Tls()

    def getPeer(self) -> IPv4Address:
        """Return the address at the other end."""
        return self._peer

    def getHost(self) -> IPv4Address:
        """Return the address at this end."""
        return self._host

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Ask the producer for a piece at each ``take``, if it wants to be asked."""
        self._source = None if streaming else producer

    def unregisterProducer(self) -> None:
        """Ask no more."""
        self._source = None

    def pauseProducing(self) -> None:
        """Do nothing: a sender in memory does not wait."""

    def resumeProducing(self) -> None:
        """Do nothing."""


class Link:
    """Two protocols with a connection between them, on which octets move when ``carry`` is called.

    Not at once: no network answers before ``write`` has returned, and clients count on that.
    """

    def __init__(self, client: Any, server: Any) -> None:
        self._ends = [
            (client, MemoryTransport(SERVER, CLIENT)),
            (server, MemoryTransport(CLIENT, SERVER)),
        ]
        self._lost = [False, False]
        for protocol, transport in reversed(self._ends):
            protocol.makeConnection(transport)

    def carry(self) -> bool:
        """Bring what was written to the other end; return whether there was anything."""
        from_client, from_server = self._carry_from(0), self._carry_from(1)
        return from_client or from_server

    def _carry_from(self, end: int) -> bool:
        """Bring octets, or the end of the connection, from one end to the other."""
        _, transport = self._ends[end]
        protocol, _ = self._ends[1 - end]
        data = transport.take()
        if data and not self._lost[1 - end]:
            protocol.dataReceived(data)
            return True
        return transport.is_gone and (self._lose(1 - end) or self._lose(end))

    def _lose(self, end: int) -> bool:
        """Let a protocol know that the connection is gone; return whether it did not."""
        if self._lost[end]:
            return False
        self._lost[end] = True
        protocol, transport = self._ends[end]
        transport.is_gone = True
        protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]
        return True

    def close(self) -> None:
        """Let both protocols know that the connection is gone."""
        self._lose(0)
        self._lose(1)
