import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from twisted_mail.net.server.balanced_port import REST_SECONDS, BalancedPort
from twisted_mail.net.server.connection_count import SharedCountLayout, SharedCountMemory


@dataclass
class Load:
    own: int = 0
    least: int = 0


class FakePort:
    """A port that notes what is done with it; a connection has come."""

    numberAccepts = 100

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.socket, self._client = socket.socketpair()
        self._client.send(b"x")

    def take(self) -> None:
        """Let another process accept what has come."""
        self.socket.recv(1)

    def fileno(self) -> int:
        return self.socket.fileno()

    def logPrefix(self) -> str:
        return "Listener"

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.calls.append(name)

    def close(self) -> None:
        self.socket.close()
        self._client.close()


class Fixture:
    def __init__(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.port = FakePort()
        self.load = Load()
        self.balanced = BalancedPort(self.reactor, self.port, self.load)

    @property
    def is_listening(self) -> bool:
        return self.reactor.getReaders() == [self.balanced]

    def comes(self) -> bool:
        """Let a connection come; return whether it was accepted."""
        assert self.is_listening
        before = self.port.calls.count("doRead")
        self.balanced.doRead()
        return self.port.calls.count("doRead") > before


@pytest.fixture
def one() -> Iterator[Fixture]:
    fixture = Fixture()
    yield fixture
    fixture.port.close()


def test_it_listens_in_place_of_its_port(one: Fixture) -> None:
    assert one.port.calls == ["stopReading"]
    assert one.is_listening
    assert one.balanced.fileno() == one.port.fileno()
    assert one.balanced.logPrefix() == "Listener"


@pytest.mark.parametrize(("own", "least"), [(0, 0), (2, 0), (5, 3), (5, 9), (16, 12), (100, 86)])
def test_who_has_about_as_many_accepts_at_once(one: Fixture, own: int, least: int) -> None:
    one.load = one.balanced._load = Load(own, least)
    assert one.comes()
    assert one.is_listening


@pytest.mark.parametrize(("own", "least"), [(3, 0), (6, 3), (16, 11), (100, 85)])
def test_who_is_ahead_rests_and_takes_what_is_left(one: Fixture, own: int, least: int) -> None:
    one.load = one.balanced._load = Load(own, least)
    assert not one.comes()
    assert not one.is_listening
    one.reactor.advance(REST_SECONDS)
    assert one.comes()


def test_who_is_ahead_rests_before_each_connection_that_comes_later(one: Fixture) -> None:
    one.load.own = 10
    assert not one.comes()
    one.reactor.advance(REST_SECONDS)  # another process has taken it
    one.reactor.advance(60)
    assert not one.comes()


def test_what_another_process_has_accepted_is_not_asked_for(one: Fixture) -> None:
    one.port.take()
    assert not one.comes()
    assert one.is_listening


def test_a_socket_that_another_process_has_shut_down_has_no_arrivals(one: Fixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as shut:
        one.port.socket.close()
        one.port.socket = shut
        balanced = one.balanced = BalancedPort(one.reactor, one.port, one.load)
        shut.shutdown(socket.SHUT_RDWR)
        balanced.doRead()
    assert "doRead" not in one.port.calls


def test_it_takes_few_at_a_time_and_looks_at_the_others_again(one: Fixture) -> None:
    one.comes()
    assert one.port.numberAccepts == 4


def test_it_stops_while_it_rests(one: Fixture) -> None:
    one.load.own = 10
    one.comes()
    one.balanced.stopListening()
    assert one.port.calls[-1] == "stopListening"
    one.reactor.advance(REST_SECONDS)
    assert one.reactor.getReaders() == []


def test_it_stops_while_it_listens(one: Fixture) -> None:
    one.balanced.stopListening()
    assert one.reactor.getReaders() == []


def test_a_failure_is_that_of_the_port(one: Fixture) -> None:
    one.balanced.connectionLost(Failure(ConnectionLost()))
    assert one.port.calls[-1] == "connectionLost"


def test_the_load_is_that_of_the_workers() -> None:
    memory = SharedCountMemory(SharedCountLayout(3, 2, b"key"), 0)
    others = [SharedCountMemory(memory.layout, number, memory.fd) for number in (1, 2)]
    loads = [other.listener(1) for other in others]
    loads[0].change("", 5)
    loads[1].change("", 3)
    loads[1].change("192.0.2.1", 1)
    assert [(load.own, load.least) for load in loads] == [(5, 3), (3, 3)]
    memory.forget(2)
    assert [(load.own, load.least) for load in loads] == [(5, 0), (0, 0)]
