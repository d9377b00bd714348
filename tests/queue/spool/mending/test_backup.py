from pathlib import Path

import pytest

from tests.contracts.spool import new_job
from tests.faults import QuickDisk
from tests.queue.spool.spools import start_spool
from twisted_mail.queue.spool.mending.backup import back_up
from twisted_mail.queue.spool.mending.repair import repair
from twisted_mail.queue.spool.schema import SpoolUnusable
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import EPOCH, finish

LARGE = b"x" * 50_000


class FarFiles(DiskFiles):
    """Files in folders that cannot be linked to each other."""

    def link(self, path: str, new_path: str) -> None:
        raise OSError(18, "another file system")


@pytest.mark.parametrize("files", [DiskFiles(QuickDisk()), FarFiles(QuickDisk())])
def test_a_running_queue_is_copied_whole(tmp_path: Path, files: DiskFiles):
    spool = start_spool(tmp_path / "queue", QuickDisk())
    finish(spool.accept(new_job("small")))
    finish(spool.accept(new_job("large", body=LARGE)))
    back_up(str(tmp_path / "queue"), str(tmp_path / "copy"), files)
    finish(spool.accept(new_job("later")))
    finish(spool.close())
    copy = start_spool(tmp_path / "copy", QuickDisk())
    assert copy.counts().jobs == 2
    loaded = finish(copy.read("large"))
    assert loaded is not None
    assert b"".join(loaded.message.blob.pieces()) == LARGE
    finish(copy.close())


def test_a_folder_without_a_queue_is_refused(tmp_path: Path):
    with pytest.raises(SpoolUnusable, match="there is no queue"):
        back_up(str(tmp_path / "queue"), str(tmp_path / "copy"), DiskFiles(QuickDisk()))


def test_a_queue_is_mended_by_hand_while_no_server_has_it(tmp_path: Path):
    spool = start_spool(tmp_path, QuickDisk())
    finish(spool.accept(new_job("small")))
    finish(spool.accept(new_job("large", body=LARGE)))
    with pytest.raises(SpoolUnusable, match="another server"):
        repair(str(tmp_path), DiskFiles(QuickDisk()), EPOCH)
    finish(spool.close())
    (tmp_path / "bodies" / "lost").write_bytes(b"of a job that is lost")
    found = repair(str(tmp_path), DiskFiles(QuickDisk()), EPOCH)
    assert (found.jobs, found.damaged) == (2, 0)
    assert (Path(found.folder) / "bodies" / "lost").exists()
    spool = start_spool(tmp_path, QuickDisk())
    assert finish(spool.read("large")) is not None
    finish(spool.close())
