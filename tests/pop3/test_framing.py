import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.pop3.framing import BadLine, DotStuffing, Framer, TopFilter

octets = st.text("ab.\r\n", max_size=60).map(str.encode) | st.binary(max_size=40)
messages = st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\n", b"\r", b"x", b"a.b"])).map(
    b"".join
)


def cut(data, at):
    """The same octets in pieces that end at the given places."""
    places = [0, *sorted(min(place, len(data)) for place in at), len(data)]
    return [data[start:stop] for start, stop in pairwise(places)]


cuts = st.lists(st.integers(0, 80), max_size=8)


# ------------------------------------------------------------ lines


def lines(framer, pieces):
    found = []
    for piece in pieces:
        framer.feed(piece)
        while (line := framer.next()) is not None:
            found.append(line)
    return found


def test_lines_end_with_crlf():
    assert lines(Framer(255, 999), [b"NOOP\r\nSTAT\r\nQU"]) == [b"NOOP", b"STAT"]


@pytest.mark.parametrize("line", [b"STAT\n", b"ST\rAT\r\n", b"STAT\r\r\n", b"\n", b"\rx\n"])
def test_a_cr_or_lf_alone_is_named_each_time_and_what_follows_is_in_step(line):
    found = lines(Framer(255, 999), [line + line + b"QUIT\r\n"])
    assert found == [BadLine.BARE, BadLine.BARE, b"QUIT"]


def test_a_nul_is_named():
    assert lines(Framer(255, 999), [b"PASS a\0b\r\nQUIT\r\n"]) == [BadLine.NUL, b"QUIT"]


def test_tls_is_named_at_its_first_octet_and_once():
    found = lines(Framer(255, 999), [b"NOOP\r\n\x16", b"\x03\x01\0\0", b"x" * 999, b"\r\nQUIT\r\n"])
    assert found == [b"NOOP", BadLine.TLS, b"QUIT"]
    assert lines(Framer(255, 999), [b"PASS \x16\r\n"]) == [b"PASS \x16"]


def test_a_line_that_is_too_long_ends_with_any_lf():
    assert lines(Framer(255, 999), [b"x" * 300 + b"\nQUIT\r\n"]) == [BadLine.LONG, b"QUIT"]


def test_255_octets_are_a_line_and_256_are_not():
    longest = b"x" * 253
    assert lines(Framer(255, 999), [longest + b"\r\n"]) == [longest]
    assert lines(Framer(255, 999), [longest, b"\r", b"\n"]) == [longest]
    assert lines(Framer(255, 999), [longest + b"x\r\n"]) == [BadLine.LONG]
    assert lines(Framer(255, 999), [longest + b"x"]) == [BadLine.LONG]


def test_auth_may_be_longer():
    line = b"auth PLAIN " + b"A" * 900
    assert lines(Framer(255, 999), [line + b"\r\n"]) == [line]
    assert lines(Framer(255, 999), [line + b"A" * 100 + b"\r\n"]) == [BadLine.LONG]


def test_a_response_may_be_longer():
    framer = Framer(255, 999)
    framer.feed(b"A" * 900)
    assert framer.next(is_response=True) is None
    framer.feed(b"\r\n")
    assert framer.next(is_response=True) == b"A" * 900


def test_a_line_without_end_is_named_once_and_kept_nowhere():
    framer = Framer(255, 999)
    assert lines(framer, [b"x" * 1000, b"y" * 100_000]) == [BadLine.LONG]
    assert len(framer._buffer) == 0
    assert lines(framer, [b"DELE 1\r\nNOOP\r\n"]) == [b"NOOP"]


def test_it_is_empty_when_all_was_taken():
    framer = Framer(255, 999)
    assert framer.is_empty
    framer.feed(b"STLS\r\nU")
    assert framer.next() == b"STLS"
    assert not framer.is_empty


@given(octets, cuts)
def test_lines_do_not_depend_on_how_the_stream_was_cut(data, at):
    assert lines(Framer(12, 20), cut(data, at)) == lines(Framer(12, 20), [data])


@given(octets)
def test_no_line_is_longer_than_allowed(data):
    for line in lines(Framer(12, 20), [data]):
        assert isinstance(line, BadLine) or len(line) <= 18


