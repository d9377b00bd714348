"""What an error of the disk means to the operator: the parts are connected to the log."""

import errno
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.testing import MemoryReactorClock

from tests.assembly.test_delivery import DeliveryBench
from twisted_mail.assembly.storage import StorageAssembly
from twisted_mail.config import Config
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.net.process.fault_log import FaultLog
from twisted_mail.queue.spool.schema import SpoolUnusable
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.memory_budget import MOST
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.workers.shared_services import SharedServices


class StorageFixture:
    """The store and the spool over a folder, with the log that the assembly gives them."""

    def __init__(self, state: Path) -> None:
        self.journal, clock = ListJournal(), StillClock()
        threads: Any = SimpleNamespace(files=InlineBlocking(), accounts=InlineBlocking())
        self.report = FaultLog(self.journal, clock, lambda work, *args: work(*args))
        self.parts = StorageAssembly(
            MemoryReactorClock(),
            Config(state / "mail.toml", "mail.example.org", state),
            SharedServices(),
            threads,
            clock,
            self.journal,
            self.report,
        )

    @property
    def lines(self) -> list[str]:
        return [" ".join(map(str, words)) for _, words in self.journal.events]


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StorageFixture]:
    made = StorageFixture(tmp_path)
    yield made
    finish(made.parts.close())


def test_the_log_names_the_folder_of_mail_that_cannot_be_used(
    storage: StorageFixture, tmp_path: Path
) -> None:
    (tmp_path / "mail" / "example.org").mkdir(parents=True)
    (tmp_path / "mail" / "example.org" / "alice").touch()
    account = finish(storage.parts.store.account("alice@example.org"))
    with pytest.raises(Unavailable):
        finish(account.open("INBOX"))
    [line] = storage.lines
    assert "example.org/alice" in line
    assert "Not a directory" in line


def test_the_log_names_the_spool_that_cannot_be_written(
    storage: StorageFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Disk, "create_unnamed", refuse)
    writer = storage.parts.make_blob_writer()

    async def write() -> None:
        await writer.write(b"x" * (MOST + 1))

    with pytest.raises(Unavailable):
        finish(write())
    writer.discard()
    assert any(str(tmp_path / "tmp") in line for line in storage.lines)


def test_the_log_names_the_folder_of_the_queue_that_cannot_be_used(
    storage: StorageFixture, tmp_path: Path
) -> None:
    (tmp_path / "queue").touch()
    with pytest.raises((SpoolUnusable, Unavailable, OSError)):
        DeliveryBench(tmp_path, report_fault=storage.report).start()
