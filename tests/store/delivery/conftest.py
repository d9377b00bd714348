"""Inboxes for each test."""

from pathlib import Path

import pytest

from tests.contracts.ground import NotedBlob
from tests.contracts.meanwhile import TurningBlocking
from tests.store.delivery.inboxes import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    NotedBlob.closed.clear()
    return Place(tmp_path, TurningBlocking())
