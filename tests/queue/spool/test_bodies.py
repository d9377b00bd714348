import os
from pathlib import Path

import pytest

from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.queue.spool.bodies import BodyFolder
from twisted_mail.queue.spool.rows import BodySum, DamagedRow
from twisted_mail.store.disk.blob import Descriptor, FileBlob
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.files import DiskFiles

LARGE = os.urandom(70_000)


@pytest.fixture
def bodies(tmp_path: Path) -> BodyFolder:
    bodies = BodyFolder(str(tmp_path), DiskFiles())
    bodies.make()
    return bodies


def file_blob(folder: Path, data: bytes) -> FileBlob:
    disk = Disk()
    fd = disk.create_unnamed(bytes(folder))
    disk.write(fd, data)
    return FileBlob(Descriptor(fd, disk), len(data))


def test_a_large_message_in_an_unnamed_file_gets_a_name_and_is_not_copied(
    bodies: BodyFolder, tmp_path: Path
):
    blob = file_blob(tmp_path, LARGE)
    with blob._file.use() as number:
        inode = os.fstat(number).st_ino
    stored = bodies.store("a", Message(blob, b"prefix"))
    blob.close()
    assert stored.data is None
    assert (tmp_path / "bodies" / "a").stat().st_ino == inode
    assert b"".join(bodies.read("a", b"prefix", None, stored.sum).pieces()) == LARGE


def test_one_in_memory_is_written(bodies: BodyFolder, tmp_path: Path):
    stored = bodies.store("a", Message(MemoryBlob(LARGE)))
    assert (tmp_path / "bodies" / "a").read_bytes() == LARGE
    assert stored.sum.is_file


def test_the_body_of_another_job_is_never_overwritten(bodies: BodyFolder, tmp_path: Path):
    bodies.store("a", Message(MemoryBlob(LARGE)))
    for blob in (MemoryBlob(LARGE[::-1]), file_blob(tmp_path, LARGE[::-1])):
        with pytest.raises(FileExistsError):
            bodies.store("a", Message(blob))
    assert (tmp_path / "bodies" / "a").read_bytes() == LARGE


def test_the_prefix_counts_for_the_checksum(bodies: BodyFolder):
    small = bodies.store("a", Message(MemoryBlob(b"body"), b"prefix"))
    assert bodies.read("a", b"prefix", b"body", small.sum).size == 4
    for prefix, body in ((b"Prefix", b"body"), (b"prefix", b"Body"), (b"prefix", b"")):
        with pytest.raises(DamagedRow):
            bodies.read("a", prefix, body, small.sum)


def test_a_file_that_is_gone_or_altered_is_damaged(bodies: BodyFolder, tmp_path: Path):
    stored = bodies.store("a", Message(MemoryBlob(LARGE)))
    (tmp_path / "bodies" / "a").write_bytes(LARGE[:-1])
    with pytest.raises(DamagedRow):
        bodies.read("a", b"", None, stored.sum)
    bodies.remove(["a"])
    with pytest.raises(DamagedRow):
        bodies.read("a", b"", None, BodySum(0, True))


@pytest.mark.parametrize("id", ["", "../a", "a/b", ".hidden", "a\0", "x" * 101])
def test_no_id_leads_out_of_the_folder(bodies: BodyFolder, id: str):
    with pytest.raises(ValueError, match="cannot have the id"):
        bodies.store(id, Message(MemoryBlob(LARGE)))


def test_files_of_no_job_are_swept_or_set_aside(bodies: BodyFolder, tmp_path: Path):
    for id in ("a", "b"):
        bodies.store(id, Message(MemoryBlob(LARGE)))
    bodies.sweep(lambda name: name != "a")
    assert os.listdir(tmp_path / "bodies") == ["b"]
    bodies.set_aside(str(tmp_path / "aside"), lambda name: False)
    assert os.listdir(tmp_path / "aside") == ["b"]
