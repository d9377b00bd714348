"""Descriptors are counted together, and some are kept free."""

import os
import resource

import pytest

from twisted_mail.net.process.descriptors import (
    DescriptorBudget,
    DescriptorLimit,
    count_descriptors,
    raise_descriptor_limit,
)
from twisted_mail.net.server.connection_limit import ConnectionLimit
from twisted_mail.testing.doubles import InlineBlocking, finish


class Process:
    """A process with some sockets and open accounts, all of which can be closed."""

    def __init__(self, sockets: int, accounts: int) -> None:
        self.sockets, self.accounts = sockets, accounts
        self.connections = ConnectionLimit()
        self.asked: list[int] = []
        self.budget = DescriptorBudget(
            1000, self.connections, self.close_accounts, InlineBlocking(), self.count
        )

    def count(self) -> int:
        return self.sockets + 6 * self.accounts

    async def close_accounts(self, number: int) -> None:
        self.asked.append(number)
        self.accounts -= min(number, self.accounts)


def test_accounts_stay_open_as_long_as_much_is_left() -> None:
    process = Process(sockets=20, accounts=100)
    finish(process.budget.work())
    assert (process.asked, process.connections.is_full) == ([0], False)


def test_of_too_many_accounts_as_many_are_closed_as_it_takes() -> None:
    process = Process(sockets=400, accounts=100)
    finish(process.budget.work())
    assert process.count() <= 500
    assert process.accounts == 16
    assert not process.connections.is_full


def test_connections_are_refused_where_closing_is_not_enough_and_taken_again_later() -> None:
    process = Process(sockets=900, accounts=20)
    finish(process.budget.work())
    assert process.accounts == 0
    assert process.connections.is_full
    process.sockets = 700
    finish(process.budget.work())
    assert not process.connections.is_full


def test_they_are_counted_seldom_where_few_are_used() -> None:
    process = Process(sockets=10, accounts=0)
    for _ in range(8):
        finish(process.budget.work())
    assert process.asked == [0, 0, 0]
    process.sockets = 600
    for _ in range(8):
        finish(process.budget.work())
    assert len(process.asked) >= 3 + 5


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="the system does not show them")
def test_all_open_descriptors_are_counted() -> None:
    before = count_descriptors()
    reading, writing = os.pipe()
    assert count_descriptors() == before + 2
    os.close(reading)
    os.close(writing)
    assert count_descriptors() == before


def test_where_the_system_does_not_show_descriptors_nothing_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("twisted_mail.net.process.descriptors._FOLDER", "/no/such/folder")
    assert count_descriptors() == 0


def test_the_server_asks_for_all_descriptors_that_it_may_have() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 10, hard))
    try:
        limit = raise_descriptor_limit()
        assert (limit.number, limit.before) == (hard, hard - 10)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
        again = raise_descriptor_limit()
        assert (again.number, again.before) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_number_before_is_named_only_where_it_was_another() -> None:
    raised = DescriptorLimit(20000, 1024).summary
    assert (
        raised == "20000 descriptors at most, 1024 before the server asked for all that it may have"
    )
    assert DescriptorLimit(20000, 20000).summary == "20000 descriptors at most"
