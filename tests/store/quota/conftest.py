"""A store with a quota."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import FakeRenderer
from tests.faults import QuickDisk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def make_store(tmp_path: Path, clock: StillClock) -> Callable[..., MaildirStore]:
    def make(octets: int = 0, messages: int = 0, **more: Any) -> MaildirStore:
        limits = StoreSettings(quota_bytes=octets, quota_messages=messages)
        return MaildirStore(
            tmp_path,
            InlineBlocking(),
            clock,
            FakeRenderer(),
            StoreServices(settings=limits, disk=QuickDisk(), **more),
        )

    return make
