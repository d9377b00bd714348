from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from tests.contracts.spool import JobSpoolContract
from tests.faults import QuickDisk
from tests.queue.spool.spools import start_spool
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.testing.doubles import finish


class TestDiskJobSpool(JobSpoolContract):
    """With new jobs in memory."""

    settings: ClassVar[dict[str, int]] = {"fresh": 1 << 20}

    @pytest.fixture
    def spool(self, tmp_path: Path) -> Iterator[DiskJobSpool]:
        spool = start_spool(tmp_path / "queue", QuickDisk(), **self.settings)
        yield spool
        finish(spool.close())

    @pytest.fixture
    def small_spool(self, tmp_path: Path) -> Iterator[DiskJobSpool]:
        spool = start_spool(tmp_path / "queue", QuickDisk(), max_messages=2, **self.settings)
        yield spool
        finish(spool.close())


class TestDiskJobSpoolWithoutMemory(TestDiskJobSpool):
    settings: ClassVar[dict[str, int]] = {"fresh": 0}


class TestDiskJobSpoolWithBodiesInFiles(TestDiskJobSpool):
    settings: ClassVar[dict[str, int]] = {"fresh": 0, "inline": 0}
