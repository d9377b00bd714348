from pathlib import Path

import pytest

from tests.lists.list_server import ListServer


@pytest.fixture
def server(tmp_path: Path) -> ListServer:
    return ListServer(tmp_path).furnish()
