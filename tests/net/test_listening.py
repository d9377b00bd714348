"""Limits on connections, and the end of a listener."""

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from tests.support import NoteJournal
from twisted_mail.interfaces import Ending, Wire
from twisted_mail.net.conversation import Conversation, Terms
from twisted_mail.net.listening import FAREWELL_SECONDS, ConversationFactory


class Greeter:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def run(self) -> None:
        self.wire.write(b"hello ")
        try:
            await self.wire.read(60)
        except Ending as ending:
            self.wire.write(ending.reason.value.encode())


class Listening:
    def __init__(self, session: Any = Greeter, most: int = 3, most_per_address: int = 2) -> None:
        self.clock = Clock()
        reactor: Any = self.clock
        self.factory = ConversationFactory(
            reactor, session, Terms(), NoteJournal(), b"busy\r\n", most, most_per_address
        )

    def connects(self, host: str) -> tuple[Conversation, StringTransport]:
        address = IPv4Address("TCP", host, 1000)
        conversation = self.factory.buildProtocol(address)
        transport = StringTransport(peerAddress=address)
        conversation.makeConnection(transport)
        return conversation, transport


def test_connections_beyond_the_number_are_told_so() -> None:
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
