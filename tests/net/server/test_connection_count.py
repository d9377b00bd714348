import os

import pytest

from twisted_mail.net.server import connection_count
from twisted_mail.net.server.connection_count import (
    SLOTS,
    LocalConnectionCounter,
    SharedCountLayout,
    SharedCountMemory,
)

PLAN = SharedCountLayout(processes=3, listeners=2, key=b"k" * 16)


@pytest.fixture
def counts() -> list[SharedCountMemory]:
    """The same memory, as three processes see it."""
    first = SharedCountMemory(PLAN, 0)
    return [first, *(SharedCountMemory(PLAN, number, os.dup(first.fd)) for number in (1, 2))]


def test_a_process_alone_counts_for_itself() -> None:
    alone = LocalConnectionCounter()
    alone.change("192.0.2.1", 1)
    alone.change("192.0.2.1", 1)
    assert (alone.count("192.0.2.1"), alone.count("192.0.2.2")) == (2, 0)
    alone.change("192.0.2.1", -2)
    assert len(alone) == 0


def test_processes_count_together(counts: list[SharedCountMemory]) -> None:
    for each in counts:
        each.listener(0).change("192.0.2.1", 1)
        each.listener(0).change("", 1)
    counts[1].listener(0).change("192.0.2.2", 1)
    for each in counts:
        assert each.listener(0).count("192.0.2.1") == 3
        assert each.listener(0).count("192.0.2.2") == 1
        assert each.listener(0).count("") == 3
        assert each.listener(0).count("192.0.2.3") == 0


def test_listeners_count_by_themselves(counts: list[SharedCountMemory]) -> None:
    counts[0].listener(0).change("192.0.2.1", 1)
    assert counts[1].listener(1).count("192.0.2.1") == 0


def test_what_a_process_counted_is_forgotten_with_it(counts: list[SharedCountMemory]) -> None:
    for each in counts:
        for listener in (0, 1):
            each.listener(listener).change("192.0.2.1", 1)
            each.listener(listener).change("", 1)
    counts[0].forget(2)
    for listener in (0, 1):
        assert counts[1].listener(listener).count("192.0.2.1") == 2
        assert counts[1].listener(listener).count("") == 2


def test_addresses_are_spread_by_the_key_and_none_is_counted_for_all() -> None:
    slots = [
        SharedCountMemory(SharedCountLayout(1, 1, key), 0).listener(0)._slot(f"192.0.2.{n}")
        for key in (b"one", b"other")
        for n in range(100)
    ]
    assert slots[:100] != slots[100:]
    assert len(set(slots)) > 190
    assert all(0 < slot < SLOTS for slot in slots)


def test_without_memfd_a_file_without_a_name_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(connection_count.os, "memfd_create", raising=False)
    first = SharedCountMemory(PLAN, 0)
    SharedCountMemory(PLAN, 1, os.dup(first.fd)).listener(1).change("", 5)
    assert first.listener(1).count("") == 5
