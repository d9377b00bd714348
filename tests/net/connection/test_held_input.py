"""What clients without a login make the server hold of their input comes out of one budget."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from twisted_mail.interfaces import ConversationEnded, Wire
from twisted_mail.net.connection.conversation import Conversation
from twisted_mail.net.connection.held_input import ALL_INPUT, input_budget
from twisted_mail.net.connection.read_buffer import OWN_INPUT, SMALL_READ
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.store.disk.memory_budget import Budget
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.server import MailServer

KIB = 1024
Script = Callable[[Wire], Coroutine[Any, Any, None]]


class Scripted:
    def __init__(self, wire: Wire, script: Script) -> None:
        self.wire, self.script = wire, script

    async def run(self) -> None:
        try:
            await self.script(self.wire)
        except ConversationEnded as ending:
            self.wire.write(ending.reason.value.encode())


class Client:
    """A client of a session that does what a script says."""

    def __init__(self, budget: Budget, script: Script) -> None:
        reactor: Any = Clock()
        self.transport: Any = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.1", 1000))
        self.transport.bufferSize = SMALL_READ
        self.conversation = Conversation(
            reactor,
            lambda wire: Scripted(wire, script),
            ListenerSecurity(),
            ListJournal(),
            input_budget=budget,
        )
        self.conversation.makeConnection(self.transport)

    def sends(self, octets: int) -> None:
        self.conversation.dataReceived(b"x" * octets)

    def leaves(self) -> None:
        self.conversation.connectionLost()

    @property
    def is_paused(self) -> bool:
        return bool(self.transport.producerState == "paused")


async def keep_all(wire: Wire) -> None:
    """Keep what comes, as a framer does that waits for the end of a literal."""
    kept = 0
    while True:
        if kept:
            wire.hold(kept)
        kept += len(await wire.read(60))


async def use_all(wire: Wire) -> None:
    while await wire.read(60):
        pass


def test_what_the_silent_hold_beyond_their_own_is_taken_of_the_budget() -> None:
    budget = Budget(40 * KIB, 40 * KIB)
    first, second = Client(budget, keep_all), Client(budget, keep_all)
    first.sends(OWN_INPUT)
    assert budget.left == 40 * KIB
    first.sends(28 * KIB)
    assert budget.left == 12 * KIB
    second.sends(OWN_INPUT + 12 * KIB)
    assert budget.left == 0
    second.sends(1)
    assert second.transport.value() == b"overload"
    assert second.transport.disconnecting
    assert first.transport.value() == b""
    second.leaves()
    assert budget.left == 12 * KIB
    first.leaves()
    assert budget.left == 40 * KIB


def test_what_is_each_connections_own_is_there_when_nothing_else_is() -> None:
    client = Client(Budget(0, 0), keep_all)
    client.sends(OWN_INPUT)
    assert client.transport.value() == b""
    client.sends(1)
    assert client.transport.value() == b"overload"


def test_what_was_used_is_given_back() -> None:
    budget = Budget(100 * KIB, 100 * KIB)
    client = Client(budget, use_all)
    for _ in range(10):
        client.sends(60 * KIB)
    assert budget.left == 100 * KIB


def test_what_comes_while_a_command_waits_is_counted_and_then_not_read_any_more() -> None:
    waits: Deferred[None] = Deferred()

    async def wait(wire: Wire) -> None:
        await wire.read(60)
        await waits
        await wire.read(60)
        await use_all(wire)

    budget = Budget(30 * KIB, 30 * KIB)
    client = Client(budget, wait)
    client.sends(40 * KIB)
    assert (budget.left, client.is_paused) == (6 * KIB, False)
    client.sends(OWN_INPUT)
    assert client.is_paused
    assert client.transport.bufferSize == OWN_INPUT
    waits.callback(None)
    assert not client.is_paused
    assert (budget.left, client.transport.bufferSize) == (30 * KIB, SMALL_READ)


def test_who_has_logged_in_is_not_counted() -> None:
    async def log_in(wire: Wire) -> None:
        await wire.read(60)
        assert wire.belongs_to("alice@example.org")
        await keep_all(wire)

    budget = Budget(30 * KIB, 30 * KIB)
    client = Client(budget, log_in)
    client.sends(40 * KIB)
    assert budget.left == 30 * KIB
    client.sends(SMALL_READ)
    client.sends(SMALL_READ)
    assert (budget.left, client.transport.value()) == (30 * KIB, b"")


def test_an_account_with_too_many_connections_stays_a_stranger() -> None:
    answers: list[bool] = []

    async def log_in(wire: Wire) -> None:
        await wire.read(60)
        answers.append(wire.belongs_to("alice@example.org"))
        await keep_all(wire)

    client = Client(Budget(0, 0), log_in)
    client.conversation.count_for = lambda account: False
    client.sends(1)
    client.sends(OWN_INPUT + 1)
    assert (answers, client.transport.value()) == ([False], b"overload")


@pytest.mark.parametrize("script", [keep_all, use_all])
@given(pieces=st.lists(st.integers(1, 70 * KIB), max_size=12), left=st.integers(0, 200 * KIB))
def test_nothing_of_the_budget_is_lost(script: Script, pieces: list[int], left: int) -> None:
    budget = Budget(left, left)
    client = Client(budget, script)
    for octets in pieces:
        if not client.transport.disconnecting:
            client.sends(octets)
        assert 0 <= budget.left <= left
    client.leaves()
    assert budget.left == left


def test_the_budget_of_a_process_has_room_for_honest_clients() -> None:
    assert input_budget().left == ALL_INPUT


def test_strangers_in_the_middle_of_commands_share_one_budget() -> None:
    budget = Budget(60 * KIB, 60 * KIB)
    with MailServer() as server:
        lines = {"imap": b"a ID (" + b"x" * 39 * KIB, "pop3": b"AUTH " + b"x" * 12000}
        lines["submission"] = lines["pop3"]
        clients = []
        for service in ("pop3", "submission", "imap", "imap", "imap"):
            make = server._protocol(service)
            clients.append(Client(budget, lambda wire, make=make: make(wire).run()))  # type: ignore[misc]
            clients[-1].conversation.dataReceived(lines[service])
    assert [client.transport.disconnecting for client in clients] == [False] * 4 + [True]
    assert 60 * KIB - 2 * 24 * KIB <= budget.left < 24 * KIB
    assert clients[-1].transport.value().startswith(b"* OK ")
    assert b"* BYE [UNAVAILABLE] " in clients[-1].transport.value()
