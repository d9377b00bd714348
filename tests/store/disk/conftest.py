"""A writer whose disk can fail."""

import pytest

from tests.store.disk.spooling import SMALL, FailingBlocking
from twisted_mail.store.disk.spool import SpoolWriter


@pytest.fixture
def blocking() -> FailingBlocking:
    return FailingBlocking()


@pytest.fixture
def writer(tmp_path, blocking) -> SpoolWriter:
    return SpoolWriter(tmp_path, blocking, SMALL)
