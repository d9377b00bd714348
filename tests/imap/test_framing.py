import gc
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted_mail.imap.framing import Framer, InputOverflow
from twisted_mail.imap.framing_events import (
    CommandLimits,
    CompleteCommand,
    Event,
    MessageBegins,
    MessageEnds,
    MessageOctets,
    RejectedCommand,
)
from twisted_mail.mail.foreign_protocol import ForeignProtocol
from twisted_mail.mail.message import MemoryBlob
from twisted_mail.mail.outcome import ProtocolError, Unavailable

LIMITS = CommandLimits(line=400, literal=50, literals=3, command=600, message=2000, swallow=4000)


def events_of(*pieces: bytes, limits: CommandLimits = LIMITS) -> list[object]:
    """Return what the framer says; a message's octets are joined, faults are (tag, text)."""
    framer = Framer(limits)
    said: list[object] = []
    for piece in pieces:
        framer.feed(piece)
        while (event := framer.next()) is not None:
            take(framer, event, said)
            if isinstance(event, RejectedCommand) and event.is_fatal:
                return said
    return said


def take(framer: Framer, event: Event, said: list[object]) -> None:
    if isinstance(event, MessageOctets):
        said[-1] = said[-1] + event.data  # type: ignore[operator]
    elif isinstance(event, MessageBegins):
        said += [(event.size, event.is_awaited), b""]
    elif isinstance(event, MessageEnds):
        framer.attach(MemoryBlob(said[-1]))  # type: ignore[arg-type]
    elif isinstance(event, RejectedCommand):
        kind = "fatal" if event.is_fatal else type(event.error).__name__
        said.append((event.tag, kind, event.error.outcome.text))
    elif isinstance(event, CompleteCommand):
        said.append(event.data)
        if event.blobs:
            said.append(event.blobs)
    else:
        said.append("+")


def bad(tag: str, text: str) -> tuple[str, str, str]:
    return tag, "ProtocolError", text


BARE = "Lines must end with CRLF"
CONTROL = "A line may not hold NUL or a bare CR"
LONG_LINE = "The line is too long"
LONG_LITERAL = "The literal is too large"


def test_a_line_is_a_command() -> None:
    assert events_of(b"a NOOP\r\nb LOGOUT\r\n") == [b"a NOOP", b"b LOGOUT"]


def test_a_literal_is_inside_its_command() -> None:
    whole = b"a LOGIN {5}\r\nalice {6+}\r\nsecret"
    assert events_of(whole + b"\r\n") == ["+", whole]


def test_one_empty_line_before_a_command_is_passed_over() -> None:
    assert events_of(b"\r\na NOOP\r\n\r\nb NOOP\r\n") == [b"a NOOP", b"b NOOP"]
    assert events_of(b"\r\n\r\n\r\na NOOP\r\n") == [b"", b"a NOOP"]


def test_an_append_has_one_message() -> None:
    said = events_of(b"a APPEND INBOX {1+}\r\nx {1+}\r\ny\r\nb NOOP\r\n")
    assert said[2:] == [bad("a", "One message at a time"), b"b NOOP"]


def test_an_empty_line_behind_a_literal_ends_the_command() -> None:
    assert events_of(b"a X {0+}\r\n\r\nb NOOP\r\n") == [b"a X {0+}\r\n", b"b NOOP"]


def test_a_literal_holds_whatever_looks_like_a_command() -> None:
    whole = b"a X {9+}\r\nb NOOP\r\n\n"
    assert events_of(whole + b"\r\n") == [whole]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"a NOOP\n", BARE),
        (b"a NOOP\r\r\n", CONTROL),
        (b"a NO\rOP\r\n", CONTROL),
        (b"a NO\0OP\r\n", CONTROL),
        (b"a " + b"x" * 500 + b"\r\n", LONG_LINE),
        (b"a X {51}\r\n", LONG_LITERAL),
        (b"a X {51+}\r\n" + b"b NOOP\r\n" * 6 + b"abc\r\n", LONG_LITERAL),
        (b"a X {5+}\nb NO\n\r\n", BARE),
        (b"a X {5}\n", BARE),
        (b"a X {3+}\r\nx\0y\r\n", "A literal may not hold NUL"),
        (b"a X {1+}\r\n1{1+}\r\n1{1+}\r\n1{1}\r\n", "The command has too many literals"),
        (b"a X {99999999999999999999999}\r\n", LONG_LITERAL),
        (b"a " + b"x" * 500 + b" {5+}\r\nb NO\n\r\n", LONG_LINE),
        (b"a " + b"x" * 500 + b" {5}\r\n", LONG_LINE),
    ],
)
def test_a_command_with_a_fault_is_dropped_and_the_next_one_is_not(line: bytes, text: str) -> None:
    assert events_of(line + b"c NOOP\r\n") == [bad("a", text), b"c NOOP"]


