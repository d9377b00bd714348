"""Contents as DATA sends them."""

from hypothesis import example, given
from hypothesis import strategies as st

from twisted_mail.mail.message import MemoryBlob
from twisted_mail.smtp.dialogue import content
from twisted_mail.smtp.dialogue.content import CHUNK, DotDoubling, stuffed
from twisted_mail.smtp.stream.dot_reader import DataReader

_CONTENT = st.lists(st.sampled_from([b"\r\n", b".", b"a", b"..", b"\r\n."]), max_size=20).map(
    b"".join
)


@given(_CONTENT, st.lists(st.integers(0, 40), max_size=6))
@example(b".\r\n.", [1, 2, 3])
@example(b"", [])
def test_our_own_server_reads_what_was_meant(data: bytes, cuts: list[int]) -> None:
    ends = sorted({*(cut for cut in cuts if cut < len(data)), len(data)})
    stuffing = DotDoubling()
    pieces = [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    sent = b"".join([stuffing.feed(piece) for piece in pieces]) + stuffing.end()
    assert sent == stuffed(data)
    reader = DataReader()
    read = reader.feed(sent + b"MAIL")
    assert reader.rest == b"MAIL"
    assert read == data + (b"" if data.endswith(b"\r\n") or not data else b"\r\n")


@given(st.lists(st.sampled_from([b"\n", b"\r", b".", b"a", b"\r\n"]), max_size=30).map(b"".join))
def test_no_line_end_of_any_kind_and_a_dot_end_the_content_early(data: bytes) -> None:
    sent = stuffed(data)
    assert b"\n.\n" not in sent
    assert b"\n.\r" not in sent[:-3]
    assert sent.endswith(b".\r\n")


def test_an_open_line_is_ended() -> None:
    assert stuffed(b"a") == b"a\r\n.\r\n"
    assert stuffed(b"a\r\n") == b"a\r\n.\r\n"
    assert stuffed(b"") == b".\r\n"


def test_chunks_have_a_bounded_size() -> None:
    blob = MemoryBlob(bytes(CHUNK + 5))
    assert len(content.chunk(blob, 0)) == CHUNK
    assert len(content.chunk(blob, CHUNK)) == 5
    assert [len(one) for one in content.in_chunks(blob.data)] == [CHUNK, 5]
