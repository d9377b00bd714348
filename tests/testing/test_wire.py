"""A wire that plays a script, and a writer that may fail."""

import pytest

from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.wire import LOST, TIMEOUT, UNREAD, FakeBlobWriter, ScriptedWire


def ending(wire: ScriptedWire) -> ConversationEnded.Reason:
    with pytest.raises(ConversationEnded) as ended:
        finish(wire.read(30))
    return ended.value.reason


def test_each_read_takes_a_step() -> None:
    happened: list[str] = []
    wire = ScriptedWire(["NOOP", b"QU", lambda: happened.append("it"), lambda: b"IT\r\n"])
    came = [finish(wire.read(timeout)) for timeout in (1, 2, 3, 4)]
    assert came == [b"NOOP\r\n", b"QU", b"", b"IT\r\n"]
    assert happened == ["it"]
    assert wire.timeouts == [1, 2, 3, 4]
    assert ending(wire) is LOST


def test_silence_moves_the_clock() -> None:
    clock = StillClock(0)
    wire = ScriptedWire([TIMEOUT, "NOOP"], clock=clock)
    assert ending(wire) is TIMEOUT
    assert clock.seconds == 30
    assert finish(wire.read(30)) == b"NOOP\r\n"


def test_what_was_written_is_kept_in_groups() -> None:
    wire = ScriptedWire([b"x"])
    wire.write(b"ab")
    wire.write(b"c")
    finish(wire.drain())
    wire.write(b"d")
    finish(wire.read(1))
    finish(wire.start_tls())
    wire.write(b"e")
    wire.close()
    assert wire.written == b"abcde"
    assert wire.groups == [b"abc", b"d", b"(TLS)\r\n", b"e"]
    assert wire.largest_write == 2


def test_nothing_is_written_to_a_closed_wire() -> None:
    wire = ScriptedWire()
    wire.close()
    with pytest.raises(AssertionError):
        wire.write(b"x")


def test_tls_begins_once() -> None:
    wire = ScriptedWire(may_start_tls=True, takes_passwords=False)
    assert wire.tls_info is None
    finish(wire.start_tls())
    assert wire.tls_info is not None
    assert (wire.may_start_tls, wire.takes_passwords) == (False, True)


def test_a_wake_comes_before_the_next_step() -> None:
    wire = ScriptedWire([UNREAD])
    assert wire.has_unread
    wire.wake()
    assert finish(wire.read(1)) == b""
    assert finish(wire.read(1)) == UNREAD
    assert not wire.has_unread


def test_a_writer_keeps_octets() -> None:
    writer = FakeBlobWriter()
    finish(writer.write(b"ab"))
    assert writer.size == 2
    assert finish(writer.finish()).data == b"ab"


def test_a_writer_fails_as_it_should() -> None:
    writer = FakeBlobWriter(Unavailable("full"))
    with pytest.raises(Unavailable):
        finish(writer.write(b"ab"))
    with pytest.raises(Unavailable):
        finish(writer.finish())
