from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.live import LiveServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path)
    yield live
    live.stop()
