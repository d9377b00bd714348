import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.smtp.stream.dot_reader import DataReader, LineEndCheck

OCTETS = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"..", b"a", b"\r\n.", b"\r\n.\r\n", b"QUIT"])
)


def read(chunks: list[bytes], reader: DataReader | None = None) -> tuple[bytes, bytes | None, bool]:
    reader = reader or DataReader()
    content = b""
    for at, chunk in enumerate(chunks):
        content += reader.feed(chunk)
        if reader.rest is not None:
            return content, reader.rest + b"".join(chunks[at + 1 :]), reader.is_malformed
    return content, None, reader.is_malformed


def by_the_book(stream: bytes) -> tuple[bytes, bytes | None, bool]:
    """RFC 5321 §4.5.2, line by line, as one would write it for clarity alone."""
    content, is_malformed = b"", False
    while b"\r\n" in stream:
        line, _, stream = stream.partition(b"\r\n")
        if line == b".":
            return content, stream, is_malformed
        if b"\r" in line or b"\n" in line:
            is_malformed = True
        content += (line[1:] if line.startswith(b".") else line) + b"\r\n"
    return content, None, is_malformed


def test_a_message_ends_at_a_lone_dot() -> None:
    assert read([b"Subject: x\r\n\r\nhi\r\n.\r\nQUIT\r\n"]) == (
        b"Subject: x\r\n\r\nhi\r\n",
        b"QUIT\r\n",
        False,
    )


def test_a_message_may_be_empty() -> None:
    assert read([b".\r\n"]) == (b"", b"", False)
    assert read([b".", b"\r", b"\n"]) == (b"", b"", False)


def test_added_dots_are_taken_away() -> None:
    assert read([b"..\r\n...a\r\n.b\r\n.\r\n"]) == (b".\r\n..a\r\nb\r\n", b"", False)


@pytest.mark.parametrize(
    "mark",
    [
        b"\n.\n",
        b"\r\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\r.\n",
        b"\n.\r",
        b"\r\r\n.\r\r\n",
        b"\n\n.\r\n",
        b"\r\n.\n\r\n",
        b"\r\n\n.\r\n",
        b"\r\n\x00.\n",
        b"\r\n.\r\r\n",
        b"\r\n.\x00\n",
    ],
    ids=repr,
)
def test_nothing_but_crlf_dot_crlf_ends_a_message_and_its_likes_are_noticed(mark: bytes) -> None:
    stream = b"text" + mark + b"MAIL FROM:<smuggler@example.org>\r\n.\r\n"
    for chunks in ([stream], [stream[at : at + 1] for at in range(len(stream))]):
        content, rest, is_malformed = read(chunks)
        assert b"smuggler" in content
        assert rest == b""
        assert is_malformed


def repaired(chunks: list[bytes]) -> tuple[bytes, bytes | None, bool]:
    return read(chunks, DataReader(repairs_lf=True))


def repaired_by_the_book(stream: bytes) -> tuple[bytes, bytes | None, bool]:
    content, is_malformed = b"", False
    while b"\r\n" in stream:
        line, _, stream = stream.partition(b"\r\n")
        if line == b".":
            return content, stream, is_malformed
        is_malformed = is_malformed or b"\r" in line
        first, *others = line.split(b"\n")
        texts = [first.removeprefix(b".")]
        texts += [one[1:] if one.startswith(b"..") else one for one in others]
        content += b"".join(text + b"\r\n" for text in texts)
    return content, None, is_malformed


def test_where_lf_is_repaired_every_line_ends_with_crlf() -> None:
    assert repaired([b"a: b\n\nc\n\r\nd\n.\r\n.\r\nQUIT"]) == (
        b"a: b\r\n\r\nc\r\n\r\nd\r\n.\r\n",
        b"QUIT",
        False,
    )
    assert repaired([b"a\rb\n\r\n.\r\n"])[2]


@pytest.mark.parametrize(
    ("sent", "meant"), [(b"\n..x", b"\r\n.x"), (b"\n.x", b"\r\n.x"), (b"\n.\n", b"\r\n.\r\n")]
)
def test_a_dot_after_lf_is_taken_away_only_if_it_was_added(sent: bytes, meant: bytes) -> None:
    assert repaired([b"a" + sent + b"\r\n.\r\n"])[0] == b"a" + meant + b"\r\n"


@pytest.mark.parametrize("mark", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\n.\r"], ids=repr)
def test_where_lf_is_repaired_a_message_ends_in_no_other_way(mark: bytes) -> None:
    content, rest, _ = repaired([b"text" + mark + b"MAIL FROM:<s@example.org>\r\n.\r\n"])
    assert b"MAIL" in content
    assert rest == b""


@given(OCTETS, st.lists(st.integers(0, 100)))
def test_any_split_is_repaired_alike(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts) + b"\r\n.\r\n"
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    chunks = [stream[start:end] for start, end in itertools.pairwise(ends)]
    single = [stream[at : at + 1] for at in range(len(stream))]
    expected = repaired_by_the_book(stream)
    assert repaired(chunks) == repaired([stream]) == repaired(single) == expected
    content, rest, _ = read([stream])
    assert rest == expected[1]  # the end is where it always is
    assert expected[0].count(b"\n") == content.count(b"\n") == expected[0].count(b"\r\n")


def test_a_nul_around_the_dot_does_not_end_a_message() -> None:
    content, rest, is_malformed = read([b"a\r\n\0.\r\nb\r\n.\0\r\nc\r\n.\r\n"])
    assert content == b"a\r\n\0.\r\nb\r\n\0\r\nc\r\n"
    assert (rest, is_malformed) == (b"", False)


@given(OCTETS, st.lists(st.integers(0, 100)))
def test_any_split_gives_what_the_book_says(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    chunks = [stream[start:end] for start, end in itertools.pairwise(ends)]
    single = [stream[at : at + 1] for at in range(len(stream))]
    content, rest, is_malformed = by_the_book(stream)
    for way in (chunks, [stream], single):
        got_content, got_rest, got_malformed = read(way)
        assert got_rest == rest
        if rest is not None:
            assert (got_content, got_malformed) == (content, is_malformed)
        else:
            assert (got_content + b"\r\n").startswith(content)  # the last line end is still held


@given(st.lists(st.text("ab. ").map(str.encode)))
def test_what_a_client_sends_comes_back(text: list[bytes]) -> None:
    message = b"".join(line + b"\r\n" for line in text)
    stuffed = re.sub(rb"(?m)^\.", b"..", message)
    assert read([stuffed + b".\r\nrest"]) == (message, b"rest", False)


@given(st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a"])), st.integers(1, 4))
def test_line_ends_are_judged_alike_in_any_pieces(parts: list[bytes], size: int) -> None:
    content = b"".join(parts)
    ends = LineEndCheck()
    for at in range(0, len(content), size):
        ends.feed(content[at : at + size])
        ends.feed(b"")
    rest = content.replace(b"\r\n", b"")
    assert ends.are_clean is (b"\r" not in rest and b"\n" not in rest)
    assert ends.is_line_open is bool(content and not content.endswith(b"\n"))
