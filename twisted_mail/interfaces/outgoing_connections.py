"""Connections that we open: to other programs, and to other hosts."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted_mail.interfaces.wire import TlsInfo


class ClientConnection(Protocol):
    """A connection that we have opened to another program. Reactor thread only.

    Reading and writing raise Unavailable once it is closed.
    """

    @property
    def is_open(self) -> bool:
        """Return whether neither side has closed it, as far as is known."""

    def write(self, data: bytes) -> None:
        """Take bytes to send, soon."""

    async def drain(self, timeout: float) -> None:
        """Wait until the other side has taken most of what was written.

        Raises Unavailable when it has closed, or takes nothing for ``timeout`` seconds.
        """

    async def read(self, timeout: float) -> bytes:
        """Return the bytes that came, at least one. It reads ahead only a little.

        Raises Unavailable when the other side has closed, or sends nothing for ``timeout`` seconds.
        """

    def close(self) -> None:
        """Send what was written and close; harmless when repeated."""


class Connector(Protocol):
    """Opens connections to other programs."""

    async def connect(self, endpoint: str, timeout: float) -> ClientConnection:
        """Connect to ``tcp:host:port`` or ``unix:/path``, an endpoint string of Twisted's clients.

        Raises Unavailable when it cannot be reached within ``timeout`` seconds.
        """


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The answer of an HTTP server: status and body."""

    status: int
    body: bytes


class HttpClient(Protocol):
    """Sends requests to HTTP servers."""

    async def post(
        self,
        url: str,
        fields: Sequence[tuple[str, str]],
        size: int,
        body: AsyncIterator[bytes],
        limit: int,
    ) -> HttpResponse:
        """Send a POST whose body has ``size`` octets; return the answer.

        Raises Unavailable when the server cannot be reached, breaks off, or answers with more than
        ``limit`` octets. The caller sets the time limit.
        """


class TlsFailed(Exception):
    """TLS could not begin, or the host has not proven what is demanded; its text says why."""


class HostWire(Protocol):
    """A connection that we have opened to a mail host, as the dialogue on it sees it.

    What came before the connection ended can still be read.
    """

    @property
    def tls_info(self) -> TlsInfo | None:
        """Return the TLS of the connection, or None while it is in clear."""

    @property
    def is_proven(self) -> bool:
        """Return whether TLS is on, and the host has proven its name."""

    @property
    def has_unread(self) -> bool:
        """Return whether bytes have arrived that no ``read`` has returned yet."""

    def write(self, data: bytes) -> None:
        """Take bytes to send. They leave together at the next ``drain`` or ``read``."""

    async def drain(self, timeout: float) -> None:
        """Send what was written, and wait until the host has taken most of it.

        Raises ConversationEnded: TIMEOUT if it has not after ``timeout`` seconds, LOST, SHUTDOWN.
        """

    def read(self, timeout: float) -> Awaitable[bytes]:
        """Send what was written, then return the bytes that came, at least one.

        Raises ConversationEnded: LOST when the host has closed, TIMEOUT after ``timeout`` seconds,
        SHUTDOWN when we stop.
        """

    async def start_tls(self, timeout: float) -> None:
        """Send what was written in clear, then speak TLS, once the handshake is done.

        The caller makes sure that nothing is unread. Raises TlsFailed; then nothing can be said any more.
        """
