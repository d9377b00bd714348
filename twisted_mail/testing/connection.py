"""Clients of a server in memory: lines by hand, or a protocol of Twisted."""

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from twisted_mail.net.connection.conversation import Conversation
from twisted_mail.testing.transports import CLIENT, Link, MemoryTransport

T = TypeVar("T")
Run = Callable[[Callable[[], T]], T]


class MemoryConnection:
    """A client's end of a connection in memory. Nothing here waits.

    ``settle`` lets the server do what is due by now; ``run`` does something where the server lives.
    """

    def __init__(
        self,
        conversation: Conversation,
        settle: Callable[[], None],
        run: Run[Any],
        transport: MemoryTransport | None = None,
    ) -> None:
        self.transport = transport or MemoryTransport()
        self._conversation = conversation
        self._settle = settle
        self._run = run
        self._received = b""
        self._is_lost = False
        run(self._begin)

    def _begin(self) -> None:
        self._conversation.makeConnection(self.transport)
        self._settle()

    @property
    def is_closed(self) -> bool:
        """Return whether one of the two has closed."""
        return self.transport.is_gone

    @property
    def received(self) -> bytes:
        """Return what the server has sent and nobody has read yet."""
        self._run(self._take)
        return self._received

    def _take(self) -> None:
        self._settle()
        self._received += self.transport.take()

    def write(self, data: bytes) -> None:
        """Send octets as they are; what comes after the connection was closed is lost."""
        self._run(lambda: self._write(data))

    def _write(self, data: bytes) -> None:
        if not self.is_closed:
            self._conversation.dataReceived(data)
            self._settle()

    def send(self, *lines: str) -> None:
        """Send lines, together."""
        self.write(b"".join(line.encode() + b"\r\n" for line in lines))

    def line(self) -> str:
        """Return the next line of the server. Raises EOFError when there is none, as things are."""
        line, end, rest = self.received.partition(b"\r\n")
        if not end:
            raise EOFError(f"the server has sent no whole line, but {line!r}")
        self._received = rest
        return line.decode("utf-8", "surrogateescape")

    def lines(self) -> list[str]:
        """Return all whole lines that the server has sent and nobody has read yet."""
        found = []
        while b"\r\n" in self.received:
            found.append(self.line())
        return found

    def command(self, *lines: str) -> list[str]:
        """Send lines, and return all that the server answers."""
        self.send(*lines)
        return self.lines()

    def close(self) -> None:
        """Close the connection."""
        self._run(self._close)

    def _close(self) -> None:
        if not self._is_lost:
            self._is_lost = self.transport.is_gone = True
            self._conversation.connectionLost()


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """Connects clients of Twisted to a server in memory, where octets move in its ``settle``."""

    def __init__(
        self,
        make_conversation: Callable[[], Conversation],
        add: Callable[[Link], None],
    ) -> None:
        self._make_conversation = make_conversation
        self._add = add

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect a client."""
        protocol = factory.buildProtocol(CLIENT)
        if protocol is None:
            return fail(ConnectError(string="the factory wants no connection"))  # type: ignore[no-untyped-call]
        self._add(Link(protocol, self._make_conversation()))
        return succeed(protocol)
