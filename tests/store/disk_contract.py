"""The contract of accounts, for stores on disk."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.account import AccountContract
from tests.contracts.ground import FakeRenderer
from twisted_mail.interfaces import Store
from twisted_mail.store.format import keywords
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import StillClock


class DiskContract(AccountContract):
    """Each store has a folder of its own, in which ``store_at`` makes it."""

    keyword_limit = keywords.LIMIT
    chance_examples = 25

    def store_at(
        self, root: Path, settings: StoreSettings, clock: StillClock, render: FakeRenderer
    ) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def make_store(
        self, tmp_path: Path, clock: StillClock, render: FakeRenderer
    ) -> Callable[..., Store]:
        numbers = itertools.count()

        def make(quota: int = 0) -> Store:
            settings = StoreSettings(quota_bytes=quota)
            return self.store_at(tmp_path / str(next(numbers)), settings, clock, render)

        return make
