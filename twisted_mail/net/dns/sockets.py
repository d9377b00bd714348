"""The sockets of dnspython on Twisted's reactor: a new one for each question.

dnspython closes each when its question is over, whatever the result. What the other side sends is
bounded: a number of datagrams, and no more of a stream than one answer can have.
"""

import socket
from collections import deque
from contextlib import suppress
from typing import Any

import dns.exception
from dns import asyncbackend
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

MAX_DATAGRAMS = 16  # that wait to be read; more are lost, as on any network
MAX_STREAM = 65_537  # octets that wait to be read: an answer with its length


class ReactorBackend(asyncbackend.Backend):
    """Sockets and time for dnspython."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def name(self) -> str:
        """Return the name."""
        return "twisted"

    async def make_socket(
        self,
        af: int,
        socktype: int,
        proto: int = 0,
        source: Any = None,
        destination: Any = None,
        timeout: float | None = None,
        ssl_context: Any = None,
        server_hostname: str | None = None,
    ) -> Any:
        """Return a new socket, on a port that nobody can guess."""
        if socktype == socket.SOCK_DGRAM:
            return ReactorDatagramSocket(self._reactor, af)
        stream = ReactorStreamSocket(self._reactor, af)
        host, port = destination[:2]
        endpoint = HostnameEndpoint(self._reactor, host, port)
        factory = Factory.forProtocol(lambda: stream.protocol)
        factory.noisy = False  # in the log
        try:
            await within(self._reactor, timeout, endpoint.connect(factory))
        except ConnectError as error:
            raise ConnectionError(str(error)) from error  # the next server is asked at once
        return stream

    async def sleep(self, interval: float) -> None:
        """Wait."""
        waiting: Deferred[None] = Deferred()
        self._reactor.callLater(interval, waiting.callback, None)
        await waiting


async def within(reactor: Any, seconds: float | None, waiting: Deferred[Any]) -> Any:
    """Return the result if it comes in time, else raise dnspython's Timeout."""
    late = None if seconds is None else reactor.callLater(seconds, waiting.cancel)
    try:
        return await waiting
    except CancelledError:
        if late is None or late.active():
            raise
        raise dns.exception.Timeout(timeout=seconds) from None  # type: ignore[no-untyped-call]
    finally:
        if late is not None and late.active():
            late.cancel()


# ---------------------------------------------------------------- UDP


@implementer(IReadDescriptor)
class _DatagramQueue:
    """A socket that the reactor reads; keeps what comes until it is read.

    Twisted's own UDP ports write two lines into the log for each question.
    """

    def __init__(self, kernel: socket.socket) -> None:
        self._kernel = kernel
        self.received: deque[bytes | OSError] = deque()
        self.waiting: Deferred[None] | None = None

    def fileno(self) -> int:
        """Return the descriptor, -1 once it is closed."""
        return self._kernel.fileno()

    def logPrefix(self) -> str:
        """Return the name for the log."""
        return "dns"

    def doRead(self) -> None:
        """Keep a datagram; the kernel passes on only those of our server."""
        with suppress(BlockingIOError, InterruptedError):
            try:
                self._keep(self._kernel.recv(65_535))
            except ConnectionError as error:
                self._keep(error)

    def connectionLost(self, reason: Failure) -> None:
        """Note that there is no server (ICMP), which is what epoll makes of it."""
        self._keep(ConnectionRefusedError("no server answers there"))

    def _keep(self, datagram: bytes | OSError) -> None:
        if len(self.received) < MAX_DATAGRAMS:
            self.received.append(datagram)
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(None)


class ReactorDatagramSocket(asyncbackend.DatagramSocket):
    """One UDP socket for one server. The kernel chooses its port, which nobody can guess."""

    def __init__(self, reactor: Any, family: int) -> None:
        super().__init__(family, socket.SOCK_DGRAM)
        self._reactor = reactor
        self._kernel = socket.socket(family, socket.SOCK_DGRAM)
        self._kernel.setblocking(False)
        self._arrived = _DatagramQueue(self._kernel)
        self._destination: Any = None

    async def sendto(self, what: bytes, destination: Any, timeout: float | None) -> int:
        """Send a datagram; from now on only datagrams from its receiver are read."""
        if self._destination is None:
            self._kernel.connect(destination[:2])
            self._destination = destination
            self._reactor.addReader(self._arrived)
        with suppress(BlockingIOError):  # it is lost, as on any network
            self._kernel.send(what)
        return len(what)

    async def recvfrom(self, size: int, timeout: float | None) -> tuple[bytes, Any]:
        """Return the next datagram. Raises Timeout, and OSError when there is no server."""
        if not self._arrived.received:
            waiting = self._arrived.waiting = Deferred()
            await within(self._reactor, timeout, waiting)
        datagram = self._arrived.received.popleft()
        if isinstance(datagram, OSError):
            raise datagram
        return datagram, self._destination

    async def close(self) -> None:
        """Give the socket back."""
        self._arrived.waiting = None
        self._reactor.removeReader(self._arrived)
        self._kernel.close()


# ---------------------------------------------------------------- TCP


class _StreamProtocol(Protocol):
    """Keeps the octets that came until they are read."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.is_over = False
        self.waiting: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        """Keep octets; a server that sends more than one answer is cut off."""
        self.received += data
        if len(self.received) > MAX_STREAM:
            self._close()
        self._wake()

    def _close(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note that nothing more comes."""
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            waiting.callback(None)


class ReactorStreamSocket(asyncbackend.StreamSocket):
    """One TCP connection to one server."""

    def __init__(self, reactor: Any, family: int) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._reactor = reactor
        self.protocol = _StreamProtocol()

    async def sendall(self, what: bytes, timeout: float | None) -> None:
        """Send octets: one question, which needs no back-pressure."""
        transport: Any = self.protocol.transport
        transport.write(what)

    async def recv(self, size: int, timeout: float | None) -> bytes:
        """Return some octets, none at the end. Raises Timeout."""
        pipe = self.protocol
        if not pipe.received and not pipe.is_over:
            waiting = pipe.waiting = Deferred()
            await within(self._reactor, timeout, waiting)
        data = bytes(pipe.received[:size])
        del pipe.received[:size]
        return data

    async def close(self) -> None:
        """Give the connection back."""
        self.protocol.waiting = None
        transport: Any = self.protocol.transport
        if transport is not None:
            transport.abortConnection()
