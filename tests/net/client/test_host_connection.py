"""Connections to mail hosts: what comes is bounded, what was said last can be read, all of it ends."""

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

from twisted_mail.interfaces import ConversationEnded, TlsFailed
from twisted_mail.mail.trust import Proof
from twisted_mail.net.client.host_connection import CLOSE_SECONDS, HostConnection
from twisted_mail.net.connection.read_buffer import OWN_INPUT
from twisted_mail.testing.clock import ServerTime
from twisted_mail.testing.transports import MemoryTransport

Reason = ConversationEnded.Reason


class Creator:
    """Stands for TLS; ``flaw`` is what is wrong with the certificate."""

    def __init__(self) -> None:
        self.flaw = ""

    def proof(self, connection: Any) -> Proof:
        if self.flaw:
            raise TlsFailed(self.flaw)
        return Proof(True, ("mx.example",))


class PausedTransport(MemoryTransport):
    """Knows whether it was asked to read no more."""

    is_paused = False
    bufferSize = 1 << 16

    def pauseProducing(self) -> None:
        self.is_paused = True

    def resumeProducing(self) -> None:
        self.is_paused = False


class Host:
    def __init__(self) -> None:
        self.time = ServerTime()
        self.creator = Creator()
        self.connection = HostConnection(self.time, self.creator)  # type: ignore[arg-type]
        self.transport = PausedTransport()
        self.connection.makeConnection(self.transport)
        self.got: list[Any] = []

    def run(self, work: Any) -> Deferred[Any]:
        running = Deferred.fromCoroutine(self.connection.run(work))
        running.addBoth(self.got.append)
        return running

    def failed(self) -> Exception:
        [failure] = self.got
        assert isinstance(failure, Failure)
        error = failure.value
        assert isinstance(error, Exception)
        return error

    def lose(self) -> None:
        self.connection.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]


def test_what_is_written_leaves_together_when_an_answer_is_waited_for() -> None:
    host = Host()
    host.connection.write(b"one ")
    host.connection.write(b"two")
    assert host.transport.take() == b""
    host.run(host.connection.read(5))
    assert host.transport.take() == b"one two"
    host.connection.dataReceived(b"answer")
    assert host.got == [b"answer"]


def test_what_comes_before_it_is_read_is_kept_up_to_a_bound() -> None:
    host = Host()
    assert host.transport.bufferSize == OWN_INPUT
    host.connection.dataReceived(b"x" * (OWN_INPUT - 1))
    assert not host.transport.is_paused
    host.connection.dataReceived(b"x")
    assert host.transport.is_paused
    assert host.connection.has_unread
    host.run(host.connection.read(5))
    assert host.got == [b"x" * OWN_INPUT]
    assert not host.transport.is_paused


def test_a_read_has_a_limit() -> None:
    host = Host()
    host.run(host.connection.read(5))
    host.time.advance(4.9)
    assert host.got == []
    host.time.advance(0.2)
    error = host.failed()
    assert isinstance(error, ConversationEnded)
    assert error.reason is Reason.TIMEOUT


def test_what_came_before_the_end_can_still_be_read() -> None:
    host = Host()
    host.connection.dataReceived(b"421 Bye")
    host.lose()
    assert not host.connection.is_open

    async def both() -> bytes:
        data = await host.connection.read(5)
        await host.connection.read(5)
        return data

    host.run(host.connection.read(5))
    assert host.got == [b"421 Bye"]
    host.got.clear()
    host.run(both())
    assert isinstance(host.failed(), ConversationEnded)


def test_a_host_that_ends_its_half_has_ended() -> None:
    host = Host()
    host.run(host.connection.read(5))
    host.connection.readConnectionLost()
    error = host.failed()
    assert isinstance(error, ConversationEnded)
    assert error.reason is Reason.LOST


def test_a_host_that_takes_no_more_is_cut_off() -> None:
    host = Host()
    host.connection.writeConnectionLost()
    assert host.transport.is_gone