def test_the_end_of_a_long_line_is_known_however_it_comes() -> None:
    line = b"a " + b"x" * 500 + b" {5+}\r\nb NO\n\r\nc NOOP\r\n"
    for length in (1, 7, 39, 40, 41):
        pieces = [line[at : at + length] for at in range(0, len(line), length)]
        assert events_of(*pieces) == [bad("a", LONG_LINE), b"c NOOP"]


def test_a_line_without_end_is_named_where_the_conversation_ends() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"a " + b"x" * 5000)
    event = framer.next()
    assert isinstance(event, RejectedCommand)
    assert (event.tag, event.is_fatal) == ("a", True)
    assert (event.error.outcome.text, event.error.condition) == (LONG_LINE, "TOOBIG")


def test_a_fault_without_a_tag_has_a_star() -> None:
    assert events_of(b"+ NOOP\n" + b"x" * 200 + b"\n") == [bad("*", BARE), bad("*", BARE)]


def test_a_command_may_not_grow_beyond_its_limit() -> None:
    line = b"a " + b"x" * 390 + b"{1+}\r\n"
    assert events_of(line + b"1" + b"x" * 390 + b"\r\nb NOOP\r\n") == [
        bad("a", "The command is too large"),
        b"b NOOP",
    ]


def test_a_command_may_be_as_large_as_its_limit() -> None:
    line = b"a " + b"x" * 390 + b"{1+}\r\n"
    rest = b"1" + b"x" * (LIMITS.command - len(line) - 3) + b"\r\n"
    assert events_of(line + rest) == [(line + rest).removesuffix(b"\r\n")]
    assert events_of(line + b"x" + rest) == [bad("a", "The command is too large")]


def test_so_many_literals_of_a_faulty_command_are_swallowed_and_no_more() -> None:
    first = b"a X {51+}\r\n" + b"x" * 51
    assert events_of(first + b" {1+}\r\nx" * 2 + b"\r\n") == [bad("a", LONG_LITERAL)]
    fatal = ("a", "fatal", "Too much data that nobody asked for")
    assert events_of(first + b" {1+}\r\nx" * 3 + b"\r\n") == [fatal]


def test_a_second_literal_of_a_faulty_command_is_swallowed_too() -> None:
    said = events_of(b"a X {60+}\r\n" + b"x" * 60 + b" {4+}\r\nb NO y\r\nc NOOP\r\n")
    assert said == [bad("a", LONG_LITERAL), b"c NOOP"]


@pytest.mark.parametrize(
    "octets",
    [
        b"a X {4001+}\r\n",
        b"a X {99999999999999999999999+}\r\n",
        b"a X {3000+}\r\n" + b"x" * 3000 + b"{3000+}\r\n",
        b"a " + b"x" * 4100,
        b"a " + b"x" * 4000 + b"\r\n",
    ],
)
def test_a_flood_is_given_up(octets: bytes) -> None:
    (fault,) = events_of(octets)
    assert fault[:2] == ("a", "fatal")  # type: ignore[index]


def test_nothing_comes_after_a_flood() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"a X {4001+}\r\nb NOOP\r\n")
    assert isinstance(framer.next(), RejectedCommand)
    assert framer.next() is None


# ---------------------------------------------------------------- messages


def test_the_message_of_an_append_is_handed_on() -> None:
    head = b"a APPEND INBOX (\\Seen) {1000}\r\n"
    said = events_of(head + b"x" * 1000 + b"\r\nb NOOP\r\n")
    blob = MemoryBlob(b"x" * 1000)
    assert said == [(1000, True), b"x" * 1000, head, {len(head): blob}, b"b NOOP"]


