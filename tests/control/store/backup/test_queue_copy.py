"""The queue goes along into a backup, and comes back where there is none."""

import shutil
from pathlib import Path

import pytest

from tests.control.store.backup.test_backup import folder, store
from tests.control.store.commands import ALICE, StoreCommand
from twisted_mail.control.store.backup import snapshots
from twisted_mail.mail.address import parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.job import NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.store.disk.memory_budget import Budget
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

__all__ = ["folder", "store"]  # fixtures

SMALL = b"Subject: small\r\n\r\nbody\r\n"
LARGE = b"Subject: large\r\n\r\n" + b"x" * 100_000


def opened(store: StoreCommand) -> DiskJobSpool:
    path = str(store.folder / "state" / "queue")
    spool = DiskJobSpool(path, DiskFiles(), InlineBlocking(), StillClock(), Budget())
    finish(spool.start())
    return spool


def fill(store: StoreCommand) -> None:
    spool = opened(store)
    for id, data in (("id1", SMALL), ("id2", LARGE)):
        owed = OwedRecipient(1, RemoteTarget(parse("dave@elsewhere.example")))
        job = QueuedJob(id, 1.0, parse(ALICE), size=len(data))
        finish(spool.accept(NewJob(job, (owed,), Message(MemoryBlob(data)))))
    finish(spool.close())


def waiting(store: StoreCommand) -> list[bytes]:
    spool = opened(store)
    found = []
    for id in ("id1", "id2"):
        loaded = finish(spool.read(id))
        assert loaded is not None
        found.append(loaded.message.read())
        loaded.message.blob.close()
    finish(spool.close())
    return found


def test_mail_that_waits_is_restored_with_everything_else(
    store: StoreCommand, folder: Path
) -> None:
    fill(store)
    assert store("backup", folder) == 0, store.out
    shutil.rmtree(store.folder / "state" / "queue")
    assert store("restore", folder) == 0, store.out
    assert "the queue is back" in store.out
    assert waiting(store) == [SMALL, LARGE]


def test_a_queue_that_is_there_is_left_alone(store: StoreCommand, folder: Path) -> None:
    fill(store)
    assert store("backup", folder) == 0, store.out
    spool = opened(store)
    finish(spool.close())
    assert not store.json("restore", folder)["queue"]
    assert waiting(store) == [SMALL, LARGE]


def test_what_names_accounts_has_no_queue_in_it(store: StoreCommand, folder: Path) -> None:
    fill(store)
    assert store("backup", folder, ALICE) == 0, store.out
    [snapshot] = snapshots.finished(folder)
    assert not (snapshot / "queue").exists()


def test_a_server_without_a_queue_is_backed_up_without_one(
    store: StoreCommand, folder: Path
) -> None:
    assert store("backup", folder) == 0, store.out
    assert not store.json("restore", folder)["queue"]


def test_a_queue_that_cannot_be_copied_is_named(
    store: StoreCommand, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = store.folder / "state" / "queue"
    queue.mkdir()
    (queue / "queue.sqlite3").write_bytes(b"no database, however long it may be" * 100)
    assert store("backup", folder) == 1
    assert "the queue cannot be copied" in store.err
