"""A port on all interfaces, for IPv4 and IPv6 by one socket."""

import errno
import socket
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from zope.interface import implementer

_NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


@implementer(IStreamServerEndpoint)
class AllInterfacesEndpoint:
    """Listens on a port of all interfaces; where there is no IPv6, on those of IPv4."""

    def __init__(self, reactor: Any, port: int, backlog: int) -> None:
        self._reactor = reactor
        self._port = port
        self._backlog = backlog

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Start accepting (called as by Twisted's endpoints)."""
        return execute(self._listen, protocolFactory)

    def _listen(self, factory: IProtocolFactory) -> IListeningPort:
        try:
            bound = bind_both(self._port)
        except OSError as error:
            raise CannotListenError("", self._port, error) from error  # type: ignore[no-untyped-call]
        if bound is None:
            ipv4: IListeningPort = self._reactor.listenTCP(self._port, factory, self._backlog)
            return ipv4
        with bound:
            bound.listen(self._backlog)
            bound.setblocking(False)
            # The port has a copy of the descriptor.
            port: IListeningPort = self._reactor.adoptStreamPort(
                bound.fileno(), socket.AF_INET6, factory
            )
        return port


def bind_both(port: int) -> socket.socket | None:
    """Return a socket that is bound to a port of IPv6 and IPv4 (RFC 3493 §5.3), or None without IPv6.

    Raises OSError.
    """
    try:
        bound = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    except OSError as error:
        if error.errno in _NO_IPV6:
            return None
        raise
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(("::", port))
    except OSError as error:
        bound.close()
        if error.errno in _NO_IPV6:
            return None
        raise
    return bound
