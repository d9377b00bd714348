"""Connections from a proxy: first its header, then the conversation with the real client.

The session, the log and the limits for each address see the client's address. Only proxies in the
configured networks may connect, as a header can name any address; and each connection must begin with a
header, as otherwise a proxy that sends none would pass for a client.
"""

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import Journal, Peer
from twisted_mail.net.connection.peer_address import host_of
from twisted_mail.net.server.listening import ConversationFactory, StoppableFactory
from twisted_mail.net.server.proxy_header import HeaderReader, ProxyAddresses
from twisted_mail.policy.networks import LOOPBACK, Networks

HEADER_SECONDS = 10.0  # how long a header may take; proxies send it at once
MAX_AWAITING_HEADER = 1000  # connections without their header so far; further ones are closed
COMPLAINT_SECONDS = 60.0  # between two log lines about proxies


class ProxiedFactory(StoppableFactory):
    """Waits for the header of each connection, and passes it on to a factory of conversations.

    ``networks`` are those of the proxies; without any, this host alone. A UNIX socket is trusted: its
    mode decides who may use it.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        factory: ConversationFactory,
        networks: Sequence[str],
        journal: Journal,
    ) -> None:
        self.factory = factory
        self.reactor = reactor
        self._networks = Networks((*(networks or LOOPBACK), "unix"))
        self._journal = journal
        self._awaiting_header: set[ProxyHeaderProtocol] = set()
        self._quiet_until = 0.0

    def buildProtocol(self, addr: IAddress | None) -> "ProxyHeaderProtocol | None":  # type: ignore[override]
        """Return what reads the header; None for strangers, whose connection is closed."""
        host = host_of(addr)
        if host not in self._networks:
            self.complain(f"{host} is not among the proxies of a listener, and was turned away")
            return None
        if len(self._awaiting_header) >= MAX_AWAITING_HEADER:
            return None
        waiting = ProxyHeaderProtocol(self)
        self._awaiting_header.add(waiting)
        return waiting

    def header_done(self, waiting: "ProxyHeaderProtocol") -> None:
        """Forget a connection whose header has come, or will not come."""
        self._awaiting_header.discard(waiting)

    def complain(self, text: str) -> None:
        """Log what is wrong with a proxy, once in ``COMPLAINT_SECONDS``."""
        now = self.reactor.seconds()
        if now >= self._quiet_until:
            self._quiet_until = now + COMPLAINT_SECONDS
            self._journal.warned("proxy", text)

    @property
    def is_idle(self) -> bool:
        """Return whether no connection is open, with or without its header."""
        return not self._awaiting_header and self.factory.is_idle

    def shut_down(self) -> Deferred[None]:
        """Cut off the connections without a header; end the conversations."""
        for waiting in list(self._awaiting_header):
            waiting.abort()
        return self.factory.shut_down()


@implementer(IProtocol)
class ProxyHeaderProtocol:
    """One connection until its header has come."""

    __slots__ = ("_factory", "_late", "_reader", "transport")

    def __init__(self, factory: ProxiedFactory) -> None:
        self.transport: Any = None
        self._factory = factory
        self._reader = HeaderReader()
        self._late: Any = None

    def makeConnection(self, transport: Any) -> None:
        """Take the transport, and wait."""
        self.transport = transport
        self.connectionMade()

    def connectionMade(self) -> None:
        """Begin to wait."""
        self._late = self._factory.reactor.callLater(HEADER_SECONDS, self._time_passed)

    def dataReceived(self, data: bytes) -> None:
        """Read the header; what follows it is the client's."""
        try:
            addresses = self._reader.feed(data)
        except ValueError as error:
            self._factory.complain(f"{self._proxy} sends no good header: {error}")
            self.abort()
            return
        if addresses is not None:
            self._end()
            self._pass_on(addresses)

    @property
    def _proxy(self) -> str:
        return host_of(self.transport.getPeer()) or "a UNIX socket"

    def _time_passed(self) -> None:
        self._late = None
        self._factory.complain(f"{self._proxy} sends no header")
        self.abort()

    def _pass_on(self, addresses: ProxyAddresses) -> None:
        """Begin the conversation on the transport, as if it had just connected."""
        transport = self.transport
        if addresses.source is None:  # the proxy speaks for itself
            conversation = self._factory.factory.conversation(host_of(transport.getPeer()))
        else:
            peer = Peer(addresses.source.host, addresses.source.port)
            conversation = self._factory.factory.conversation(peer.host, peer)
        if conversation is None:
            transport.abortConnection()
            return
        transport.protocol = conversation
        conversation.makeConnection(transport)
        if self._reader.rest:
            transport.protocol.dataReceived(self._reader.rest)  # which may be TLS by now

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Wait no more."""
        self._end()

    def abort(self) -> None:
        """Cut the connection off."""
        self._end()
        self.transport.abortConnection()

    def _end(self) -> None:
        late, self._late = self._late, None
        if late is not None:
            late.cancel()
        self._factory.header_done(self)
