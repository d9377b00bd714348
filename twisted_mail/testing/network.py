"""The connections of one server in memory, and the thread that it has once one of them is real."""

import ssl
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, TypeVar

from twisted.internet.protocol import Factory

from twisted_mail.control.setup.certificates import AUTHORITY, make
from twisted_mail.net.connection.conversation import Conversation
from twisted_mail.net.connection.tls import Certificates
from twisted_mail.testing.clock import ServerTime
from twisted_mail.testing.connection import MemoryConnection, MemoryEndpoint
from twisted_mail.testing.tcp import HOST, LoopThread
from twisted_mail.testing.transports import Link

T = TypeVar("T")
Security = Literal["none", "starttls", "implicit"]
Service = tuple[str, Security]

ROUNDS = 5  # of what is due at once: one thing may bring another


class Network:
    """Connections in memory and over TCP. All that touches the server goes through ``run``."""

    def __init__(self, time: ServerTime, hostname: str) -> None:
        self._time = time
        self._hostname = hostname
        self._thread: LoopThread | None = None
        self._addresses: dict[Service, tuple[str, int]] = {}
        self._connections: list[MemoryConnection] = []
        self._links: list[Link] = []
        self._tls: _TlsFiles | None = None

    def run(self, work: Callable[[], T]) -> T:
        """Do something where the server lives: here, or in its thread."""
        return work() if self._thread is None else self._thread.run(work)

    def settle(self) -> None:
        """Let happen what is due by now, and carry what is written, until nothing more is."""
        is_moving = True
        while is_moving:
            for _ in range(ROUNDS):
                self._time.advance(0)
            moved = [link.carry() for link in self._links]
            is_moving = any(moved)

    def advance(self, seconds: float) -> None:
        """Move time on, and carry what is written then."""
        self.run(lambda: self._time.advance(seconds))
        self.run(self.settle)

    # ------------------------------------------------------------ memory

    def connect(self, make_conversation: Callable[[], Conversation]) -> MemoryConnection:
        """Connect by hand."""
        connection = MemoryConnection(make_conversation(), self.settle, self.run)
        self._connections.append(connection)
        return connection

    def endpoint(self, make_conversation: Callable[[], Conversation]) -> MemoryEndpoint:
        """Return where clients of Twisted connect. Raises RuntimeError when there is a thread."""
        if self._thread is not None:
            raise RuntimeError(
                "this server has ports, and so a thread of its own: connect to them by TCP,"
                " or make another server for clients in memory"
            )
        return MemoryEndpoint(make_conversation, self._links.append)

    # ------------------------------------------------------------ TCP

    def listen(
        self, service: Service, make_conversation: Callable[[Certificates | None], Conversation]
    ) -> tuple[str, int]:
        """Return where a service listens, on a port that is opened at the first call.

        Raises RuntimeError when there are clients of Twisted in memory.
        """
        if service not in self._addresses:
            if self._links:
                raise RuntimeError("this server has clients of Twisted in memory: make another one")
            certificates = None if service[1] == "none" else self._files().certificates
            factory = _ConversationFactory(lambda: make_conversation(certificates))
            self._addresses[service] = HOST, self._running().listen(factory)
        return self._addresses[service]

    def _running(self) -> LoopThread:
        if self._thread is None:
            thread = LoopThread()
            thread.run(lambda: self._time.follow(thread.reactor))
            self._thread = thread
        return self._thread

    def _files(self) -> "_TlsFiles":
        if self._tls is None:
            self._tls = _TlsFiles(self._hostname)
        return self._tls

    def client_context(self) -> ssl.SSLContext:
        """Return what a client needs to trust our certificate."""
        return self._files().client_context()

    def close(self) -> None:
        """Close everything; what is connected or opened later is as if it were the first."""
        for connection in self._connections:
            connection.close()
        for link in self._links:
            link.close()
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
            self._time.stand_still()
        self._addresses.clear()
        self._connections.clear()
        self._links.clear()
        if self._tls is not None:
            self._tls.close()
            self._tls = None


class _ConversationFactory(Factory):
    noisy = False

    def __init__(self, make_conversation: Callable[[], Conversation]) -> None:
        self._make_conversation = make_conversation

    def buildProtocol(self, addr: object) -> Conversation:  # type: ignore[override]
        return self._make_conversation()


class _TlsFiles:
    """A certificate for this machine, in a folder of its own."""

    def __init__(self, hostname: str) -> None:
        self._folder = TemporaryDirectory(prefix="twisted_mail.")
        make(Path(self._folder.name), hostname)
        self.certificates = Certificates(Path(self._folder.name), hostname)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of pyOpenSSL, about Twisted
            self.certificates.scan(lambda path, text: None)

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(Path(self._folder.name) / AUTHORITY))

    def close(self) -> None:
        self._folder.cleanup()
