import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.line_ends import LfRepair, octets_with_crlf, with_crlf

OCTETS = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"x", b"\0"])).map(b"".join)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"one\ntwo", b"one\r\ntwo"),
        (b"one\r\ntwo\n", b"one\r\ntwo\r\n"),
        (b"\n\n", b"\r\n\r\n"),
        (b"one\rtwo\r", b"one\rtwo\r"),
        (b"one\r\r\ntwo\n", b"one\r\r\ntwo\r\n"),
    ],
)
def test_lf_alone_becomes_crlf_and_cr_alone_stays(data: bytes, expected: bytes) -> None:
    assert with_crlf(data) == expected


@given(OCTETS)
def test_afterwards_no_lf_stands_alone_and_nothing_else_changed(data: bytes) -> None:
    made = with_crlf(data)
    assert made.count(b"\n") == made.count(b"\r\n") == data.count(b"\n")
    assert made.replace(b"\r\n", b"\n") == data.replace(b"\r\n", b"\n")
    assert with_crlf(made) == made


@given(st.lists(OCTETS))
def test_chunks_give_what_the_whole_gives(chunks: list[bytes]) -> None:
    assert b"".join(map(LfRepair(), chunks)) == with_crlf(b"".join(chunks))


@given(OCTETS, st.sampled_from([b"", b"\r", b"x"]))
def test_octets_are_counted_as_they_would_be_returned(data: bytes, last: bytes) -> None:
    assert octets_with_crlf(data, last) == len(with_crlf(data, last))
