from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole.crew import Crewed
from tests.whole.live import LiveServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path)
    yield live
    live.stop()


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Callable[..., Crewed]]:
    """Start a server, with settings or not, that is stopped after the test."""
    servers: list[Crewed] = []

    def start(settings: str = "", listener: str = "") -> Crewed:
        servers.append(Crewed(tmp_path, settings, listener))
        return servers[-1]

    yield start
    for server in servers:
        if server.process._process.poll() is None:
            server.stop()
        assert "this is a bug" not in server.text()


@pytest.fixture
def crewed(crew: Callable[..., Crewed]) -> Crewed:
    return crew()