@given(octets)
def test_every_lf_ends_a_line_that_is_answered(data):
    assert len(lines(Framer(12, 20), [data + b"\n"])) == data.count(b"\n") + 1


# ------------------------------------------------------------ dots


def stuffed(pieces):
    stuffing = DotStuffing()
    return b"".join([*map(stuffing, pieces), stuffing.finish()])


def received(reply):
    """What a client that ends lines at CRLF alone makes of a reply: the message, and what is left."""
    message = b""
    while True:
        line, end, reply = reply.partition(b"\r\n")
        assert end, "the reply does not end"
        if line == b".":
            return message, reply
        message += (line[1:] if line.startswith(b".") else line) + end


def test_dots_that_begin_lines_are_doubled():
    assert stuffed([b".\r\n..a\r\nb.\r\n"]) == b"..\r\n...a\r\nb.\r\n.\r\n"


def test_an_empty_message_has_only_the_end():
    assert stuffed([]) == b".\r\n"
    assert stuffed([b""]) == b".\r\n"


def test_a_message_without_final_crlf_gets_one():
    assert stuffed([b"a"]) == b"a\r\n.\r\n"
    assert stuffed([b"a\r", b"\n"]) == b"a\r\n.\r\n"


def test_a_dot_after_a_lone_lf_is_doubled_too():
    assert stuffed([b"a\n.\r\n+OK\r\n"]) == b"a\n..\r\n+OK\r\n.\r\n"


@given(messages, cuts)
def test_stuffing_does_not_depend_on_how_the_message_was_cut(message, at):
    assert stuffed(cut(message, at)) == stuffed([message])


@given(messages)
def test_a_client_receives_the_message(message):
    text = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    if text and not text.endswith(b"\r\n"):
        text += b"\r\n"
    assert received(stuffed([text]) + b"+OK next\r\n") == (text, b"+OK next\r\n")


@given(messages)
def test_nothing_inside_a_message_ends_the_reply(message):
    reply = stuffed([message])
    assert [match.end() for match in re.finditer(rb"(?:^|\n)\.\r?\n", reply)] == [len(reply)]


# ------------------------------------------------------------ the top of a message


def top_of(pieces, count):
    top = TopFilter(count)
    wanted = b""
    for piece in pieces:
        assert not (top.is_complete and top(piece))
        wanted += top(piece)
    return wanted


HEAD = b"Subject: a\r\n\r\n"


def test_top_has_header_empty_line_and_so_many_lines():
    assert top_of([HEAD + b"1\r\n2\r\n3\r\n"], 0) == HEAD
    assert top_of([HEAD + b"1\r\n2\r\n3\r\n"], 2) == HEAD + b"1\r\n2\r\n"
    assert top_of([HEAD + b"1\r\n2\r\n3\r\n"], 9) == HEAD + b"1\r\n2\r\n3\r\n"


def test_a_message_may_have_no_header_or_nothing_else():
    assert top_of([b"\r\n1\r\n2\r\n"], 1) == b"\r\n1\r\n"
    assert top_of([b"Subject: a\r\n"], 0) == b"Subject: a\r\n"


def test_top_knows_when_it_has_enough():
    top = TopFilter(1)
    assert top(HEAD) == HEAD
    assert not top.is_complete
    assert top(b"1\r\n2") == b"1\r\n"
    assert top.is_complete
    assert top(b"\r\n3") == b""


@given(messages, cuts, st.integers(0, 4))
def test_top_does_not_depend_on_how_the_message_was_cut(message, at, count):
    assert top_of(cut(message, at), count) == top_of([message], count)


@given(messages, messages, st.integers(0, 4))
def test_top_is_what_the_definition_says(head, body, count):
    head = re.sub(rb"[\r\n]+", b"\r\n", head).strip(b"\r\n")
    whole = (head + b"\r\n" if head else b"") + b"\r\n" + body
    lines = re.findall(rb"[^\n]*\n|[^\n]+\Z", body)
    assert top_of([whole], count) == whole[: len(whole) - len(body)] + b"".join(lines[:count])


def test_what_was_returned_is_not_kept():
    framer = Framer(255, 999)
    framer.feed(b"NOOP\r\n" * 1000 + b"NO")
    while framer.next() is not None:
        pass
    assert framer._buffer == b"NO"