def test_drain_waits_until_the_host_takes_more_but_not_for_ever() -> None:
    host = Host()
    host.connection._outlet.pauseProducing()
    host.connection.write(b"x")
    host.run(host.connection.drain(5))
    assert host.got == []
    host.connection._outlet.resumeProducing()
    assert host.got == [None]
    host.got.clear()
    host.connection._outlet.pauseProducing()
    host.run(host.connection.drain(5))
    host.time.advance(5.1)
    host.lose()
    error = host.failed()
    assert isinstance(error, ConversationEnded)
    assert error.reason is Reason.TIMEOUT
    assert host.transport.is_gone


def test_a_lost_connection_drains_nothing() -> None:
    host = Host()
    host.lose()
    host.connection.write(b"x")
    host.run(host.connection.drain(5))
    assert isinstance(host.failed(), ConversationEnded)


def test_tls_is_on_when_the_handshake_is_done() -> None:
    host = Host()
    host.connection.write(b"STARTTLS\r\n")
    host.run(host.connection.start_tls(5))
    assert host.transport.take() == b"STARTTLS\r\n"
    assert host.connection.tls_info is None
    host.connection.handshakeCompleted()
    assert host.got == [None]
    assert host.connection.tls_info is not None
    assert host.connection.is_proven


def test_a_certificate_for_another_name_proves_nothing() -> None:
    host = Host()
    host.creator.flaw = "The certificate is not for mx.example"
    host.run(host.connection.start_tls(5))
    host.connection.handshakeCompleted()
    assert str(host.failed()) == host.creator.flaw
    assert host.connection.tls_info is None
    assert not host.connection.is_proven


def test_a_handshake_has_a_limit() -> None:
    host = Host()
    host.run(host.connection.start_tls(5))
    host.time.advance(5.1)
    assert str(host.failed()) == "The TLS handshake took longer than 5 seconds"
    assert host.transport.is_gone
    host.lose()


def test_a_handshake_that_is_broken_off_has_failed() -> None:
    host = Host()
    host.run(host.connection.start_tls(5))
    host.connection.connectionLost(Failure(ConnectionLost()))  # type: ignore[no-untyped-call]
    assert str(host.failed()) == "The TLS handshake failed: the connection was lost"


def test_tls_does_not_begin_behind_octets_in_clear() -> None:
    host = Host()
    host.connection.dataReceived(b"250 evil\r\n")
    host.run(host.connection.start_tls(5))
    assert isinstance(host.failed(), TlsFailed)
    assert not host.transport.is_tls


def test_closing_sends_what_was_written_and_does_not_wait_for_ever() -> None:
    host = Host()
    host.connection.write(b"QUIT\r\n")
    host.connection.close()
    host.connection.close()
    assert host.transport.take() == b"QUIT\r\n"
    host.transport.is_gone = False
    host.time.advance(CLOSE_SECONDS + 0.1)
    assert host.transport.is_gone


@pytest.mark.parametrize("way", ["cancel", "shut_down"])
def test_who_stops_ends_what_is_under_way(way: str) -> None:
    host = Host()
    seen: list[Reason] = []

    async def reading() -> None:
        try:
            await host.connection.read(5)
        except ConversationEnded as ended:
            seen.append(ended.reason)
            raise

    running = host.run(reading())
    if way == "cancel":
        running.cancel()
    else:
        host.connection.shut_down()
    assert seen == [Reason.SHUTDOWN]
    assert host.transport.is_gone
    assert len(host.got) == 1


def test_what_is_cancelled_while_it_waits_for_others_may_still_end() -> None:
    host = Host()
    other: Deferred[None] = Deferred()

    async def waiting() -> None:
        await other

    host.run(waiting()).cancel()
    assert isinstance(host.failed(), CancelledError)
    failures: list[object] = []
    other.callback(None)
    other.addErrback(failures.append)
    assert failures == []
    assert host.transport.is_gone
