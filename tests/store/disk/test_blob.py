import errno
import gc
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.meanwhile import TurningBlocking, begin
from twisted_mail.mail.message import PIECE, MemoryBlob
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk import blob
from twisted_mail.store.disk.blob import Descriptor, FileBlob, SpoolWriter
from twisted_mail.testing.doubles import InlineBlocking, finish

SMALL = 100


class FailingBlocking(InlineBlocking):
    """A door behind which the disk fails when told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.done = 0

    async def run(self, work, *args, **kwargs):
        if self.error is not None:
            raise self.error
        self.done += 1
        return work(*args, **kwargs)


@pytest.fixture
def blocking() -> FailingBlocking:
    return FailingBlocking()


@pytest.fixture
def writer(tmp_path, blocking) -> SpoolWriter:
    return SpoolWriter(tmp_path, blocking, SMALL)


def content(found) -> bytes:
    return b"".join(found.pieces())


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def file_of(writer: SpoolWriter) -> int:
    with writer._file.use() as number:
        return number


def test_what_fits_stays_in_memory(writer, blocking):
    finish(writer.write(b"x" * SMALL))
    found = finish(writer.finish())
    assert isinstance(found, MemoryBlob)
    assert (content(found), found.size, blocking.done) == (b"x" * SMALL, SMALL, 0)


def test_nothing_written_is_an_empty_blob(writer):
    found = finish(writer.finish())
    assert (found.size, content(found)) == (0, b"")


def test_what_does_not_fit_goes_to_a_file_without_a_name(writer, tmp_path):
    finish(writer.write(b"x" * SMALL))
    finish(writer.write(b"y" * SMALL))
    found = finish(writer.finish())
    assert isinstance(found, FileBlob)
    assert content(found) == b"x" * SMALL + b"y" * SMALL
    assert os.listdir(tmp_path) == []
    found.close()


def test_small_writes_share_a_trip_to_the_disk(writer, blocking):
    for _ in range(1000):
        finish(writer.write(b"x" * SMALL))
    assert blocking.done == 2
    found = finish(writer.finish())
    assert found.size == 1000 * SMALL
    found.close()


@given(st.lists(st.binary(max_size=300), max_size=12), st.integers(0, 400))
def test_any_split_gives_the_same_bytes(tmp_path_factory, pieces, in_memory):
    writer = SpoolWriter(str(tmp_path_factory.getbasetemp()), InlineBlocking(), in_memory)
    for piece in pieces:
        finish(writer.write(piece))
    found = finish(writer.finish())
    whole = b"".join(pieces)
    assert (content(found), found.size, writer.size) == (whole, len(whole), len(whole))
    found.close()


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


def test_without_unnamed_files_a_file_is_unlinked_at_once(writer, tmp_path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    finish(writer.write(b"x" * 1000))
    assert os.listdir(tmp_path) == []
    found = finish(writer.finish())
    assert content(found) == b"x" * 1000
    found.close()


def test_a_file_system_without_unnamed_files_is_no_obstacle(writer, tmp_path, monkeypatch):
    real = os.open

    def refuse(path, flags, *rest, **named):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not here")
        return real(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", refuse)
    finish(writer.write(b"x" * 1000))
    found = finish(writer.finish())
    assert (content(found), os.listdir(tmp_path)) == (b"x" * 1000, [])
    found.close()


def test_nobody_else_may_read_the_file(writer):
    finish(writer.write(b"x" * 1000))
    assert os.fstat(file_of(writer)).st_mode & 0o777 == 0o600
    writer.discard()


def test_short_writes_are_continued(writer, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda number, data: real(number, bytes(data[:7])))
    finish(writer.write(bytes(range(256))))
    found = finish(writer.finish())
    assert content(found) == bytes(range(256))
    found.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_insufficient_storage(writer, blocking, number):
    blocking.error = OSError(number, "/var/spool/secret")
    with pytest.raises(Unavailable) as caught:
        finish(writer.write(b"x" * 1000))
    assert (caught.value.outcome.code, caught.value.outcome.enhanced) == (452, "4.3.1")
    assert "secret" not in str(caught.value)


def test_another_failure_of_the_disk_is_unavailable(writer, blocking):
    blocking.error = OSError(errno.EIO, "/var/spool/secret")
    with pytest.raises(Unavailable) as caught:
        finish(writer.write(b"x" * 1000))
    assert (caught.value.outcome.code, caught.value.outcome.enhanced) == (451, "4.3.0")


def test_after_a_failure_the_writer_only_counts_and_finish_raises(writer, blocking):
    finish(writer.write(b"x" * 1000))
    number = file_of(writer)
    blocking.error = OSError(errno.ENOSPC, "full")
    with pytest.raises(Unavailable):
        finish(writer.write(b"y" * (PIECE + 1)))
    assert not is_open(number)
    blocking.error = None
    finish(writer.write(b"z" * PIECE * 2))
    assert (writer.size, len(writer._held)) == (1000 + PIECE + 1 + PIECE * 2, 0)
    for _ in range(2):
        with pytest.raises(Unavailable):
            finish(writer.finish())


def test_a_failure_in_finish_is_raised(writer, blocking):
    finish(writer.write(b"x" * 1000))
    finish(writer.write(b"y"))
    blocking.error = OSError(errno.EIO, "gone")
    with pytest.raises(Unavailable):
        finish(writer.finish())


def test_a_door_with_too_much_work_is_unavailable(writer, blocking):
    blocking.error = Unavailable("too busy")
    with pytest.raises(Unavailable):
        finish(writer.write(b"x" * 1000))
    finish(writer.write(b"x" * 1000))
    assert writer.size == 2000


def test_a_folder_that_is_missing_is_unavailable(tmp_path):
    writer = SpoolWriter(str(tmp_path / "missing"), InlineBlocking(), SMALL)
    with pytest.raises(Unavailable):
        finish(writer.write(b"x" * 1000))


def test_what_is_discarded_is_closed_and_only_counted(writer):
    finish(writer.write(b"x" * 1000))
    number = file_of(writer)
    writer.discard()
    writer.discard()
    assert not is_open(number)
    finish(writer.write(b"x" * 1000))
    assert writer.size == 2000


def test_discarding_after_finish_leaves_the_blob(writer):
    finish(writer.write(b"x" * 1000))
    found = finish(writer.finish())
    writer.discard()
    assert content(found) == b"x" * 1000
    found.close()


def open_files() -> set[str]:
    gc.collect()
    return {*os.listdir("/proc/self/fd")}


@pytest.mark.parametrize("turns", range(1, 6))
def test_a_session_that_ends_during_a_write_leaves_no_file_open(tmp_path, turns):
    before, blocking = open_files(), TurningBlocking()
    writer = SpoolWriter(tmp_path, blocking, SMALL)
    begin(writer.write(b"x" * 1000), turns)
    while blocking.jobs:
        blocking.jobs.popleft().do()
    writer.discard()
    del writer
    assert open_files() == before


def test_what_a_session_left_half_written_cannot_be_finished(tmp_path):
    writer = SpoolWriter(tmp_path, TurningBlocking(), SMALL)
    begin(writer.write(b"x" * 1000), 2)
    with pytest.raises(Unavailable):
        finish(writer.finish())


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


def test_a_file_closed_while_it_is_read_stays_open_until_the_reader_ends(writer):
    finish(writer.write(b"x" * (PIECE + 1)))
    number = file_of(writer)
    found = finish(writer.finish())
    reader = found.pieces()
    next(reader)
    found.close()
    assert is_open(number)
    assert next(reader) == b"x"
    assert next(reader, None) is None
    assert not is_open(number)


def test_a_reader_that_gives_up_lets_the_file_be_closed(writer):
    finish(writer.write(b"x" * (PIECE + 1)))
    number = file_of(writer)
    found = finish(writer.finish())
    reader = found.pieces()
    next(reader)
    found.close()
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
    thread = threading.Thread(target=blob._write, args=(file, bytearray(b"data")))
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
