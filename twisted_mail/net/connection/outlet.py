"""Output of a connection: sent at once when the socket takes it, held when it does not.

A write through the reactor costs a second round of its loop. When nothing else is waiting, sending on the
socket at once saves a third of the cost of a small request.

What is sent is to leave: the kernel must not hold a small piece back until the peer has
acknowledged the one before (RFC 896), for which a peer may take 40 ms (RFC 1122 §4.2.3.2).
"""

import socket
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from twisted_mail.interfaces import ConversationEnded

_DONE = Failure(CONNECTION_DONE)  # type: ignore[no-untyped-call]
STALL_SECONDS = 300.0  # how long a peer may take nothing of what was sent


@implementer(IPushProducer)
class TransportOutlet:
    """The writing half of a connection.

    ``is_held`` is true while the transport has enough; then its user waits for ``wait_writable``.
    """

    __slots__ = ("_is_plain", "_reactor", "_resumed", "_transport", "is_held")

    def __init__(self, transport: ITCPTransport, reactor: IReactorTime) -> None:
        self._transport: Any = transport
        self._is_plain = isinstance(transport, Connection)  # which may speak TLS later
        self._reactor = reactor
        self._resumed: Deferred[bool] | None = None  # fires with whether the peer takes more
        self.is_held = False
        handle = getattr(transport, "socket", None)
        if handle is not None and handle.family in (socket.AF_INET, socket.AF_INET6):
            transport.setTcpNoDelay(True)

    def send(self, data: bytes) -> None:
        """Send octets, at least one: on the bare socket what it takes, the rest by the reactor."""
        transport = self._transport
        if not self._is_bare:
            transport.write(data)
            return
        try:
            sent = transport.socket.send(data)
        except OSError:  # it takes nothing now, or is broken, which the reactor finds itself
            sent = 0
        if sent < len(data):
            transport.write(data[sent:])

    @property
    def _is_bare(self) -> bool:
        """Return whether nothing stands between us and the socket, not even octets that must go first."""
        transport = self._transport
        return self._is_plain and not (
            transport.TLS
            or transport.disconnecting
            or transport.dataBuffer
            or transport._tempDataBuffer
        )

    def end(self) -> None:
        """Close the connection once all is sent; it is lost in a later round of the reactor.

        To be told by a socket that takes octets that it could take none would cost more than closing it.
        """
        transport = self._transport
        if not self._is_bare:
            transport.loseConnection()
            return
        transport.stopReading()
        transport.disconnecting = True
        self._reactor.callLater(0, transport.connectionLost, _DONE)

    # ------------------------------------------------------------ back-pressure

    async def wait_writable(self) -> None:
        """Wait until the peer has taken most; cut off one that takes nothing.

        Raises ConversationEnded.
        """
        self._resumed = Deferred()
        stalled = self._reactor.callLater(STALL_SECONDS, self._transport.abortConnection)
        try:
            is_resumed = await self._resumed
        finally:
            if stalled.active():
                stalled.cancel()
        if not is_resumed:
            raise ConversationEnded(ConversationEnded.Reason.LOST)

    def pauseProducing(self) -> None:
        """Hold back: the transport has enough."""
        self.is_held = True

    def resumeProducing(self) -> None:
        """Go on: the transport has sent what it had."""
        self.is_held = False
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(True)

    def stopProducing(self) -> None:
        """Do nothing: ``close`` follows."""

    def close(self) -> None:
        """Wait for nothing any more: the connection is lost."""
        self.is_held = False  # nothing will resume us
        resumed, self._resumed = self._resumed, None
        if resumed is not None:
            resumed.callback(False)
