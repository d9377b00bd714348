from pathlib import Path

import pytest

from tests.queue.mail_queue import MailQueue


@pytest.fixture
def queue(tmp_path: Path) -> MailQueue:
    return MailQueue(tmp_path / "waiting")
