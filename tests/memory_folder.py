"""A folder in memory, for tests that would wait for a disk which is not their subject."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture(name="tmp_path")
def memory_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, else the usual one."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="twisted-mail-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
