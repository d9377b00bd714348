"""The store's tests live in memory where they can: they copy and stop stores ten thousand times."""

from pathlib import Path

import pytest

from tests.memory_folder import memory_folder  # noqa: F401  # the fixture tmp_path
from tests.store.shared_maildir import SharedMaildir


@pytest.fixture
def shared(tmp_path: Path) -> SharedMaildir:
    return SharedMaildir(tmp_path)
