"""The conversation, over a transport in memory and a clock that stands still."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from twisted_mail.interfaces import ConversationEnded, TlsInfo, Wire
from twisted_mail.net.connection.conversation import (
    Conversation,
)
from twisted_mail.net.connection.fair_share import SLICE_SECONDS
from twisted_mail.net.connection.outlet import STALL_SECONDS
from twisted_mail.net.connection.read_buffer import MAX_READ, READ_AHEAD, SMALL_READ
from twisted_mail.net.connection.security import HANDSHAKE_SECONDS, ListenerSecurity
from twisted_mail.testing.recorded_log import ListJournal

Script = Callable[[Wire], Awaitable[None]]


class Scripted:
    """A session that is one coroutine function."""

    def __init__(self, wire: Wire, script: Script) -> None:
        self.wire, self.script = wire, script

    async def run(self) -> None:
        await self.script(self.wire)


class TlsHandle:
    """What OpenSSL knows of a connection."""

    def get_protocol_version_name(self) -> str:
        return "TLSv1.3"

    def get_cipher_name(self) -> str:
        return "TLS_AES_256_GCM_SHA384"

    def get_cipher_bits(self) -> int:
        return 256


class Transport(StringTransport):
    tls_started_with: Any = None
    aborted = False

    def startTLS(self, certificates: Any) -> None:
        self.tls_started_with = certificates
        self.handle: TlsHandle | None = TlsHandle()

    def getHandle(self) -> "TlsHandle | None":
        return self.handle

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()


class Held:
    """A conversation, its transport, clock and journal."""

    def __init__(self, script: Script, terms: ListenerSecurity | None = None) -> None:
        self.clock = Clock()
        self.journal = ListJournal()
        self.transport = Transport(peerAddress=IPv4Address("TCP", "192.0.2.7", 4000))
        self.conversation = Conversation(
            self.clock,
            lambda wire: Scripted(wire, script),
            terms or ListenerSecurity(),
            self.journal,
        )
        self.conversation.makeConnection(self.transport)

    def hears(self, data: bytes) -> None:
        self.conversation.dataReceived(data)

    @property
    def said(self) -> bytes:
        said: bytes = self.transport.value()
        self.transport.clear()
        return said


async def echo(wire: Wire) -> None:
    while True:
        wire.write(await wire.read(60))


def test_more_is_read_at_a_time_from_a_peer_that_sends_much() -> None:
    held = Held(echo)
    transport: Any = held.transport
    transport.bufferSize = SMALL_READ
    sizes = []
    for size in (10, SMALL_READ, 2 * SMALL_READ, MAX_READ, SMALL_READ, 10):
        held.hears(b"x" * size)
        sizes.append(transport.bufferSize)
    assert sizes == [SMALL_READ, 2 * SMALL_READ, MAX_READ, MAX_READ, MAX_READ, SMALL_READ]


def test_what_is_read_is_what_came() -> None:
    held = Held(echo)
    held.hears(b"one")
    held.hears(b"two")
    assert held.said == b"onetwo"


def test_writes_leave_together_at_the_next_read() -> None:
    async def script(wire: Wire) -> None:
        wire.write(b"a")
        wire.write(b"b")
        written_early.append(held_transport(wire).value())
        await wire.read(60)

    def held_transport(wire: Any) -> StringTransport:
        transport: StringTransport = wire.transport
        return transport

    written_early: list[bytes] = []
    held = Held(script)
    assert written_early == [b""]
    assert held.said == b"ab"


def test_what_was_not_sent_before_the_connection_is_lost_is_dropped() -> None:
    work: Deferred[None] = Deferred()

    async def script(wire: Wire) -> None:
        wire.write(b"an answer")
        await work
        await wire.read(60)

    held = Held(script)
    held.conversation.connectionLost()
    work.callback(None)
    assert held.said == b""


def test_bytes_that_come_while_the_session_works_wait_in_order() -> None:
    async def script(wire: Wire) -> None:
        assert await wire.read(60) == b"first"
        assert not wire.has_unread
        assert await wire.read(60) == b"second third"
        wire.write(b"done")

    held = Held(script)
    held.hears(b"first")
    held.hears(b"second third")
    assert held.said == b"done"


def test_a_turn_begins_with_bytes_that_came_while_the_session_waited_for_others() -> None:
    work: Deferred[None] = Deferred()

    async def script(wire: Wire) -> None:
        await work
        await wire.read(60)
        assert wire.woke_at == 30.0  # by this, sessions know when to ask whether a login holds
        wire.write(b"done")

    held = Held(script)
    held.hears(b"early")
    held.clock.advance(30)
    work.callback(None)
    assert held.said == b"done"


def test_unread_bytes_are_seen() -> None:
    seen = []
    work: Deferred[None] = Deferred()

    async def script(wire: Wire) -> None:
        await work
        seen.append(wire.has_unread)
        await wire.read(60)
        seen.append(wire.has_unread)

    held = Held(script)
    held.hears(b"early")
    work.callback(None)
    assert seen == [True, False]


def test_a_peer_that_floods_is_paused_until_the_session_reads() -> None:
    async def script(wire: Wire) -> None:
        while True:
            await wire.read(60)
            held.clock.rightNow += SLICE_SECONDS * 2
            await wire.yield_to_others()

    held = Held(script)
    held.hears(b"x")
    held.hears(b"z" * (READ_AHEAD - 1))
    assert held.transport.producerState == "producing"
    held.hears(b"z")
    assert held.transport.producerState == "paused"
    held.clock.advance(0)
    assert held.transport.producerState == "producing"


def test_silence_ends_in_a_time_out() -> None:
    async def script(wire: Wire) -> None:
        try:
            await wire.read(30)
        except ConversationEnded as ending:
            wire.write(ending.reason.value.encode())

    held = Held(script)
    held.clock.advance(29)
    assert held.said == b""
    held.clock.advance(1)
    assert held.said == b"timeout"
    assert held.transport.disconnecting


def test_after_a_time_out_a_session_may_read_again() -> None:
    async def script(wire: Wire) -> None:
        try:
            await wire.read(5)
        except ConversationEnded:
            wire.write(await wire.read(30))

    held = Held(script)
    held.clock.advance(6)
    held.hears(b"here I am")
    assert held.said == b"here I am"


def test_each_read_has_its_own_limit() -> None:
    async def script(wire: Wire) -> None:
        await wire.read(300)
        try:
            await wire.read(10)
        except ConversationEnded as ending:
            wire.write(ending.reason.value.encode())

    held = Held(script)
    held.clock.advance(200)
    held.hears(b"still here")
    held.clock.advance(10)
    assert held.said == b"timeout"


def test_a_later_read_may_wait_longer_than_the_first_timer() -> None:
    async def script(wire: Wire) -> None:
        await wire.read(10)
        await wire.read(300)

    held = Held(script)
    held.clock.advance(9)
    held.hears(b"x")
    held.clock.advance(299)
    assert not held.transport.disconnecting
    held.clock.advance(1)
    assert held.transport.disconnecting


def test_a_nudge_wakes_a_read_but_never_inside_the_caller() -> None:
    got = []

    async def script(wire: Wire) -> None:
        got.append(await wire.read(60))
        await wire.read(60)

    held = Held(script)
    held.conversation.wake()
    held.conversation.wake()
    assert got == []
    held.clock.advance(0)
    assert got == [b""]


def test_a_nudge_before_the_read_is_kept() -> None:
    got = []

    async def script(wire: Wire) -> None:
        wire.wake()
        got.append(await wire.read(60))

    Held(script)
    assert got == [b""]


def test_the_end_of_the_connection_reaches_the_session() -> None:
    reasons = []

    async def script(wire: Wire) -> None:
        try:
            await wire.read(60)
        except ConversationEnded as ending:
            reasons.append(ending.reason)

    held = Held(script)
    held.conversation.connectionLost()
    assert reasons == [ConversationEnded.Reason.LOST]


def test_a_peer_that_only_stops_sending_still_gets_its_answers() -> None:
    async def script(wire: Wire) -> None:
        try:
            while True:
                wire.write(b"<" + await wire.read(60) + b">")
        except ConversationEnded:
            wire.write(b"bye")

    held = Held(script)
    held.hears(b"QUIT")
    assert not held.conversation.has_hung_up()
    held.conversation.readConnectionLost()
    assert held.conversation.has_hung_up()
    assert held.said == b"<QUIT>bye"
    assert held.transport.disconnecting


def test_shutting_down_lets_the_session_say_farewell() -> None:
    async def script(wire: Wire) -> None:
        try:
            await wire.read(60)
        except ConversationEnded as ending:
            wire.write(ending.reason.value.encode())

    held = Held(script)
    held.conversation.shut_down()
    assert held.said == b"shutdown"


def test_a_session_that_fails_is_noted_and_its_connection_closed() -> None:
    async def script(wire: Wire) -> None:
        raise RuntimeError("a bug")

    held = Held(script)
    assert held.journal.events == [("failed", ("conversation",))]
    assert held.transport.disconnecting
    assert held.said == b""


def test_a_session_that_writes_much_waits_for_its_peer() -> None:
    async def script(wire: Wire) -> None:
        wire.write(b"1")
        await wire.drain()
        wire.write(b"2")
        await wire.drain()

    held = Held(script)
    assert held.said == b"12"

    async def slow(wire: Wire) -> None:
        await wire.read(60)
        wire.write(b"1")
        await wire.drain()
        wire.write(b"2")
        await wire.drain()

    held = Held(slow)
    held.transport.producer.pauseProducing()
    held.hears(b"go")
    assert held.said == b"1"
    held.transport.producer.resumeProducing()
    assert held.said == b"2"


def test_a_peer_that_takes_nothing_is_cut_off() -> None:
    async def script(wire: Wire) -> None:
        await wire.read(60)
        wire.write(b"1")
        await wire.drain()

    held = Held(script)
    held.transport.producer.pauseProducing()
    held.hears(b"go")
    held.clock.advance(STALL_SECONDS)
    assert held.transport.aborted


def test_a_session_at_work_hears_at_its_next_read_that_a_slow_peer_left() -> None:
    work: Deferred[None] = Deferred()
    ends = []

    async def script(wire: Wire) -> None:
        await work
        try:
            await wire.read(60)
        except ConversationEnded as ending:
            ends.append(ending.reason)

    held = Held(script)
    held.transport.producer.pauseProducing()
    held.conversation.connectionLost()
    work.callback(None)
    assert ends == [ConversationEnded.Reason.LOST]
    assert held.clock.getDelayedCalls() == []


def test_commands_are_not_read_from_a_peer_that_takes_no_answers() -> None:
    held = Held(echo)
    held.hears(b"a")
    held.transport.producer.pauseProducing()
    held.hears(b"b")
    held.hears(b"c")
    assert held.said == b"ab"
    held.transport.producer.resumeProducing()
    assert held.said == b"c"


def test_a_session_that_worked_for_long_gives_way() -> None:
    async def script(wire: Wire) -> None:
        await wire.read(60)
        await wire.yield_to_others()
        wire.write(b"quick")
        held.clock.rightNow += SLICE_SECONDS * 2
        await wire.yield_to_others()
        wire.write(b"slow")
        await wire.drain()

    held = Held(script)
    held.hears(b"go")
    assert held.said == b"quick"
    held.clock.advance(0)
    assert held.said == b"slow"


def test_a_session_whose_peer_is_gone_gets_no_more_turns() -> None:
    held: Held

    async def script(wire: Wire) -> None:
        await wire.read(60)
        held.conversation.connectionLost()
        await wire.yield_to_others()
        seen.append("worked on")

    seen: list[str] = []
    held = Held(script)
    held.hears(b"go")
    assert seen == []
    assert not held.journal.events


def test_tls_starts_after_what_was_written_in_clear() -> None:
    certificates: Any = object()

    async def script(wire: Wire) -> None:
        assert wire.may_start_tls
        assert not wire.takes_passwords
        wire.write(b"220 go")
        await wire.start_tls()
        assert not wire.may_start_tls
        assert wire.takes_passwords

    held = Held(script, ListenerSecurity(certificates))
    assert held.said == b"220 go"
    assert held.transport.tls_started_with is certificates
    assert not held.journal.events


def secured() -> Held:
    async def script(wire: Wire) -> None:
        wire.write(b"greeting")
        await wire.read(HANDSHAKE_SECONDS * 10)

    certificates: Any = object()
    return Held(script, ListenerSecurity(certificates, is_implicit=True))


def test_a_handshake_that_does_not_end_is_cut_off() -> None:
    held = secured()
    held.clock.advance(HANDSHAKE_SECONDS - 1)
    assert not held.transport.aborted
    held.clock.advance(1)
    assert held.transport.aborted
    held.conversation.connectionLost()
    assert held.clock.getDelayedCalls() == []


def test_a_handshake_that_ends_in_time_is_forgotten() -> None:
    held = secured()
    held.conversation.handshakeCompleted()
    held.clock.advance(HANDSHAKE_SECONDS)
    assert not held.transport.aborted
    held.conversation.connectionLost()
    assert held.clock.getDelayedCalls() == []


def test_a_peer_that_leaves_in_the_handshake_leaves_no_timer() -> None:
    held = secured()
    held.conversation.connectionLost()
    assert held.clock.getDelayedCalls() == []


def test_the_tls_that_was_is_known_when_the_peer_has_left() -> None:
    held = secured()
    before = held.conversation.tls_info
    held.conversation.connectionLost()
    held.transport.handle = None  # as Twisted does
    assert held.conversation.tls_info == before == TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)


def test_what_came_in_clear_is_never_read_as_encrypted() -> None:
    read = []
    work: Deferred[None] = Deferred()

    async def script(wire: Wire) -> None:
        await work
        await wire.start_tls()
        read.append(await wire.read(60))

    certificates: Any = object()
    held = Held(script, ListenerSecurity(certificates))
    held.hears(b"MAIL FROM:<injected@example.org>")
    work.callback(None)
    assert read == []
    held.hears(b"EHLO")
    assert read == [b"EHLO"]


def test_nothing_is_read_after_closing() -> None:
    async def script(wire: Wire) -> None:
        wire.write(b"bye")
        wire.close()
        with pytest.raises(ConversationEnded):
            await wire.read(60)
        with pytest.raises(ConversationEnded):
            await wire.drain()

    held = Held(script)
    assert held.said == b"bye"
    assert held.transport.disconnecting
    assert not held.journal.events


def test_a_peer_that_never_closes_is_cut_off_in_the_end() -> None:
    async def script(wire: Wire) -> None:
        wire.close()

    held = Held(script)
    assert not held.transport.aborted
    held.clock.advance(STALL_SECONDS)
    assert held.transport.aborted


def test_the_peer_has_a_name() -> None:
    peers = []

    async def script(wire: Wire) -> None:
        peers.append(wire.peer)

    Held(script)
    assert (peers[0].host, peers[0].port) == ("192.0.2.7", 4000)


def test_an_earlier_time_limit_does_not_cut_the_last_answer_off() -> None:
    async def script(wire: Wire) -> None:
        await wire.read(10)
        wire.write(b"a long answer")

    held = Held(script)
    held.hears(b"quit")
    assert held.transport.disconnecting
    held.clock.advance(10)
    assert not held.transport.aborted
    held.clock.advance(STALL_SECONDS)
    assert held.transport.aborted
