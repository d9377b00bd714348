import dns.exception
import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from twisted_mail.net import sockets
from twisted_mail.net.sockets import Datagrams, Stream, within


class Port:
    def __init__(self):
        self.sent, self.connected, self.is_closed = [], None, False

    def write(self, data):
        self.sent.append(data)

    def connect(self, host, port):
        self.connected = host, port

    def stopListening(self):
        self.is_closed = True


class Reactor(Clock):
    def listenUDP(self, port, protocol, interface, maxPacketSize):
        self.bound, self.port, self.protocol = (port, interface), Port(), protocol
        protocol.transport = self.port
        return self.port


def result(coroutine):
    results = []
    Deferred.fromCoroutine(coroutine).addBoth(results.append)
    return results


@pytest.fixture
def reactor():
    return Reactor()


@pytest.fixture
def datagrams(reactor):
    made = Datagrams(reactor, 2)
    result(made.sendto(b"question", ("192.0.2.53", 53), 5))
    return made


def test_a_socket_hears_only_whom_it_asked(reactor, datagrams):
    assert reactor.bound == (0, "")
    assert reactor.port.connected == ("192.0.2.53", 53)
    assert reactor.port.sent == [b"question"]
    found = result(datagrams.recvfrom(65535, 5))
    reactor.protocol.datagramReceived(b"answer", ("192.0.2.53", 53))
    assert found == [(b"answer", ("192.0.2.53", 53))]
    assert not reactor.getDelayedCalls()


def test_nothing_in_time_is_a_timeout(reactor, datagrams):
    found = result(datagrams.recvfrom(65535, 5))
    reactor.advance(5)
    assert isinstance(found[0].value, dns.exception.Timeout)


def test_a_host_without_a_server_is_an_error_at_once(reactor, datagrams):
    reactor.protocol.connectionRefused()
    assert isinstance(result(datagrams.recvfrom(65535, 5))[0].value, OSError)


def test_few_datagrams_wait(reactor, datagrams):
    for at in range(1000):
        reactor.protocol.datagramReceived(b"%d" % at, None)
    assert len(reactor.protocol.here) == sockets.MAX_DATAGRAMS


def test_a_socket_is_given_back(reactor, datagrams):
    result(datagrams.close())
    assert reactor.port.is_closed


def test_a_stream_gives_what_came_and_nothing_at_the_end(reactor):
    stream, transport = Stream(reactor, 2), StringTransport()
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
    stream, transport = Stream(reactor, 2), StringTransport()
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