def test_the_mailbox_of_an_append_may_be_a_literal() -> None:
    head = b"a append {5+}\r\nINBOX {4+}\r\n"
    assert events_of(head + b"mail\r\n") == [
        (4, False), b"mail", head, {len(head): MemoryBlob(b"mail")},
    ]  # fmt: skip


@pytest.mark.parametrize("line", [b"a APPEND {51}\r\n", b"a APPEND x {2001}\r\n"])
def test_an_append_has_limits_too(line: bytes) -> None:
    assert len(events_of(line)) == 1


def test_a_message_too_large_is_refused_and_not_malformed() -> None:
    said = events_of(b"a APPEND INBOX {2001+}\r\n" + b"b NOOP\r\n" * 250 + b"x\r\nc NOOP\r\n")
    assert said == [("a", "Refused", "The message is too large"), b"c NOOP"]


def test_before_login_a_message_is_no_more_than_a_literal() -> None:
    limits = CommandLimits(line=400, literal=50, literals=3, command=600, message=0, swallow=4000)
    assert events_of(b"a APPEND INBOX {51}\r\n", limits=limits) == [bad("a", LONG_LITERAL)]


def test_a_message_may_not_hold_nul() -> None:
    said = events_of(b"a APPEND INBOX {3+}\r\nx\0y\r\nb NOOP\r\n")
    assert said[2:] == [("a", "Refused", "A message may not hold NUL"), b"b NOOP"]


def test_a_message_that_cannot_be_kept_is_refused_when_all_of_it_has_come() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"a APPEND INBOX {6+}\r\nb N")
    assert isinstance(framer.next(), MessageBegins)
    framer.refuse(Unavailable("The disk is full"))
    framer.feed(b"OOP\r\nc NOOP\r\n")
    said = []
    while (event := framer.next()) is not None:
        said.append(event)
    fault = next(event for event in said if isinstance(event, RejectedCommand))
    assert (fault.tag, str(fault.error)) == ("a", "The disk is full")
    assert said[-1] == CompleteCommand(b"c NOOP", {})


class Held(MemoryBlob):
    closed = 0

    def close(self) -> None:
        Held.closed += 1


def test_messages_of_a_command_that_fails_are_closed() -> None:
    framer = Framer(LIMITS)
    for ending in (b"\n", b"", b"x" * 5000):
        Held.closed = 0
        framer = Framer(LIMITS)
        framer.feed(b"a APPEND INBOX {1+}\r\nx")
        while (event := framer.next()) is not None:
            if isinstance(event, MessageEnds):
                framer.attach(Held(b"x"))
        framer.feed(ending)
        framer.next()
        assert Held.closed == bool(ending), "not only when the conversation ends"
        framer.close()
        assert Held.closed == 1


# ---------------------------------------------------------------- lines that are no commands


def test_tls_is_named_at_its_first_octet_and_nothing_follows() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"a NOOP\r\n\x16")
    assert framer.next() == CompleteCommand(b"a NOOP", {})
    rejected = framer.next()
    assert isinstance(rejected, RejectedCommand)
    assert isinstance(rejected.error, ForeignProtocol)
    assert (rejected.tag, rejected.is_fatal) == ("*", True)
    framer.feed(b"\x03\x01\r\na NOOP\r\n")
    assert framer.next() is None


def test_the_octet_of_tls_within_a_command_is_nothing_special() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"a X {1+}\r\n\x16\x16\r\nb \x16\r\n")
    assert framer.next() == CompleteCommand(b"a X {1+}\r\n\x16\x16", {})
    assert framer.next() == CompleteCommand(b"b \x16", {})


def test_tls_in_the_place_of_a_raw_line_is_named() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"\x16\x03")
    with pytest.raises(ForeignProtocol):
        framer.line()


