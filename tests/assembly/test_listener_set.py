"""Listeners take the place of others: what is opened, closed, kept, and put back."""

from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError

from twisted_mail.assembly import listener_set
from twisted_mail.assembly.listener_set import ListenerSet
from twisted_mail.config import ListenerConfig
from twisted_mail.net.server.listener import CannotListen, Listener
from twisted_mail.net.server.listening import StoppableFactory


class Ports:
    """The ports of a machine: those that are open, and those that somebody else has."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.taken: set[str] = set()
        self.events: list[str] = []
        self.closed_to_us: set[int] = set()

    def lacks_right(self, port: int) -> bool:
        return port in self.closed_to_us

    def make(self, text: str) -> "Endpoint":
        if text.startswith("systemd"):
            raise ValueError("systemd passed no sockets")
        return Endpoint(self, text)


class Endpoint:
    def __init__(self, ports: Ports, text: str) -> None:
        self.ports, self.text = ports, text

    def listen(self, factory: Any) -> Deferred[Any]:
        number = self.text.split(":")[1]
        if self.text in self.ports.taken or number in (
            one.split(":")[1] for one in self.ports.open
        ):
            return fail(CannotListenError("", number, OSError(98, "Address already in use")))
        self.ports.open.append(self.text)
        self.ports.events.append(f"open {self.text}")
        return succeed(Port(self))


class Port:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def getHost(self) -> str:
        return self.endpoint.text

    def stopListening(self) -> None:
        self.endpoint.ports.open.remove(self.endpoint.text)
        self.endpoint.ports.events.append(f"close {self.endpoint.text}")


class Conversations(StoppableFactory):
    def __init__(self, one: ListenerConfig, number: int) -> None:
        self.one, self.number, self.is_over = one, number, False

    is_idle = False

    def shut_down(self) -> Deferred[None]:
        self.is_over = True
        return succeed(None)


SMTP, IMAP = ListenerConfig("smtp", "tcp:25"), ListenerConfig("imap", "tcp:143")
POP3 = ListenerConfig("pop3", "tcp:110")


class Machine:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, *configured: ListenerConfig) -> None:
        self.ports = Ports()
        monkeypatch.setattr(listener_set, "ServerEndpoints", lambda reactor: self.ports)
        self.listeners = ListenerSet(None, configured, Conversations, range(5))
        finish(self.listeners.listen())

    def change(self, *configured: ListenerConfig) -> None:
        finish(self.listeners.change(configured, Conversations, self._release))

    async def _release(self, listeners: Sequence[Listener]) -> None:
        self.ports.events += [f"release {one.number}" for one in listeners]

    def numbers(self) -> list[int]:
        return [one.number for one in self.listeners.all]


def finish(coroutine: Any) -> Any:
    results: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(results.append)
    [result] = results
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(monkeypatch, SMTP, IMAP)
    made.ports.events.clear()
    return made


def test_a_listener_whose_endpoint_stays_keeps_its_port_and_number(machine: Machine) -> None:
    machine.change(ListenerConfig("lmtp", IMAP.endpoint), POP3, SMTP)
    assert machine.ports.events == ["open tcp:110"]
    assert machine.numbers() == [1, 2, 0]
    assert [one.description.split()[0] for one in machine.listeners.all] == ["lmtp", "pop3", "smtp"]
    factory: Any = machine.listeners.all[0].factory
    assert (factory.one.service, factory.number) == ("lmtp", 1)
    assert machine.listeners.configured == {1: ListenerConfig("lmtp", "tcp:143"), 2: POP3, 0: SMTP}


def test_a_listener_that_is_removed_is_released_and_closed_and_ended_at_the_stop(
    machine: Machine,
) -> None:
    factory: Any = machine.listeners.all[0].factory
    machine.change(IMAP)
    assert machine.ports.events == ["release 0", "close tcp:25"]
    assert not factory.is_over
    machine.listeners.stop()
    assert factory.is_over
    assert machine.ports.open == []


def test_where_one_port_is_taken_nothing_changes(machine: Machine) -> None:
    machine.ports.taken |= {"tcp:110", "tcp:111"}
    with pytest.raises(CannotListen) as caught:
        machine.change(
            IMAP, ListenerConfig("smtp", "tcp:26"), POP3, ListenerConfig("pop3", "tcp:111")
        )
    assert str(caught.value) == (
        "cannot listen: pop3 on tcp:110: Address already in use\n"
        "cannot listen: pop3 on tcp:111: Address already in use"
    )
    assert sorted(machine.ports.open) == ["tcp:143", "tcp:25"]
    assert machine.ports.events == ["open tcp:26", "close tcp:26"]
    assert machine.numbers() == [0, 1]


def test_a_port_moves_to_another_interface(machine: Machine) -> None:
    machine.change(ListenerConfig("smtp", "tcp:25:interface=192.0.2.1"), IMAP)
    assert machine.ports.events == [
        "release 0",
        "close tcp:25",
        "open tcp:25:interface=192.0.2.1",
    ]


def test_a_port_that_cannot_move_is_opened_again_where_it_was(machine: Machine) -> None:
    elsewhere = ListenerConfig("smtp", "tcp:25:interface=192.0.2.1")
    machine.ports.taken.add(elsewhere.endpoint)
    with pytest.raises(CannotListen, match="Address already in use"):
        machine.change(elsewhere, IMAP)
    assert sorted(machine.ports.open) == ["tcp:143", "tcp:25"]
    assert machine.numbers() == [0, 1]


def test_a_port_that_could_not_be_opened_again_is_not_closed(machine: Machine) -> None:
    machine.ports.closed_to_us |= {25, 143}
    with pytest.raises(CannotListen, match=r"listener\[1\]: .* restart the server"):
        machine.change(ListenerConfig("smtp", "tcp:25:interface=192.0.2.1"), IMAP)
    assert machine.ports.events == []
    assert sorted(machine.ports.open) == ["tcp:143", "tcp:25"]
    machine.change(IMAP, SMTP)
    assert machine.ports.events == []


def test_every_endpoint_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ListenerConfig("smtp", "systemd:domain=INET:name=smtp")
    with pytest.raises(CannotListen) as caught:
        Machine(monkeypatch, missing, IMAP, missing)
    assert str(caught.value) == (
        "listener[1]: systemd passed no sockets\nlistener[3]: systemd passed no sockets"
    )


def test_when_the_numbers_are_used_up_a_restart_is_asked_for(machine: Machine) -> None:
    machine.change(SMTP, IMAP, POP3)
    machine.change(SMTP, IMAP, ListenerConfig("pop3", "tcp:111"))
    machine.change(SMTP, IMAP, ListenerConfig("pop3", "tcp:112"))
    with pytest.raises(CannotListen, match="restart the server"):
        machine.change(SMTP, IMAP, POP3)
    assert machine.numbers() == [0, 1, 4]


def test_a_reload_that_failed_uses_up_no_number(machine: Machine) -> None:
    machine.ports.taken.add(POP3.endpoint)
    for _ in range(5):
        with pytest.raises(CannotListen, match="already in use"):
            machine.change(SMTP, IMAP, POP3)
    machine.ports.taken.clear()
    machine.change(SMTP, IMAP, POP3)
    assert machine.numbers() == [0, 1, 2]
