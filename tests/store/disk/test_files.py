import errno
from pathlib import Path

import pytest

from tests.faults import FailDisk
from twisted_mail.mail.message import PIECE, MemoryBlob
from twisted_mail.store.disk.blob import Descriptor, FileBlob
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.files import DiskFiles


def test_a_file_is_written_replaced_and_extended(tmp_path: Path) -> None:
    files, path = DiskFiles(), str(tmp_path / "a")
    files.write(path, [b"one", b"two"])
    assert files.read(path, 100) == b"onetwo"
    files.replace(path, b"three")
    files.append(path, b"four")
    assert files.read(path, 7) == b"threefo"
    assert files.names(str(tmp_path)) == ["a"]


def test_what_is_not_there_is_empty_or_made(tmp_path: Path) -> None:
    files, path = DiskFiles(), str(tmp_path / "b" / "c")
    assert files.read(path, 100) is None
    assert files.names(path) == []
    files.remove(path)
    files.make_folder(str(tmp_path / "b"))
    files.append(path, b"x")
    assert files.read(path, 100) == b"x"


def test_a_blob_is_read_in_ranges_and_stays_when_it_is_closed(tmp_path: Path) -> None:
    files, path = DiskFiles(), str(tmp_path / "a")
    files.write(path, [b"0123456789"])
    blob = files.blob(path)
    blob.close()
    assert blob.size == 10
    assert b"".join(blob.pieces(3, 6)) == b"345"
    (tmp_path / "a").write_bytes(b"01")
    with pytest.raises(OSError, match="shorter"):
        b"".join(blob.pieces())


def test_names_are_changed_by_link_and_rename(tmp_path: Path) -> None:
    files, one, two = DiskFiles(), str(tmp_path / "1"), str(tmp_path / "2")
    files.write(one, [b"x"])
    files.link(one, two)
    with pytest.raises(FileExistsError):
        files.link(one, two)
    files.rename(two, str(tmp_path / "3"))
    files.sync_folder(str(tmp_path))
    assert sorted(files.names(str(tmp_path))) == ["1", "3"]


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    disk = FailDisk(0, errno.EIO, among=frozenset({"names"}))
    with pytest.raises(OSError, match="as told"):
        DiskFiles(disk).names(str(tmp_path))


def test_a_blob_in_a_file_gets_a_name(tmp_path: Path):
    disk = Disk()
    fd = disk.create_unnamed(bytes(tmp_path))
    disk.write(fd, b"octets")
    blob = FileBlob(Descriptor(fd, disk), 6)
    files = DiskFiles()
    assert files.adopt(blob, str(tmp_path / "named"))
    with pytest.raises(FileExistsError):
        files.adopt(blob, str(tmp_path / "named"))
    blob.close()
    assert (tmp_path / "named").read_bytes() == b"octets"


def test_a_blob_in_no_file_gets_none(tmp_path: Path):
    assert not DiskFiles().adopt(MemoryBlob(b"octets"), str(tmp_path / "named"))
    disk = Disk()
    fd = disk.create(bytes(tmp_path / "lost"))
    disk.unlink(bytes(tmp_path / "lost"))
    blob = FileBlob(Descriptor(fd, disk), 0)
    assert not DiskFiles().adopt(blob, str(tmp_path / "named"))
    blob.close()
    assert list(tmp_path.iterdir()) == []


def test_room_is_octets_and_files(tmp_path: Path):
    octets, inodes = DiskFiles().room(str(tmp_path))
    assert octets > 0
    assert inodes > 0


def test_a_blob_can_be_read_to_its_end_if_its_file_is_removed(tmp_path: Path) -> None:
    files, path = DiskFiles(), str(tmp_path / "a")
    files.write(path, [bytes(PIECE), b"the end"])
    blob = files.blob(path)
    pieces = blob.pieces()
    assert len(next(pieces)) == PIECE
    files.remove(path)
    assert list(pieces) == [b"the end"]
    assert b"".join(blob.pieces(PIECE)) == b"the end"
    blob.close()
    blob.close()
    with pytest.raises(FileNotFoundError):
        b"".join(blob.pieces())


def test_only_so_many_files_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class CountingDisk(Disk):
        now_open = 0

        def open(self, path: bytes) -> int:
            self.now_open += 1
            return super().open(path)

        def close(self, fd: int) -> None:
            self.now_open -= 1
            super().close(fd)

    monkeypatch.setattr("twisted_mail.store.disk.files.MAX_OPEN", 2)
    disk, path = CountingDisk(), str(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"octets")
    files = DiskFiles(disk)
    blobs = [files.blob(path) for _ in range(5)]
    assert disk.now_open == 2
    assert [b"".join(blob.pieces()) for blob in blobs] == [b"octets"] * 5
    assert disk.now_open == 2
    blobs[0].close()
    blobs.append(files.blob(path))  # in its place
    assert disk.now_open == 2
    blobs.clear()  # abandoned ones close themselves
    assert disk.now_open == 0
    blobs = [files.blob(path) for _ in range(3)]
    assert disk.now_open == 2
