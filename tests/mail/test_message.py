"""Tests of twisted_mail.mail.message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail import message
from twisted_mail.mail.message import JoinedBlob, MemoryBlob, Message, SlicedBlob


@given(st.binary(max_size=40), st.integers(0, 50), st.none() | st.integers(0, 50))
def test_pieces_are_the_octets_asked_for(data: bytes, start: int, stop: int | None) -> None:
    blob = MemoryBlob(data)
    assert b"".join(blob.pieces(start, stop)) == data[start:stop]
    assert blob.size == len(data)


def test_pieces_are_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "PIECE", 4)
    assert list(MemoryBlob(b"0123456789").pieces(1, 10)) == [b"1234", b"5678", b"9"]


def test_the_prefix_stands_in_front() -> None:
    whole = Message(MemoryBlob(b"Subject: x\r\n\r\n"), b"Received: y\r\n")
    assert b"".join(whole.pieces()) == b"Received: y\r\nSubject: x\r\n\r\n"
    assert whole.size == 27


def test_without_a_prefix_there_is_no_empty_piece() -> None:
    assert list(Message(MemoryBlob(b"x")).pieces()) == [b"x"]
    assert list(Message(MemoryBlob(b"")).pieces()) == []


def test_closing_memory_does_nothing() -> None:
    blob = MemoryBlob(b"x")
    blob.close()
    assert b"".join(blob.pieces()) == b"x"


@given(
    st.lists(st.binary(max_size=9), max_size=4),
    st.integers(0, 30),
    st.none() | st.integers(0, 30),
)
def test_joined_blobs_are_read_as_one(parts: list[bytes], start: int, stop: int | None) -> None:
    blob = JoinedBlob(tuple(MemoryBlob(part) for part in parts))
    assert b"".join(blob.pieces(start, stop)) == b"".join(parts)[start:stop]
    assert blob.size == len(b"".join(parts))
    blob.close()


@given(
    st.binary(max_size=20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.integers(0, 30),
    st.none() | st.integers(0, 30),
)
def test_a_slice_is_read_as_a_blob(
    data: bytes, one: int, other: int, start: int, stop: int | None
) -> None:
    first, last = sorted((min(one, len(data)), min(other, len(data))))
    blob = SlicedBlob(MemoryBlob(data), first, last)
    assert b"".join(blob.pieces(start, stop)) == data[first:last][start:stop]
    assert blob.size == last - first
    blob.close()
