"""Opening connections by numeric addresses."""

import errno
from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError
from twisted.python.failure import Failure

from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.client.host_connection import HostConnection
from twisted_mail.net.client.host_dialing import HostDialer
from twisted_mail.testing.clock import ServerTime
from twisted_mail.testing.transports import MemoryTransport


class Reactor(ServerTime):
    """Notes what is to be connected; a test says how that ends."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []
        self.factory: Any = None
        self.is_given_up = False

    def connectTCP(
        self, address: str, port: int, factory: Any, timeout: float, bindAddress: Any
    ) -> Any:
        self.asked.append((address, port, timeout, bindAddress))
        self.factory = factory
        return self

    def connectUNIX(self, path: str, factory: Any, timeout: float) -> Any:
        self.asked.append((path, timeout))
        self.factory = factory
        return self

    def disconnect(self) -> None:
        self.is_given_up = True
        reason = error.UserError()  # type: ignore[no-untyped-call]
        self.factory.clientConnectionFailed(None, Failure(reason))


def dialing(reactor: Reactor, address: str, source: str = "") -> tuple[Deferred[Any], list[Any]]:
    creator: Any = None
    work = HostDialer(reactor).dial(address, 25, source, creator, 30.0)
    running, got = Deferred.fromCoroutine(work), list[Any]()
    running.addBoth(got.append)
    return running, got


@pytest.mark.parametrize(("source", "bound"), [("", None), ("192.0.2.9", ("192.0.2.9", 0))])
def test_a_connection_is_there_when_it_is_open(source: str, bound: Any) -> None:
    reactor = Reactor()
    _, got = dialing(reactor, "192.0.2.1", source)
    assert reactor.asked == [("192.0.2.1", 25, 30.0, bound)]
    connection = reactor.factory.buildProtocol(None)
    assert got == []
    connection.makeConnection(MemoryTransport())
    assert got == [connection]
    assert isinstance(connection, HostConnection)


def test_a_path_is_that_of_a_unix_socket() -> None:
    reactor = Reactor()
    dialing(reactor, "/run/lmtp")
    assert reactor.asked == [("/run/lmtp", 30.0)]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (error.ConnectionRefusedError(errno.ECONNREFUSED), "Connection refused"),
        (ConnectError(errno.ENETUNREACH), "Network is unreachable"),
        (error.TimeoutError(), "No connection within 30 seconds"),
        (ConnectError(string="odd"), "No connection: An error occurred while connecting: odd."),
    ],
)
def test_why_there_is_none_is_told_in_words(reason: Exception, text: str) -> None:
    reactor = Reactor()
    _, got = dialing(reactor, "192.0.2.1")
    reactor.factory.clientConnectionFailed(None, Failure(reason))
    [failure] = got
    assert isinstance(failure.value, Unavailable)
    assert failure.value.outcome.enhanced == "4.4.1"
    assert failure.value.outcome.text == text


def test_who_gives_up_ends_the_attempt() -> None:
    reactor = Reactor()
    running, got = dialing(reactor, "192.0.2.1")
    running.cancel()
    assert reactor.is_given_up
    [failure] = got
    assert isinstance(failure.value, CancelledError)  # and not that the host is not reached


@pytest.mark.parametrize("is_refused", [True, False])
def test_what_is_known_before_it_is_waited_for(is_refused: bool) -> None:
    class Eager(Reactor):
        def connectTCP(self, *arguments: Any) -> Any:
            connector = super().connectTCP(*arguments)
            if is_refused:
                reason = error.ConnectionRefusedError(errno.ECONNREFUSED)
                self.factory.clientConnectionFailed(None, Failure(reason))
            else:
                self.factory.buildProtocol(None).makeConnection(MemoryTransport())
            return connector

    _, [found] = dialing(Eager(), "192.0.2.1")
    assert isinstance(found, Failure if is_refused else HostConnection)