def test_a_raw_line_is_no_command() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"a IDLE\r\nDO")
    assert framer.next() == CompleteCommand(b"a IDLE", {})
    assert framer.is_empty is False
    assert framer.line() is None
    framer.feed(b"NE\r\nb X {1+}\r\nx\r\n")
    assert framer.line() == b"DONE"
    assert framer.next() == CompleteCommand(b"b X {1+}\r\nx", {})
    assert framer.is_empty


def test_a_raw_line_that_announces_a_literal_is_only_a_line() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"abc {5}\r\n")
    assert framer.line() == b"abc {5}"


@pytest.mark.parametrize("line", [b"DONE\n", b"DO\rNE\r\n", b"x" * 500 + b"\r\n"])
def test_a_malformed_raw_line_is_an_error_once(line: bytes) -> None:
    framer = Framer(LIMITS)
    framer.feed(line)
    with pytest.raises(ProtocolError):
        framer.line()
    framer.feed(b"a NOOP\r\n")
    assert framer.next() == CompleteCommand(b"a NOOP", {})


def test_a_raw_line_without_end_is_given_up() -> None:
    framer = Framer(LIMITS)
    framer.feed(b"x" * 500)
    assert framer.line() is None
    framer.feed(b"x" * 5000)
    with pytest.raises(InputOverflow):
        framer.line()


def test_a_long_line_takes_little_memory() -> None:
    framer = Framer(LIMITS)
    for _ in range(30):
        framer.feed(b"x" * 100)
        assert framer.next() is None
        assert len(framer._buffer) <= LIMITS.line + 102


# ---------------------------------------------------------------- any split

PIECES = st.sampled_from(
    [
        b"a", b" ", b"NOOP", b"APPEND ", b"b APPEND INBOX ", b"{3}", b"{3+}", b"{60+}", b"{60}",
        b"{2001+}", b"{5000+}", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\0", b"x" * 45, b"x" * 390,
        b'"', b"{", b"}", b"1", b"{1+}\r\nx", b"c LOGIN {1+}\r\n",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=30).map(b"".join), st.data())
def test_any_split_of_the_stream_gives_the_same_events(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = events_of(stream)
    assert events_of(*pieces) == whole
    assert events_of(*(bytes([octet]) for octet in stream)) == whole


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=50).map(lambda b: b.replace(b"\0", b"")))))
def test_no_literal_becomes_a_command(literals: list[tuple[bytes]]) -> None:
    stream = b"".join(b"a X {%d+}\r\n%b\r\n" % (len(one), one) for (one,) in literals)
    said = events_of(stream)
    assert said == [b"a X {%d+}\r\n%b" % (len(one), one) for (one,) in literals]


class WatchedFramer(Framer):
    __slots__ = ("__weakref__",)


def test_a_closed_framer_is_given_up_at_once() -> None:
    framer = WatchedFramer(LIMITS)
    framer.feed(b"a NOOP\r\nb ")
    assert framer.next() == CompleteCommand(b"a NOOP", {})
    assert framer.next() is None
    watched = weakref.ref(framer)
    gc.disable()  # it would find what holds itself, some time
    try:
        framer.close()
        del framer
        assert watched() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "data",
    [
        *(b"a NOOP\r\n", b"a NOOP\r\nb NOOP\r\n", b"a NO", b"\r\n", b"a X {2+}\r\nxx\r\n"),
        *(b"\x16\r\n", b"a" * 3000 + b"\r\n", b"a \0\r\n"),
    ],
)
def test_what_is_fed_at_the_beginning_is_taken_as_ever(data: bytes) -> None:
    first, other = Framer(LIMITS), Framer(LIMITS)
    other.feed(data)
    for begun in (first.begin(data), first.next(), first.next()):
        event = other.next()
        assert str(begun) == str(event)
    assert first.held == other.held


def test_an_empty_line_before_a_command_that_comes_later_is_passed_over_once() -> None:
    framer = Framer(LIMITS)
    assert framer.begin(b"\r\n") is None
    assert framer.is_empty
    assert framer.begin(b"a NOOP\r\n") == CompleteCommand(b"a NOOP", {})
    assert framer.begin(b"b NOOP\r\n") == CompleteCommand(b"b NOOP", {})
    assert framer.begin(b"\r\nc NOOP\r\n") == CompleteCommand(b"c NOOP", {})
