"""Limits on connections, and the end of a listener."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from twisted_mail.interfaces import ConversationEnded, Wire
from twisted_mail.net.connection.conversation import Conversation
from twisted_mail.net.connection.security import ListenerSecurity
from twisted_mail.net.server.connection_limit import ConnectionLimit
from twisted_mail.net.server.listening import FAREWELL_SECONDS, ConversationFactory
from twisted_mail.testing.recorded_log import ListJournal


class Greeter:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def run(self) -> None:
        self.wire.write(b"hello ")
        try:
            await self.wire.read(60)
        except ConversationEnded as ending:
            self.wire.write(ending.reason.value.encode())


class Listening:
    def __init__(
        self,
        session: Any = Greeter,
        most: int = 3,
        most_per_address: int = 2,
        connection_limit: ConnectionLimit | None = None,
    ) -> None:
        self.clock = Clock()
        reactor: Any = self.clock
        self.factory = ConversationFactory(
            reactor,
            session,
            ListenerSecurity(),
            ListJournal(),
            b"busy\r\n",
            most,
            most_per_address,
            connection_limit=connection_limit,
            connections_per_account=2,
        )

    def connects(self, host: str) -> tuple[Conversation, StringTransport]:
        address = IPv4Address("TCP", host, 1000)
        conversation = self.factory.buildProtocol(address)
        assert conversation is not None
        transport = StringTransport(peerAddress=address)
        conversation.makeConnection(transport)
        return conversation, transport


def test_connections_beyond_the_number_are_sent_busy() -> None:
    listening = Listening()
    for number in range(3):
        assert listening.connects(f"192.0.2.{number}")[1].value() == b"hello "
    _, transport = listening.connects("192.0.2.99")
    assert transport.value() == b"busy\r\n"
    assert transport.disconnecting


def test_one_address_cannot_take_all() -> None:
    listening = Listening()
    listening.connects("192.0.2.1")
    listening.connects("192.0.2.1")
    assert listening.connects("192.0.2.1")[1].value() == b"busy\r\n"


def test_who_has_logged_in_counts_for_the_account_and_not_for_the_address() -> None:
    listening = Listening(most=9, most_per_address=1)
    for name in ("alice", "bob", "alice"):
        conversation, transport = listening.connects("192.0.2.1")
        assert transport.value() == b"hello "
        assert conversation.belongs_to(name)
    waiting, transport = listening.connects("192.0.2.1")
    assert transport.value() == b"hello "
    assert listening.connects("192.0.2.1")[1].value() == b"busy\r\n"
    waiting.connectionLost()
    assert listening.connects("192.0.2.1")[1].value() == b"hello "


def test_one_account_cannot_take_all_from_one_address() -> None:
    listening = Listening(most=9, most_per_address=1)
    first, _ = listening.connects("192.0.2.1")
    assert first.belongs_to("alice")
    assert listening.connects("192.0.2.1")[0].belongs_to("alice")
    third, _ = listening.connects("192.0.2.1")
    assert not third.belongs_to("alice")
    assert listening.connects("192.0.2.1")[1].value() == b"busy\r\n"  # the third still counts
    assert listening.connects("192.0.2.2")[0].belongs_to("alice")
    first.connectionLost()
    assert third.belongs_to("alice")


def test_all_counts_are_given_back() -> None:
    listening = Listening(most=9, most_per_address=9)
    opened = [listening.connects("192.0.2.1")[0] for _ in range(4)]
    for conversation in opened[:3]:
        conversation.belongs_to("alice")
    for conversation in opened:
        conversation.connectionLost()
    assert len(listening.factory._counter) == 0  # type: ignore[arg-type]
    assert listening.factory._limit.served == 0


def test_the_addresses_of_one_ipv6_network_are_one() -> None:
    listening = Listening(most=9, most_per_address=2)
    for host in ("2001:db8::1", "2001:db8::2:3"):
        assert listening.connects(host)[1].value() == b"hello "
    assert listening.connects("2001:db8::ffff")[1].value() == b"busy\r\n"
    assert listening.connects("2001:db8:0:1::1")[1].value() == b"hello "
    assert listening.connects("fe80::1%eth0")[1].value() == b"hello "
    for host in ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"):
        assert listening.connects(host)[1].value() == b"hello "
    assert listening.connects("::ffff:192.0.2.1")[1].value() == b"busy\r\n"


def test_all_listeners_together_have_one_limit() -> None:
    connection_limit = ConnectionLimit(2)
    one, two = (
        Listening(connection_limit=connection_limit),
        Listening(connection_limit=connection_limit),
    )
    first, _ = one.connects("192.0.2.1")
    one.connects("192.0.2.2")
    assert two.connects("192.0.2.3")[1].value() == b"busy\r\n"
    first.connectionLost()
    assert two.connects("192.0.2.3")[1].value() == b"hello "


def test_few_are_sent_busy_and_others_closed_at_once() -> None:
    connection_limit = ConnectionLimit(1, most_busy=2)
    listening = Listening(connection_limit=connection_limit)
    listening.connects("192.0.2.1")
    busy, _ = listening.connects("192.0.2.2")
    listening.connects("192.0.2.3")
    assert listening.factory.buildProtocol(IPv4Address("TCP", "192.0.2.4", 1000)) is None
    busy.connectionLost()
    assert listening.connects("192.0.2.4")[1].value() == b"busy\r\n"


def test_those_that_are_sent_busy_do_not_count() -> None:
    listening = Listening(most_per_address=1)
    first, _ = listening.connects("192.0.2.1")
    listening.connects("192.0.2.1")
    first.connectionLost()
    assert listening.connects("192.0.2.1")[1].value() == b"hello "


def test_room_is_given_back() -> None:
    listening = Listening(most_per_address=1)
    first, _ = listening.connects("192.0.2.1")
    first.connectionLost()
    assert listening.connects("192.0.2.1")[1].value() == b"hello "


def test_sessions_say_farewell_when_the_listener_ends() -> None:
    listening = Listening()
    conversation, transport = listening.connects("192.0.2.1")
    done: list[Any] = []
    listening.factory.shut_down().addCallback(done.append)
    assert transport.value() == b"hello shutdown"
    assert not done
    conversation.connectionLost()
    assert len(done) == 1
    assert listening.clock.getDelayedCalls() == []


def test_an_unused_listener_ends_at_once() -> None:
    done: list[Any] = []
    Listening().factory.shut_down().addCallback(done.append)
    assert len(done) == 1


def test_those_who_do_not_finish_are_cut_off() -> None:
    class Busy(Greeter):
        async def run(self) -> None:
            await Deferred()

    listening = Listening(Busy)
    _, transport = listening.connects("192.0.2.1")
    listening.factory.shut_down()
    assert not transport.disconnecting
    listening.clock.advance(FAREWELL_SECONDS)
    assert transport.disconnected or transport.disconnecting
