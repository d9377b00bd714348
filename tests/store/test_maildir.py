import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.account import AccountContract
from tests.contracts.ground import FakeRenderer
from tests.support import InlineBlocking, StillClock
from twisted_mail.interfaces import Blocking, Store
from twisted_mail.store import keywords
from twisted_mail.store.maildir import MaildirStore


class TestMaildirContract(AccountContract):
    """A store in maildirs keeps what every store promises."""

    has_quota = False
    keyword_limit = keywords.LIMIT
    chance_examples = 25

    @pytest.fixture
    def make_store(
        self, tmp_path: Path, clock: StillClock, render: FakeRenderer
    ) -> Callable[..., Store]:
        numbers = itertools.count()

        def make() -> Store:
            root = tmp_path / str(next(numbers))
            return MaildirStore(root, InlineBlocking(), clock, render)

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
            store._root.decode(), InlineBlocking(), store._ground.clock, store._render
        )
