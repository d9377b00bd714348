"""Tests of twisted_mail.store.disk.blob."""

import gc
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store.disk.spooling import SMALL, content, file_of, is_open
from twisted_mail.mail.message import PIECE, MemoryBlob
from twisted_mail.store.disk import spool
from twisted_mail.store.disk.blob import Descriptor
from twisted_mail.store.disk.spool import SpoolWriter
from twisted_mail.testing.doubles import InlineBlocking, finish


@given(st.integers(0, 700), st.none() | st.integers(0, 700))
def test_ranges_of_a_file_are_those_of_memory(tmp_path_factory, start, stop):
    data = bytes(range(256)) * 2
    writer = SpoolWriter(str(tmp_path_factory.getbasetemp()), InlineBlocking(), SMALL)
    finish(writer.write(data))
    found = finish(writer.finish())
    assert [*found.pieces(start, stop)] == [*MemoryBlob(data).pieces(start, stop)]
    found.close()


def test_a_large_file_is_read_in_pieces(writer):
    data = os.urandom(PIECE) * 2 + b"end"
    finish(writer.write(data))
    found = finish(writer.finish())
    assert [len(piece) for piece in found.pieces()] == [PIECE, PIECE, 3]
    assert content(found) == data
    found.close()


def test_a_closed_blob_closes_its_file(writer):
    finish(writer.write(b"x" * 1000))
    number = file_of(writer)
    found = finish(writer.finish())
    found.close()
    found.close()
    assert not is_open(number)
    with pytest.raises(OSError, match="closed"):
        content(found)


@pytest.mark.parametrize("is_finished", [True, False])
def test_what_is_abandoned_closes_its_file(writer, tmp_path, is_finished):
    writer = SpoolWriter(str(tmp_path), InlineBlocking(), SMALL)
    finish(writer.write(b"x" * 1000))
    number = file_of(writer)
    found = finish(writer.finish()) if is_finished else None
    assert is_open(number)
    del writer, found
    gc.collect()
    assert not is_open(number)


def closed_while_read(writer):
    """Return a reader that has read the first of two pieces of a closed blob, and the file's number."""
    finish(writer.write(b"x" * (PIECE + 1)))
    number = file_of(writer)
    found = finish(writer.finish())
    reader = found.pieces()
    next(reader)
    found.close()
    return reader, number


def test_a_file_closed_while_it_is_read_stays_open_until_the_reader_ends(writer):
    reader, number = closed_while_read(writer)
    assert is_open(number)
    assert next(reader) == b"x"
    assert next(reader, None) is None
    assert not is_open(number)


def test_a_reader_that_gives_up_lets_the_file_be_closed(writer):
    reader, number = closed_while_read(writer)
    reader.close()
    assert not is_open(number)


def test_a_file_that_became_shorter_is_an_error_and_no_endless_loop(writer):
    finish(writer.write(b"x" * 1000))
    os.ftruncate(file_of(writer), 10)
    found = finish(writer.finish())
    with pytest.raises(OSError, match="shorter"):
        content(found)
    found.close()


def test_a_discard_during_a_write_waits_for_the_write_to_end(tmp_path, monkeypatch):
    # The number of a file that is closed too early may already stand for another file.
    file = Descriptor(os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT))
    is_in, may_go = threading.Event(), threading.Event()
    real = os.write

    def slow(number, data):
        is_in.set()
        assert may_go.wait(10)
        return real(number, data)

    monkeypatch.setattr(os, "write", slow)
    thread = threading.Thread(target=spool._write, args=(file, bytearray(b"data")))
    thread.start()
    assert is_in.wait(10)
    file.close()
    assert is_open(file._number)
    may_go.set()
    thread.join(10)
    assert not is_open(file._number)
    assert tmp_path.joinpath("x").read_bytes() == b"data"


def test_threads_read_one_blob_at_once(writer):
    data = os.urandom(3 * PIECE)
    finish(writer.write(data))
    found = finish(writer.finish())
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(content(found))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert answers == [data] * 4
    found.close()
