"""Tests of twisted_mail.store.disk.spool."""

import errno
import gc
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.meanwhile import TurningBlocking, begin
from tests.store.disk.spooling import SMALL, content, file_of, is_open
from twisted_mail.mail.message import PIECE, MemoryBlob
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.blob import FileBlob
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.disk.memory_budget import Budget
from twisted_mail.store.disk.spool import SpoolWriter
from twisted_mail.testing.doubles import InlineBlocking, finish


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


def test_small_writes_share_a_trip_to_the_disk(tmp_path, blocking):
    writer = SpoolWriter(tmp_path, blocking, SMALL, Budget(PIECE, PIECE))
    for _ in range(10_000):
        finish(writer.write(b"x" * SMALL))
    assert blocking.done == 1 + 10_000 * SMALL // PIECE  # one makes the file
    found = finish(writer.finish())
    assert found.size == 10_000 * SMALL
    found.close()


def test_no_message_holds_more_than_its_own_when_nothing_is_left_for_all(tmp_path, blocking):
    budget = Budget(0, PIECE)
    writer = SpoolWriter(tmp_path, blocking, SMALL, budget)
    for _ in range(100):
        finish(writer.write(b"x" * 30))
        assert len(writer._held) <= SMALL
    found = finish(writer.finish())
    assert found.size == 3000
    found.close()
    assert budget.left == 0


@given(st.lists(st.binary(max_size=300), max_size=12), st.integers(0, 400))
def test_any_split_gives_the_same_bytes(tmp_path_factory, pieces, in_memory):
    writer = SpoolWriter(str(tmp_path_factory.getbasetemp()), InlineBlocking(), in_memory)
    for piece in pieces:
        finish(writer.write(piece))
    found = finish(writer.finish())
    whole = b"".join(pieces)
    assert (content(found), found.size, writer.size) == (whole, len(whole), len(whole))
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


def test_a_folder_that_is_missing_is_unavailable_and_reported(tmp_path):
    reports = []
    faults = DiskFaults(lambda where, error: reports.append((where, type(error))))
    writer = SpoolWriter(str(tmp_path / "missing"), InlineBlocking(), SMALL, faults=faults)
    with pytest.raises(Unavailable):
        finish(writer.write(b"x" * 1000))
    assert reports == [(str(tmp_path / "missing"), FileNotFoundError)]


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
