"""Tests of twisted_mail.store.memory_limit."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft
from twisted_mail.mail.mailbox.entry import Contains, ItemTier, RenderedItems
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.store.memory_limit import SMALL, MemoryLimit
from twisted_mail.store.search import message_reader
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

PATIENCE = 10.0
MOST = 10 * SMALL


def in_threads(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Scales:
    """Counts what is held at a time."""

    def __init__(self) -> None:
        self.memory_limit = MemoryLimit(MOST)
        self.lock = threading.Lock()
        self.held = self.most = 0

    def hold(self, octets: int) -> None:
        with self.memory_limit.holding(octets):
            with self.lock:
                self.held += octets
                self.most = max(self.most, self.held)
            with self.lock:
                self.held -= octets


def test_no_more_is_held_than_there_is_room_for() -> None:
    scales = Scales()
    in_threads(*[lambda: [scales.hold(3 * SMALL) for _ in range(50)]] * 8)  # type: ignore[list-item]
    assert 3 * SMALL <= scales.most <= MOST


def test_what_fits_is_held_together() -> None:
    wholes = MemoryLimit(MOST)
    together = threading.Barrier(3, timeout=PATIENCE)

    def hold() -> None:
        with wholes.holding(3 * SMALL):
            together.wait()

    in_threads(hold, hold, hold)


def test_what_is_larger_than_all_the_room_is_held_alone() -> None:
    scales = Scales()
    in_threads(*[lambda: [scales.hold(2 * MOST) for _ in range(20)]] * 4)  # type: ignore[list-item]
    assert scales.most == 2 * MOST


def test_small_messages_wait_for_nobody() -> None:
    wholes = MemoryLimit(MOST)
    with wholes.holding(MOST), wholes.holding(SMALL):
        pass


def test_who_came_first_is_let_in_first() -> None:
    wholes = MemoryLimit(MOST)
    order: list[str] = []
    arrived = threading.Event()

    def large() -> None:
        arrived.set()
        with wholes.holding(2 * MOST):
            order.append("large")

    def middling() -> None:
        with wholes.holding(5 * SMALL):
            order.append("middling")

    threads = [threading.Thread(target=work, daemon=True) for work in (large, middling)]
    with wholes.holding(5 * SMALL):
        threads[0].start()
        while not wholes.waiting:
            arrived.wait(PATIENCE)
        threads[1].start()  # it would fit beside what is held now
        while wholes.waiting < 2:
            arrived.wait(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
    assert order == ["large", "middling"]


def test_room_is_given_back_when_something_goes_wrong() -> None:
    wholes = MemoryLimit(MOST)
    for _ in range(3):
        try:
            with wholes.holding(MOST):
                raise OSError
        except OSError:
            continue
    with wholes.holding(MOST):
        pass


class Holding(FakeRenderer):
    """Notes how much is held while it renders."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[int] = []
        self.memory_limit = MemoryLimit()

    def __call__(
        self,
        data: bytes,
        tier: ItemTier = ItemTier.PREVIEW,
        known: RenderedItems | None = None,
    ) -> RenderedItems:
        self.held.append(self.memory_limit.held)
        return super().__call__(data, tier, known)


def test_whatever_takes_large_messages_apart_takes_its_room_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = Holding()
    store = MaildirStore(tmp_path, InlineBlocking(), StillClock(), render)
    render.memory_limit = store._environment.memory_limit
    account = finish(store.account(ALICE))
    data = b"Subject: large\r\n\r\n" + b"x" * SMALL
    uids = finish(account.append("INBOX", [draft(data)])).targets
    mailbox = finish(account.open("INBOX"))
    finish(mailbox.items(uids))

    def searchable(data: bytes) -> Any:
        render.held.append(render.memory_limit.held)
        return taken_apart(data)

    taken_apart = message_reader.searchable
    monkeypatch.setattr(message_reader, "searchable", searchable)
    finish(mailbox.matching(uids, Contains("body", "nothing of this")))
    assert render.held == [len(data)] * 2
    assert render.memory_limit.held == 0
    finish(store.close())
