"""Opening connections to mail hosts, by numeric addresses."""

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IAddress, IConnector
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from twisted_mail.mail.outcome import Outcome, Unavailable
from twisted_mail.net.client.host_connection import HostConnection
from twisted_mail.net.client.host_tls import HostTlsCreator


class HostDialer:
    """Opens connections to numeric addresses, or to UNIX sockets by their paths."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    async def dial(
        self, address: str, port: int, source: str, creator: HostTlsCreator, seconds: float
    ) -> HostConnection:
        """Connect, from an address of ours if one is named. Raises Unavailable, with the reason."""
        opening = _OneConnection(HostConnection(self._reactor, creator), seconds)
        if address.startswith("/"):
            connector = self._reactor.connectUNIX(address, opening, timeout=seconds)
        else:
            bound = (source, 0) if source else None
            connector = self._reactor.connectTCP(address, port, opening, seconds, bound)
        return await opening.wait(connector)


class _OneConnection(ClientFactory):
    """Opens one connection. Its protocol stands next to the transport, without a wrapper between them."""

    noisy = False

    def __init__(self, connection: HostConnection, seconds: float) -> None:
        self._connection = connection
        connection.on_open = lambda: self._fire(connection)
        self._seconds = seconds
        self._opened: Deferred[HostConnection] | None = None
        self._result: HostConnection | Unavailable | None = None

    async def wait(self, connector: IConnector) -> HostConnection:
        """Return the connection once it is open. Raises Unavailable."""
        if self._result is None:
            self._opened = Deferred(lambda _: self._give_up(connector))
            return await self._opened
        if isinstance(self._result, Unavailable):
            raise self._result
        return self._result

    def _give_up(self, connector: IConnector) -> None:
        """End the attempt. That it fails by this says nothing of the host, so it is no result."""
        self._opened = None
        connector.disconnect()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return the connection, which is open in a moment (called by Twisted)."""
        return self._connection

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Note that there is none (called by Twisted)."""
        text = _in_words(reason.value, self._seconds)
        self._fire(Unavailable(Outcome(451, "4.4.1", text)))

    def _fire(self, result: HostConnection | Unavailable) -> None:
        self._result = result
        opened, self._opened = self._opened, None
        if opened is None:
            return
        if isinstance(result, Unavailable):
            opened.errback(result)
        else:
            opened.callback(result)


def _in_words(error: BaseException | None, seconds: float) -> str:
    """Return why there is no connection."""
    if isinstance(error, ConnectTimeout):
        return f"No connection within {seconds:.0f} seconds"
    number = getattr(error, "osError", None)
    if isinstance(error, ConnectError) and isinstance(number, int):
        return os.strerror(number)
    return "No connection: " + (str(error)[:200] or type(error).__name__)
