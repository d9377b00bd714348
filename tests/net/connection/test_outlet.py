"""Sending, at once where the socket takes it."""

import socket
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport

from twisted_mail.net.connection.outlet import TransportOutlet


class BareConnection(Connection):
    """A TCP connection whose socket takes ``wait_writable`` octets at a time."""

    TLS = False
    disconnecting = False

    def __init__(self, room: int) -> None:
        self.wait_writable = room
        self.sent: list[bytes] = []
        self.queued: list[bytes] = []
        self.dataBuffer = b""
        self._tempDataBuffer = []
        self.result: Any = None

    def writeSomeData(self, data: bytes) -> Any:
        if self.result is not None:
            return self.result
        self.sent.append(data[: self.wait_writable])
        return min(len(data), self.wait_writable)

    def write(self, data: bytes) -> None:
        self.queued.append(data)

    def __del__(self) -> None: ...


def outlet_over(transport: Any) -> TransportOutlet:
    return TransportOutlet(transport, Clock())


class Handle:
    """A socket of a family, which notes whether small pieces leave at once."""

    def __init__(self, family: int) -> None:
        self.family = family


@pytest.mark.parametrize(
    ("family", "at_once"),
    [(socket.AF_INET, [True]), (socket.AF_INET6, [True]), (socket.AF_UNIX, [])],
)
def test_small_pieces_wait_for_no_acknowledgement(family: int, at_once: list[bool]) -> None:
    transport = BareConnection(100)
    found: list[bool] = []
    transport.socket = Handle(family)
    transport.setTcpNoDelay = found.append  # type: ignore[method-assign]
    outlet_over(transport)
    assert found == at_once


def test_what_the_socket_takes_leaves_at_once() -> None:
    transport = BareConnection(100)
    outlet_over(transport).send(b"data")
    assert (transport.sent, transport.queued) == ([b"data"], [])


def test_what_the_socket_does_not_take_goes_through_the_reactor() -> None:
    transport = BareConnection(3)
    outlet = outlet_over(transport)
    outlet.send(b"abcdef")
    assert transport.sent == [b"abc"]
    assert transport.queued == [b"def"]


def test_what_is_large_leaves_at_once_as_long_as_the_socket_takes_it() -> None:
    transport = BareConnection(4)
    transport.SEND_LIMIT = 4
    outlet = outlet_over(transport)
    outlet.send(b"abcdefghij")
    assert (transport.sent, transport.queued) == ([b"abcd", b"efgh", b"ij"], [])
    transport.wait_writable = 3
    outlet.send(b"abcdefghij")
    assert (transport.sent[3:], transport.queued) == ([b"abc"], [b"defghij"])


def test_nothing_overtakes_what_still_waits() -> None:
    transport = BareConnection(100)
    transport._tempDataBuffer = [b"earlier"]
    outlet = outlet_over(transport)
    outlet.send(b"later")
    assert transport.sent == []
    assert transport.queued == [b"later"]


def test_a_broken_socket_is_left_to_the_reactor() -> None:
    transport = BareConnection(100)
    transport.result = ConnectionResetError()
    outlet = outlet_over(transport)
    outlet.send(b"data")
    assert transport.queued == [b"data"]


def test_other_transports_are_simply_written_to() -> None:
    transport = StringTransport()
    outlet = outlet_over(transport)
    outlet.send(b"data")
    assert transport.value() == b"data"
