from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap.grammar import Reader
from twisted_mail.mail.mailbox.numbers import NumberSet
from twisted_mail.mail.message import MemoryBlob
from twisted_mail.mail.outcome import ProtocolError, Refused

GOOD: list[tuple[Callable[[Reader], Any], bytes, Any]] = [
    (Reader.tag, b"A142", "A142"),
    (Reader.tag, b"a]b", "a]b"),
    (Reader.word, b"RFC822.SIZE", "RFC822.SIZE"),
    (Reader.word, b"+FLAGS.SILENT", "+FLAGS.SILENT"),
    (Reader.atom, b"$Junk", "$Junk"),
    (Reader.astring, b"foo]", b"foo]"),
    (Reader.astring, b'"a \\"b\\" \\\\c"', b'a "b" \\c'),
    (Reader.astring, b'""', b""),
    (Reader.astring, b'"\xc3\xbc"', b"\xc3\xbc"),
    (Reader.astring, b"{3}\r\na\r\n", b"a\r\n"),
    (Reader.astring, b"{0+}\r\n", b""),
    (Reader.pattern, b"foo/%*]", b"foo/%*]"),
    (Reader.pattern, b"{3}\r\n%*]", b"%*]"),
    (Reader.pattern, b'"a b/*"', b"a b/*"),
    (Reader.nstring, b"nil", None),
    (Reader.nstring, b'"NIL"', b"NIL"),
    (Reader.number, b"0", 0),
    (Reader.number, b"4294967295", 2**32 - 1),
    (Reader.nonzero, b"7", 7),
    (Reader.numbers, b"1,3:*", NumberSet(((1, 1), (3, 0)))),
    (Reader.numbers, b"17", NumberSet(((17, 17),), is_single=True)),
    (Reader.numbers, b"4294967295", NumberSet(((4294967295, 4294967295),))),
    (Reader.flag_list, b"()", []),
    (Reader.flag_list, b"(\\Seen $Junk)", ["\\Seen", "$Junk"]),
    (Reader.flag_list, b"(  )", []),
    (Reader.flag_list, b"( \\Seen  $Junk ) ", ["\\Seen", "$Junk"]),
    (Reader.flags, b"\\seen foo", ["\\seen", "foo"]),
    (Reader.flags, b"\\seen  foo  ", ["\\seen", "foo"]),
    (Reader.flags, b"(foo)", ["foo"]),
    (Reader.mailbox, b"iNbOx", "INBOX"),
    (Reader.mailbox, b'"{x}"', "{x}"),
    (Reader.mailbox, b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
    (Reader.date, b"1-Feb-1994", date(1994, 2, 1)),
    (Reader.date, b'"01-feb-1994"', date(1994, 2, 1)),
    (
        Reader.date_time,
        b'" 7-Feb-1994 21:52:25 -0800"',
        datetime(1994, 2, 7, 21, 52, 25, tzinfo=timezone(timedelta(hours=-8))),
    ),
]


@pytest.mark.parametrize(("read", "text", "value"), GOOD)
def test_it_reads(read: Callable[[Reader], Any], text: bytes, value: Any) -> None:
    reader = Reader(text)
    assert read(reader) == value
    reader.end()


BAD: list[tuple[Callable[[Reader], Any], bytes]] = [
    (Reader.tag, b""),
    (Reader.tag, b"+"),
    (Reader.tag, b"x" * 200),
    (Reader.word, b"\\Seen"),
    (Reader.atom, b"(a)"),
    (Reader.atom, b"\xe4"),
    (Reader.astring, b""),
    (Reader.astring, b'"abc'),
    (Reader.astring, b'"a\\b"'),
    (Reader.astring, b"{3"),
    (Reader.astring, b"{x}\r\n"),
    (Reader.astring, b"a%b"),
    (Reader.string, b"abc"),
    (Reader.nstring, b"NILS"),
    (Reader.number, b"4294967296"),
    (Reader.number, b"99999999999999"),
    (Reader.number, b"-1"),
    (Reader.nonzero, b"0"),
    (Reader.nonzero, b"01"),
    (Reader.numbers, b"1,,2"),
    (Reader.numbers, b"0"),
    (Reader.numbers, b""),
    (Reader.flag_list, b"\\Seen"),
    (Reader.flag_list, b"(\\Recent)"),
    (Reader.flag_list, b"(\\*)"),
    (Reader.flag_list, b"(\\Unknown)"),
    (Reader.flag_list, b"(foo"),
    (Reader.flag_list, b"(" + b"x" * 101 + b")"),
    (Reader.mailbox, b"{3}"),
    (Reader.mailbox, b"%"),
    (Reader.date, b"31-Feb-1994"),
    (Reader.date, b'"1-Feb-1994'),
    (Reader.date_time, b'"1-Feb-1994"'),
    (Reader.date_time, b" 7-Feb-1994"),
    (Reader.message_literal, b"abc"),
    (Reader.message_literal, b"{3}\r\nabc"),
    (Reader.message_literal, b"{3"),
]


def taken_whole(read: Callable[[Reader], Any], text: bytes) -> None:
    reader = Reader(text)
    read(reader)
    reader.end()


@pytest.mark.parametrize("text", [b"&Jjo", b'"&Jjo!"', b'"\xe4"', b'"\xc3\xa4"', b"&AGE-", b"R&D"])
def test_a_name_that_no_mailbox_can_have_is_no_fault_of_grammar(text: bytes) -> None:
    with pytest.raises(Refused) as caught:
        taken_whole(Reader.mailbox, text)
    assert caught.value.condition == "CANNOT"


@pytest.mark.parametrize(("read", "text"), BAD)
def test_it_refuses(read: Callable[[Reader], Any], text: bytes) -> None:
    with pytest.raises(ProtocolError):
        taken_whole(read, text)


def test_the_cursor_moves_over_tokens() -> None:
    reader = Reader(b"BODY[TEXT]<0.5> x")
    assert reader.word() == "BODY"
    reader.take(b"[")
    assert reader.word() == "TEXT"
    reader.take(b"]")
    assert reader.accept(b"<")
    assert not reader.accept(b"x")
    assert reader.peek(b"0")
    assert reader.rest == b"0.5> x"
    with pytest.raises(ProtocolError, match="space"):
        reader.space()
    with pytest.raises(ProtocolError, match="'x'"):
        reader.take(b"x")
    with pytest.raises(ProtocolError, match="at the end"):
        reader.end()
    with pytest.raises(ProtocolError, match=r"^Malformed string$"):
        Reader(b'"a').string()
    with pytest.raises(ProtocolError, match=r"^Missing string$"):
        Reader(b"").string()
    assert not reader.at_end


@pytest.mark.parametrize(
    ("read", "text", "fault"),
    [
        (Reader.tag, b"", "Missing a tag"),
        (Reader.tag, b"(", "Expected a tag"),
        (Reader.tag, b"x" * 200, "The tag is too long"),
        (Reader.word, b"(", "Expected a word"),
        (Reader.atom, b"(", "Expected an atom"),
        (Reader.astring, b"(", "Expected a string or an atom"),
        (Reader.pattern, b"(", "Expected a mailbox pattern"),
        (Reader.string, b"{x}\r\n", "Malformed literal"),
        (Reader.message_literal, b"{x}\r\n", "Malformed literal"),
        (Reader.message_literal, b"{3}\r\nabc", "Expected a message as a literal"),
        (Reader.number, b"x", "Expected a number"),
        (Reader.date, b"(", "Expected a date"),
        (Reader.date_time, b"x", "Expected a date and time"),
    ],
)
def test_it_says_what_it_expected(read: Callable[[Reader], Any], text: bytes, fault: str) -> None:
    with pytest.raises(ProtocolError, match=f"^{fault}$"):
        read(Reader(text))


def test_a_message_is_no_string() -> None:
    with pytest.raises(ProtocolError, match=r"^A message is not expected here$"):
        Reader(b"{3}\r\n", {5: MemoryBlob(b"abc")}).astring()


def test_spaces_at_the_end_are_no_argument() -> None:
    reader = Reader(b"NOOP   ")
    assert reader.word() == "NOOP"
    assert reader.at_end
    with pytest.raises(ProtocolError, match="Missing argument"):
        reader.space()


def test_spaces_in_strings_stay() -> None:
    reader = Reader(b'"( a )"  {4}\r\n a  ')
    assert reader.string() == b"( a )"
    reader.space()
    assert reader.string() == b" a  "
    reader.end()


@pytest.mark.parametrize("text", [b"\t", b" \t", b" x"])
def test_what_is_no_space_is_no_end(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        Reader(text).end()


class Held(MemoryBlob):
    closed = 0

    def close(self) -> None:
        Held.closed += 1


def test_a_message_belongs_to_who_took_it() -> None:
    Held.closed = 0
    blob = Held(b"mail")
    reader = Reader(b"{4}\r\n", {5: blob})
    assert reader.message_literal() is blob
    reader.close()
    assert Held.closed == 0


def test_a_message_nobody_took_is_closed() -> None:
    Held.closed = 0
    reader = Reader(b"{4}\r\n", {5: Held(b"mail")})
    with pytest.raises(ProtocolError, match="not expected"):
        reader.astring()
    reader.close()
    assert Held.closed == 1


READS = [read for read, _, _ in GOOD]


@given(st.sampled_from(READS), st.binary(max_size=60))
def test_whatever_comes_the_reader_reads_or_says_no(
    read: Callable[[Reader], Any], text: bytes
) -> None:
    reader = Reader(text)
    with suppress(ProtocolError, Refused):
        read(reader)
    assert 0 <= reader.position <= len(text) or b"{" in text
