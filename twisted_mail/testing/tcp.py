"""Real TCP on the loopback interface, for clients that block: a reactor of its own in a thread.

It is not ``twisted.internet.reactor``, which a project may run, install or never want to load, and which
cannot be started twice. So a server can be made and closed at any time, in any thread, after a fork too.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from twisted.internet import tcp
from twisted.internet._newtls import _BypassTLS
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory, ISSLTransport
from twisted.internet.pollreactor import PollReactor
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import directlyProvides

T = TypeVar("T")

HOST = "127.0.0.1"
START_SECONDS = 10.0
STOP_SECONDS = 10.0


class _Reactor(PollReactor):
    _registerAsIOThread = False  # the thread of the project's own reactor, if it has one, stays it


class _TcpConnection(tcp.Server):
    """A connection whose TLS has the time of its own reactor."""

    def startTLS(self: Any, certificates: Any, normal: bool = True) -> None:
        """Speak TLS from the next octet on, as ``twisted.internet._newtls.startTLS`` does."""
        producer, is_streaming = self.producer, self.streamingProducer
        if producer is not None:
            self.unregisterProducer()
        wrapped: Any = None  # TLS is laid under a protocol that is there already
        factory = TLSMemoryBIOFactory(certificates, False, wrapped, clock=self.reactor)
        self.protocol = factory.protocol(factory, self.protocol, False)
        self.getHandle = self.protocol.getHandle
        self.getPeerCertificate = self.protocol.getPeerCertificate
        directlyProvides(self, ISSLTransport)
        self.TLS = True
        self.protocol.makeConnection(_BypassTLS(FileDescriptor, self))  # type: ignore[no-untyped-call]
        if producer is not None:
            self.registerProducer(producer, is_streaming)


class _Port(tcp.Port):
    transport = _TcpConnection


class LoopThread:
    """A reactor that runs in a thread from the start until ``stop``."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self.reactor: Any = _Reactor()  # type: ignore[no-untyped-call]
        self._ports: list[tcp.Port] = []
        self._thread = threading.Thread(target=self._work, name="twisted_mail.testing", daemon=True)
        is_running = threading.Event()
        self.reactor.callWhenRunning(is_running.set)
        self._thread.start()
        if not is_running.wait(START_SECONDS):
            raise RuntimeError("the thread of the mail server did not start")

    def _work(self) -> None:
        self.reactor.run(installSignalHandlers=False)
        for reader in list(self.reactor._internalReaders):
            self.reactor.removeReader(reader)
            reader.connectionLost(None)

    def run(self, work: Callable[[], T]) -> T:
        """Do something in the thread; return or raise what it does."""
        if threading.current_thread() is self._thread:
            return work()
        done: Future[T] = Future()
        self.reactor.callFromThread(_settle, done, work)
        return done.result()

    def listen(self, factory: IProtocolFactory) -> int:
        """Accept connections on a free port of the loopback interface; return its number."""

        def begin() -> int:
            port = _Port(0, factory, 50, HOST, self.reactor)
            port.startListening()
            self._ports.append(port)
            return int(port.getHost().port)  # type: ignore[no-untyped-call]

        return self.run(begin)

    def stop(self) -> None:
        """Close everything and end the thread. Does nothing in a forked process."""
        if os.getpid() != self._process or not self._thread.is_alive():
            return
        self.run(self._close)
        self.reactor.callFromThread(self.reactor.stop)
        self._thread.join(STOP_SECONDS)

    def _close(self) -> None:
        for selectable in self.reactor.removeAll():
            selectable.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]


def _settle(done: "Future[T]", work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:
        done.set_exception(error)
    else:
        done.set_result(result)
