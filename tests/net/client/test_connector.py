import pytest
from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python import log
from twisted.python.failure import Failure

from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.client.connector import (
    MAX_UNREAD,
    STALL_SECONDS,
    ReactorConnection,
    ReactorConnector,
)


class Transport(StringTransport):
    is_aborted = False

    def abortConnection(self):
        self.is_aborted = True


class Open:
    def __init__(self):
        self.clock, self.transport = Clock(), Transport()
        self.line = ReactorConnection(self.clock)
        self.line.makeConnection(self.transport)

    def do(self, coroutine):
        results = []
        Deferred.fromCoroutine(coroutine).addBoth(results.append)
        return results


def dialed(endpoint="tcp:192.0.2.1:8891"):
    reactor = MemoryReactorClock()
    results = []
    Deferred.fromCoroutine(ReactorConnector(reactor).connect(endpoint, 5)).addBoth(results.append)
    return reactor, results


def test_a_line_is_opened():
    reactor, results = dialed()
    host, port, factory, *_ = reactor.tcpClients[0]
    assert (host, port) == ("192.0.2.1", 8891)
    factory.buildProtocol(None).makeConnection(StringTransport())
    assert results[0].is_open
    reactor, results = dialed("unix:/run/filter.sock")
    assert reactor.unixClients[0][0] == "/run/filter.sock"


def test_connections_to_programs_leave_no_lines_in_the_log():
    lines = []
    log.addObserver(lines.append)
    try:
        factory = dialed()[0].tcpClients[0][2]
        factory.doStart()
        factory.doStop()
    finally:
        log.removeObserver(lines.append)
    assert not lines


def test_who_cannot_be_reached_is_unavailable():
    reactor, results = dialed("unix:/run/filter.sock")
    connector, factory = reactor.connectors[0], reactor.unixClients[0][1]
    factory.clientConnectionFailed(connector, Failure(error.ConnectionRefusedError()))
    assert results[0].check(Unavailable)
    assert not reactor.getDelayedCalls()


def test_nobody_is_waited_for_longer_than_said():
    reactor, results = dialed("unix:/run/filter.sock")
    reactor.advance(5)
    assert results[0].check(Unavailable)


def test_what_comes_is_read_even_after_the_end():
    here = Open()
    results = here.do(here.line.read(5))
    assert not results
    here.line.dataReceived(b"one")
    here.line.dataReceived(b"two")
    assert results == [b"one"]
    here.line.connectionLost()
    assert here.do(here.line.read(5)) == [b"two"]
    assert here.do(here.line.read(5))[0].check(Unavailable)
    assert not here.clock.getDelayedCalls()


def test_silence_has_an_end():
    here = Open()
    results = here.do(here.line.read(5))
    here.clock.advance(5)
    assert results[0].check(Unavailable)
    here.line.dataReceived(b"late")
    assert here.do(here.line.read(5)) == [b"late"]


def test_a_reader_hears_that_the_line_is_lost():
    here = Open()
    results = here.do(here.line.read(5))
    here.line.connectionLost()
    assert results[0].check(Unavailable)


def test_who_says_too_much_has_to_wait():
    here = Open()
    here.line.dataReceived(b"x" * (MAX_UNREAD + 1))
    assert here.transport.producerState == "paused"
    assert len(here.do(here.line.read(5))[0]) == MAX_UNREAD + 1
    assert here.transport.producerState == "producing"


def test_a_writer_waits_until_what_it_wrote_is_taken():
    here = Open()
    here.line.write(b"hello")
    assert here.do(here.line.drain(5)) == [None]
    here.line.pauseProducing()
    results = here.do(here.line.drain(5))
    assert not results
    here.line.resumeProducing()
    assert results == [None]
    assert here.transport.value() == b"hello"


def test_a_writer_does_not_wait_for_ever():
    here = Open()
    here.line.pauseProducing()
    results = here.do(here.line.drain(5))
    here.clock.advance(5)
    assert results[0].check(Unavailable)
    results = here.do(here.line.drain(5))
    here.line.connectionLost()
    assert results[0].check(Unavailable)
    with pytest.raises(Unavailable):
        here.line.write(b"x")


def test_a_closed_line_is_gone_at_last():
    here = Open()
    here.line.close()
    here.line.close()
    here.line.dataReceived(b"more")
    assert not here.line.is_open
    assert here.transport.disconnecting
    here.clock.advance(STALL_SECONDS)
    assert here.transport.is_aborted
    here = Open()
    here.line.close()
    here.line.connectionLost()
    assert not here.clock.getDelayedCalls()
