import pytest

from tests.contracts.account import AccountContract
from twisted_mail.store.box import Limits
from twisted_mail.store.memory import MemoryStore


class TestMemoryStore(AccountContract):
    keyword_limit = 30

    @pytest.fixture
    def make_store(self, clock, render):
        return lambda quota=None: MemoryStore(clock, render, Limits(quota=quota, keywords=30))
