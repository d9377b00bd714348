"""Sending, at once where the socket takes it."""

import socket
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport

from twisted_mail.net.connection.outlet import TransportOutlet


class Socket:
    """A socket of a family that takes ``room`` octets at a time, or fails."""

    def __init__(self, room: int, family: int = socket.AF_INET) -> None:
        self.room = room
        self.family = family
        self.sent: list[bytes] = []
        self.error: OSError | None = None

    def send(self, data: bytes) -> int:
        if self.error is not None:
            raise self.error
        self.sent.append(data[: self.room])
        return min(len(data), self.room)


class BareConnection(Connection):
    """A TCP connection over such a socket, which notes whether small pieces leave at once."""

    TLS = False
    disconnecting = False

    def __init__(self, room: int, family: int = socket.AF_INET) -> None:
        self.socket = Socket(room, family)
        self.queued: list[bytes] = []
        self.at_once: list[bool] = []
        self.calls: list[str] = []
        self.dataBuffer = b""
        self._tempDataBuffer = []

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.at_once.append(enabled)

    def write(self, data: bytes) -> None:
        self.queued.append(data)

    def stopReading(self) -> None:
        self.calls.append("stop reading")

    def loseConnection(self) -> None:
        self.calls.append("lose")

    def connectionLost(self, reason: Any) -> None:
        reason.trap(ConnectionDone)
        self.calls.append("lost")

    def __del__(self) -> None: ...


def outlet_over(transport: Any) -> TransportOutlet:
    return TransportOutlet(transport, Clock())


@pytest.mark.parametrize(
    ("family", "at_once"),
    [(socket.AF_INET, [True]), (socket.AF_INET6, [True]), (socket.AF_UNIX, [])],
)
def test_small_pieces_wait_for_no_acknowledgement(family: int, at_once: list[bool]) -> None:
    transport = BareConnection(100, family)
    outlet_over(transport)
    assert transport.at_once == at_once


def test_what_the_socket_takes_leaves_at_once() -> None:
    transport = BareConnection(100)
    outlet_over(transport).send(b"data")
    assert (transport.socket.sent, transport.queued) == ([b"data"], [])


def test_what_the_socket_does_not_take_goes_through_the_reactor() -> None:
    transport = BareConnection(3)
    outlet = outlet_over(transport)
    outlet.send(b"abcdef")
    assert transport.socket.sent == [b"abc"]
    assert transport.queued == [b"def"]


def test_nothing_overtakes_what_still_waits() -> None:
    transport = BareConnection(100)
    transport._tempDataBuffer = [b"earlier"]
    outlet = outlet_over(transport)
    outlet.send(b"later")
    assert transport.socket.sent == []
    assert transport.queued == [b"later"]


@pytest.mark.parametrize("error", [BlockingIOError(), ConnectionResetError()])
def test_a_full_or_broken_socket_is_left_to_the_reactor(error: OSError) -> None:
    transport = BareConnection(100)
    transport.socket.error = error
    outlet = outlet_over(transport)
    outlet.send(b"data")
    assert transport.queued == [b"data"]


def test_other_transports_are_simply_written_to() -> None:
    transport = StringTransport()
    outlet = outlet_over(transport)
    outlet.send(b"data")
    assert transport.value() == b"data"


def test_a_connection_with_nothing_to_send_is_closed_in_the_next_round() -> None:
    transport, clock = BareConnection(100), Clock()
    TransportOutlet(transport, clock).end()
    assert transport.calls == ["stop reading"]  # whoever closes may still be at work
    clock.advance(0)
    assert transport.calls == ["stop reading", "lost"]


def test_nothing_is_sent_past_the_end() -> None:
    transport = BareConnection(100)
    outlet = outlet_over(transport)
    outlet.end()
    outlet.send(b"late")
    assert transport.socket.sent == []


def test_what_still_waits_is_sent_before_the_end() -> None:
    transport, clock = BareConnection(100), Clock()
    transport._tempDataBuffer = [b"earlier"]
    TransportOutlet(transport, clock).end()
    clock.advance(0)
    assert transport.calls == ["lose"]


def test_other_transports_are_simply_told_to_close() -> None:
    transport = StringTransport()
    outlet_over(transport).end()
    assert transport.disconnecting
