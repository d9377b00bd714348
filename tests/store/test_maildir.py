import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.account import AccountContract
from tests.contracts.ground import FakeRenderer
from twisted_mail.interfaces import Blocking, Store
from twisted_mail.store.format import keywords
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock


class TestMaildirContract(AccountContract):
    """A store in maildirs keeps what every store promises."""

    keyword_limit = keywords.LIMIT
    chance_examples = 25

    @pytest.fixture
    def make_store(
        self, tmp_path: Path, clock: StillClock, render: FakeRenderer
    ) -> Callable[..., Store]:
        numbers = itertools.count()

        def make(quota: int = 0) -> Store:
            root = tmp_path / str(next(numbers))
            settings = StoreSettings(quota_bytes=quota)
            return MaildirStore(root, InlineBlocking(), clock, render, settings=settings)

        return make

    @pytest.fixture
    def make_waiting_store(
        self, tmp_path: Path, clock: StillClock, render: FakeRenderer
    ) -> Callable[[Blocking], Store]:
        numbers = itertools.count()

        def make(blocking: Blocking) -> Store:
            return MaildirStore(tmp_path / f"w{next(numbers)}", blocking, clock, render)

        return make

    def reopened(self, store: Store) -> Store:
        assert isinstance(store, MaildirStore)
        self.run(store.close())
        return MaildirStore(
            store._root.decode(), InlineBlocking(), store._environment.clock, store._render
        )
