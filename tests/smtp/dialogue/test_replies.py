"""Reading replies: their form, their limits, and any way in which the stream may be cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.smtp.dialogue.replies import (
    MAX_LINE,
    MAX_LINES,
    MAX_TEXT,
    MalformedReply,
    Reply,
    ReplyReader,
)


def read(*pieces: bytes) -> list[tuple[int, list[bytes]] | str]:
    """Return the replies in what comes in these pieces, and at the end what was wrong with it."""
    reader, found = ReplyReader(), list[tuple[int, list[bytes]] | str]()
    try:
        for piece in pieces:
            reader.feed(piece)
            while (reply := reader.next()) is not None:
                found.append((reply.code, reply.lines))
    except MalformedReply as flaw:
        found.append(str(flaw))
    return found


def one(data: bytes) -> Reply:
    reader = ReplyReader()
    reader.feed(data)
    reply = reader.next()
    assert reply is not None
    return reply


def test_a_line_is_a_reply() -> None:
    assert read(b"250 Ok\r\n") == [(250, [b"Ok"])]


def test_the_text_may_be_missing_or_empty() -> None:
    assert read(b"250\r\n250 \r\n") == [(250, [b""]), (250, [b""])]


def test_lines_with_hyphens_go_on() -> None:
    assert read(b"250-One\r\n250-\r\n250 Two\r\n") == [(250, [b"One", b"", b"Two"])]


def test_a_line_may_end_with_lf_alone() -> None:
    assert read(b"250-One\n250 Two\n") == [(250, [b"One", b"Two"])]


@pytest.mark.parametrize(
    "data",
    [b"\r\n", b"25\r\n", b"150 Ok\r\n", b"650 Ok\r\n", b"250Ok\r\n", b"250_Ok\r\n", b" 250 Ok\r\n"],
)
def test_what_is_no_reply_is_malformed(data: bytes) -> None:
    assert [type(one) for one in read(data)] == [str]


def test_lines_of_one_reply_have_one_code() -> None:
    assert read(b"250-One\r\n550 Two\r\n") == ["lines of one reply with different codes"]


def test_a_nul_is_malformed() -> None:
    assert read(b"250 O\0k\r\n") == ["a reply with NUL"]


def test_a_line_has_an_end_in_time() -> None:
    longest = b"250 " + b"x" * (MAX_LINE - 4)
    assert read(longest + b"\r\n") == [(250, [longest[4:]])]
    assert read(longest + b"x\r\n") == ["a line without end"]
    assert read(longest + b"xx") == ["a line without end"]


def test_a_reply_has_an_end_in_time() -> None:
    assert len(read(b"250-x\r\n" * (MAX_LINES - 1) + b"250 x\r\n")) == 1
    assert read(b"250-x\r\n" * (MAX_LINES + 1)) == ["a reply without end"]
    long = b"250-" + b"x" * (MAX_LINE - 4) + b"\r\n"
    assert read(long * 40) == ["a reply without end"]


_LINE = st.one_of(
    st.sampled_from([b"250 Ok", b"250-Go on", b"354 Go", b"550-5.1.1 No", b"550 5.1.1 No", b""]),
    st.binary(max_size=30),
    st.just(b"250 " + b"x" * MAX_LINE),
)
_STREAM = st.lists(st.tuples(_LINE, st.sampled_from([b"\r\n", b"\n"])), max_size=12).map(
    lambda lines: b"".join(line + end for line, end in lines)
)


@given(_STREAM, st.lists(st.integers(0, 3000), max_size=20))
def test_however_the_stream_is_cut_the_replies_are_the_same(data: bytes, cuts: list[int]) -> None:
    ends = sorted({*(cut for cut in cuts if cut < len(data)), len(data)})
    pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert read(*pieces) == read(data)
    assert read(*(data[at : at + 1] for at in range(len(data)))) == read(data)


# ------------------------------------------------------------ what it says


def test_the_enhanced_code_is_taken_out_of_each_line() -> None:
    reply = one(b"550-5.1.1 No such user\r\n550 5.1.1 here\r\n")
    assert (reply.enhanced, reply.text) == ("5.1.1", "No such user here")


@pytest.mark.parametrize(
    "data", [b"250 Ok\r\n", b"250 5.1.1 Ok\r\n", b"250 2.1 Ok\r\n", b"250 2.1.1Ok\r\n"]
)
def test_what_is_no_enhanced_code_of_the_same_class_is_none(data: bytes) -> None:
    assert one(data).enhanced == ""


def test_the_text_is_one_line_without_control_signs() -> None:
    text = one(b"550 5.0.0 a\rb\x1b[31mc\x00".replace(b"\0", b"") + b"\xff\x7f \tq\r\n").text
    assert text == "a b [31mc\N{REPLACEMENT CHARACTER} q"


def test_the_text_is_bounded() -> None:
    assert len(one(b"550-" + b"x" * 1900 + b"\r\n550 " + b"y" * 1900 + b"\r\n").text) == MAX_TEXT


@given(st.binary(max_size=200).filter(lambda data: b"\n" not in data and b"\0" not in data))
def test_any_text_can_be_shown(data: bytes) -> None:
    text = one(b"450 " + data + b"\r\n").text
    assert text.isprintable()
    text.encode()
