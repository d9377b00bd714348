import socket

import dns.exception
import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python import log
from twisted.python.failure import Failure

from twisted_mail.net.dns import sockets
from twisted_mail.net.dns.sockets import ReactorDatagramSocket, ReactorStreamSocket, within


class Reactor(Clock):
    def __init__(self):
        super().__init__()
        self.readers = []

    def addReader(self, reader):
        self.readers.append(reader)

    def removeReader(self, reader):
        if reader in self.readers:
            self.readers.remove(reader)


def result(coroutine):
    results = []
    Deferred.fromCoroutine(coroutine).addBoth(results.append)
    return results


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(5)
        yield made


@pytest.fixture
def datagrams(reactor, server):
    made = ReactorDatagramSocket(reactor, socket.AF_INET)
    result(made.sendto(b"question", server.getsockname(), 5))
    yield made
    result(made.close())


def test_a_socket_hears_only_whom_it_asked(reactor, server, datagrams):
    asked, us = server.recvfrom(100)
    assert asked == b"question"
    found = result(datagrams.recvfrom(65535, 5))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"forged", us)
    reactor.readers[0].doRead()
    assert not found
    server.sendto(b"answer", us)
    reactor.readers[0].doRead()
    assert found == [(b"answer", server.getsockname())]
    assert not reactor.getDelayedCalls()


def test_nothing_in_time_is_a_timeout(reactor, datagrams):
    found = result(datagrams.recvfrom(65535, 5))
    reactor.advance(5)
    assert isinstance(found[0].value, dns.exception.Timeout)


def test_a_host_without_a_server_is_an_error_at_once(reactor, server, datagrams):
    server.close()
    result(datagrams.sendto(b"question", None, 5))
    reactor.readers[0].doRead()
    assert isinstance(result(datagrams.recvfrom(65535, 5))[0].value, ConnectionRefusedError)


def test_a_socket_in_error_is_one_too(reactor, datagrams):
    reactor.readers[0].connectionLost(Failure(ConnectionLost()))
    assert isinstance(result(datagrams.recvfrom(65535, 5))[0].value, OSError)


def test_few_datagrams_wait(reactor, server, datagrams):
    _, us = server.recvfrom(100)
    for at in range(100):
        server.sendto(b"%d" % at, us)
        reactor.readers[0].doRead()
    assert len(reactor.readers[0].received) == sockets.MAX_DATAGRAMS


def test_a_socket_is_given_back(reactor, datagrams):
    reader = reactor.readers[0]
    result(datagrams.close())
    assert reader.fileno() == -1
    assert not reactor.readers


def test_questions_leave_no_lines_in_the_log(reactor, server):
    lines = []
    log.addObserver(lines.append)
    try:
        asking = ReactorDatagramSocket(reactor, socket.AF_INET)
        result(asking.sendto(b"question", server.getsockname(), 5))
        result(asking.close())
    finally:
        log.removeObserver(lines.append)
    assert not lines


def test_a_stream_gives_what_came_and_nothing_at_the_end(reactor):
    stream, transport = ReactorStreamSocket(reactor, 2), StringTransport()
    stream.protocol.makeConnection(transport)
    result(stream.sendall(b"question", 5))
    assert transport.value() == b"question"
    found = result(stream.recv(2, 5))
    stream.protocol.dataReceived(b"abc")
    assert found == [b"ab"]
    assert result(stream.recv(2, 5)) == [b"c"]
    found = result(stream.recv(2, 5))
    stream.protocol.connectionLost()
    assert found == [b""]


def test_a_stream_without_end_is_cut_off(reactor):
    stream, transport = ReactorStreamSocket(reactor, 2), StringTransport()
    stream.protocol.makeConnection(transport)
    stream.protocol.dataReceived(b"x" * (sockets.MAX_STREAM + 1))
    assert transport.disconnecting or transport.disconnected


def test_who_gives_up_is_no_timeout(reactor):
    waiting = Deferred()
    running = Deferred.fromCoroutine(within(reactor, 5, waiting))
    found = []
    running.addBoth(found.append)
    running.cancel()
    assert isinstance(found[0].value, CancelledError)
    assert not reactor.getDelayedCalls()
