"""Reading until a moment that does not move."""

import pytest

from twisted_mail.interfaces import ConversationEnded, read_before
from twisted_mail.testing.doubles import StillClock, finish
from twisted_mail.testing.wire import ScriptedWire


def test_what_is_left_until_the_deadline_is_how_long_the_peer_may_be_silent() -> None:
    wire, clock = ScriptedWire([b"a", b"b"]), StillClock()
    deadline = clock.monotonic() + 30
    assert finish(read_before(deadline, wire, clock)) == b"a"
    clock.seconds += 20
    assert finish(read_before(deadline, wire, clock)) == b"b"
    assert wire.timeouts == [30, 10]


def test_nothing_is_read_after_the_deadline() -> None:
    wire, clock = ScriptedWire([b"a"]), StillClock()
    with pytest.raises(ConversationEnded) as caught:
        finish(read_before(clock.monotonic(), wire, clock))
    assert caught.value.reason is ConversationEnded.Reason.TIMEOUT
    assert wire.timeouts == []
