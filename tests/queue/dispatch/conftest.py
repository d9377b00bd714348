from collections.abc import Iterator

import pytest

from tests.queue.dispatch.played_queue import PlayedQueue


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """Let what is collected after a test begin nothing more."""
    yield
    for dispatcher in PlayedQueue.running:
        dispatcher._state.is_stopping = True
    PlayedQueue.running.clear()
