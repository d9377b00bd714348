"""Inboxes for each test."""

from pathlib import Path

import pytest

from tests.contracts.ground import NotedBlob
from tests.contracts.meanwhile import TurningBlocking
from tests.store.delivery.inboxes import Inboxes


@pytest.fixture
def inboxes(tmp_path: Path) -> Inboxes:
    NotedBlob.closed.clear()
    return Inboxes(tmp_path, TurningBlocking())
